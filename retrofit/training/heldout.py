"""Quality on held-out text with hard gates: what a run reports on the way, and `retrofit check` of a checkpoint."""

import math
from collections.abc import Callable

import torch
from torch import nn

from retrofit.model.state import Mode, PassState
from retrofit.training.loss import CHUNK_TOKENS, token_kl


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
    sums = {"dense": 0.0, "dms": 0.0, "kl": 0.0}
    predicted = live_slots = dense_slots = 0
    for text in texts:
        ids = text.to(device)
        state = PassState(Mode.HARD, threshold=threshold)
        with autocast():
            evicted = student.model(input_ids=ids, use_cache=False, dms=state).last_hidden_state
            if teacher is None:
                dense = student.model(input_ids=ids, use_cache=False, dms=PassState(Mode.TEACHER)).last_hidden_state
            else:
                dense = teacher.model(input_ids=ids, use_cache=False).last_hidden_state
            _add_losses(sums, student.lm_head, evicted[0, :-1], (teacher or student).lm_head, dense[0, :-1], ids[0, 1:])
        predicted += ids.shape[1] - 1
        live_slots += state.all_live()[..., -1].sum().item()
        dense_slots += state.all_live()[..., -1].numel() * ids.shape[1]
    return {
        "heldout_perplexity_dense": math.exp(sums["dense"] / predicted),
        "heldout_perplexity": math.exp(sums["dms"] / predicted),
        "heldout_kl": sums["kl"] / predicted,
        "heldout_ratio": dense_slots / live_slots,
    }


def _add_losses(sums: dict, head: nn.Module, evicted, teacher_head: nn.Module, dense, targets: torch.Tensor) -> None:
    """Over chunks of tokens: the logits of a long text and a large vocabulary do not fit."""
    for part in zip(*(x.split(CHUNK_TOKENS) for x in (evicted, dense, targets))):
        logits, original, target = head(part[0]).float(), teacher_head(part[1]).float(), part[2]
        sums["dms"] += nn.functional.cross_entropy(logits, target, reduction="sum").item()
        sums["dense"] += nn.functional.cross_entropy(original, target, reduction="sum").item()
        sums["kl"] += token_kl(logits, original, "forward").sum().item()
