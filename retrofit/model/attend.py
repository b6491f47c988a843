"""Grouped-query attention under an additive mask, on PyTorch's own fused attention.

Shapes: q [B, H_q, T, d], k and v [B, H, T, d]; the result is [B, T, H_q * d].
"""

import functools

import torch
import torch.nn.functional as F

from retrofit.model import mask
from retrofit.model.blocked_attention import blocked


def causal(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float) -> torch.Tensor:
    """Nothing evicted."""
    return _joined(F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale, enable_gqa=True))


def masked(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, log_keep: torch.Tensor, window: int, scale: float, kernel: str
) -> torch.Tensor:
    """Keys outside the window get log_keep [B, H, T] added to their scores, -inf where they are gone.

    kernel: "sdpa", or "flex", which never holds a [T, T] mask and whose backward pass needs CUDA.
    """
    if log_keep.requires_grad and q.device.type == "cpu":
        return _joined(blocked(q, k, v, log_keep, window, scale))
    if kernel == "sdpa":
        return _biased(q, k, v, mask.relaxed_bias(log_keep, window), scale)
    group = q.shape[1] // k.shape[1]

    def outside_window(score, b, h, query, key):
        return torch.where(query - key > window, score + log_keep[b, h // group, key], score)

    flex, blocks = _flex(q.shape[2], q.device)
    return _joined(flex(q, k, v, score_mod=outside_window, block_mask=blocks, scale=scale, enable_gqa=True))


def _biased(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor, scale: float) -> torch.Tensor:
    """Under bias [B, H, T, T], shared by the query heads of a group through a stride of 0 rather than by copies."""
    batch, query_heads, tokens, dim = q.shape
    heads = k.shape[1]
    shape = (batch * heads, query_heads // heads, tokens)
    k, v = (x.reshape(batch * heads, 1, tokens, dim).expand(*shape, dim) for x in (k, v))
    bias = bias.to(q.dtype).reshape(batch * heads, 1, tokens, tokens).expand(*shape, tokens)
    mixed = F.scaled_dot_product_attention(q.reshape(*shape, dim), k, v, attn_mask=bias, scale=scale)
    return _joined(mixed.reshape(q.shape))


@functools.lru_cache(maxsize=8)
def _flex(tokens: int, device: torch.device):
    """The kernel, compiled where there is a compiler for it, and the blocks of a causal mask."""
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    blocks = create_block_mask(lambda b, h, q, k: q >= k, None, None, tokens, tokens, device=device)
    return (torch.compile(flex_attention) if device.type == "cuda" else flex_attention), blocks


def _joined(mixed: torch.Tensor) -> torch.Tensor:
    """[B, H_q, T, d] to [B, T, H_q * d]"""
    return mixed.transpose(1, 2).flatten(2)
