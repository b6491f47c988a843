"""Quality on held-out text with hard gates: what a run reports on the way, and `retrofit check` of a checkpoint."""

import math
from collections.abc import Callable

import torch
from torch import nn

from retrofit.model.state import Mode, PassState
from retrofit.training.loss import token_kl


@torch.no_grad()
def heldout(
    student: nn.Module,
    teacher: nn.Module | None,
    texts: list[torch.Tensor],
    device: torch.device,
    autocast: Callable,
    threshold: float = 0.0,
) -> dict[str, float]:
    """Perplexity without and with eviction, KL, and the realised ratio at the end, the window included.

    texts: ids [1, T] each. `teacher` is a plain transformers model, or None for the student with its gates off.
    """
    student.eval()
    nll = {"dense": 0.0, "dms": 0.0}
    kl = dense_slots = live_slots = predicted = 0
    for text in texts:
        ids = text.to(device)
        state = PassState(Mode.HARD, threshold=threshold)
        with autocast():
            logits = student(input_ids=ids, use_cache=False, dms=state).logits[0, :-1].float()
            if teacher is None:
                original = student(input_ids=ids, use_cache=False, dms=PassState(Mode.TEACHER)).logits
            else:
                original = teacher(input_ids=ids, use_cache=False).logits
        original = original[0, :-1].float()
        target = ids[0, 1:]
        nll["dense"] += nn.functional.cross_entropy(original, target, reduction="sum").item()
        nll["dms"] += nn.functional.cross_entropy(logits, target, reduction="sum").item()
        kl += token_kl(logits, original, "forward").sum().item()
        predicted += target.numel()
        live_slots += state.all_live()[..., -1].sum().item()
        dense_slots += state.all_live()[..., -1].numel() * ids.shape[1]
    return {
        "heldout_perplexity_dense": math.exp(nll["dense"] / predicted),
        "heldout_perplexity": math.exp(nll["dms"] / predicted),
        "heldout_kl": kl / predicted,
        "heldout_ratio": dense_slots / live_slots,
    }
