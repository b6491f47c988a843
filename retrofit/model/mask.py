"""Delayed eviction as a mask, hard for inference and relaxed for training.

With window w, query s sees key t iff t <= s and (s - t <= w or t is not marked). Relaxed, a key outside the window is
seen with weight 1 - p_t inside the softmax, p_t the relaxed decision: its score gets log(1 - p_t) added
(arXiv 2506.05345). Shapes: B sequences, H KV heads, T tokens.
"""

import torch
import torch.nn.functional as F


def judged(computed: torch.Tensor, lag: int, fill: float) -> torch.Tensor:
    """[B, H, T] logits moved from the token that computed them to the token they judge; the newest get `fill`."""
    return computed if lag == 0 else F.pad(computed[..., lag:], (0, lag), value=fill)


def ages(tokens: int, device: torch.device, first: int = 0) -> torch.Tensor:
    """[query from `first` on, T key]: how many steps before the query the key was; negative for the future."""
    positions = torch.arange(tokens, device=device)
    return positions[first:, None] - positions[None, :]


def visible(marked: torch.Tensor, window: int) -> torch.Tensor:
    """[B, H, T query, T key] booleans from marked [B, H, T]."""
    age = ages(marked.shape[-1], marked.device)
    return (age >= 0) & ((age <= window) | ~marked[..., None, :])


def live_slots(marked: torch.Tensor, window: int) -> torch.Tensor:
    """[B, H, T] int32: how many slots query s sees, its own included."""
    tokens = marked.shape[-1]
    leaves_after = min(window + 1, tokens)
    evicted = F.pad(marked.int(), (leaves_after, 0))[..., :tokens].cumsum(-1)
    return (torch.arange(1, tokens + 1, device=marked.device) - evicted).int()


def log_keep(logits: torch.Tensor, noise: torch.Tensor, tau: float) -> torch.Tensor:
    """log(1 - p) of the Gumbel-sigmoid decision p = sigmoid((z + noise) / tau), exact for p near 1 as well."""
    return F.logsigmoid(-(logits + noise) / tau)


def relaxed_bias(log_keep: torch.Tensor, window: int, first: int = 0) -> torch.Tensor:
    """[..., query from `first` on, T key] additive mask from log(1 - p) [..., T]; undecided tokens have log 1 = 0."""
    age = ages(log_keep.shape[-1], log_keep.device, first)
    bias = torch.where(age > window, log_keep[..., None, :], 0.0)
    return bias.masked_fill(age < 0, -torch.inf)
