"""A teacher-forced pass in hard-gated form: what `dmscope score` computes, in PyTorch."""

import torch
from torch import nn

from retrofit.model.state import Mode, PassState


@torch.no_grad()
def score(model: nn.Module, ids: torch.Tensor, threshold: float = 0.0) -> tuple[torch.Tensor, ...]:
    """ids [B, T] -> logits [B, T, vocab], gates [B, L, H, T] (NaN: undecided), live slots [B, L, H, T]."""
    state = PassState(Mode.HARD, threshold=threshold)
    logits = model(input_ids=ids, use_cache=False, dms=state).logits
    return logits, state.all_gates(), state.all_live()
