"""One module whose forward pass is teacher, student and loss, so that sharding and autocast see the whole step."""

import torch
from torch import nn

from retrofit.model.state import Mode, PassState
from retrofit.training.loss import distillation, one_sided_l1


class Distiller(nn.Module):
    """`teacher` is None where the student's own weights, gates and updates off, are the teacher: low-rank mode."""

    def __init__(self, student: nn.Module, teacher: nn.Module | None, direction: str, pressure: float, recompute: bool):
        super().__init__()
        self.student = student
        self.__dict__["teacher"] = teacher  # not a submodule: neither trained, nor sharded, nor saved
        self.direction, self.pressure, self.recompute = direction, pressure, recompute

    def forward(self, ids: torch.Tensor, weights: torch.Tensor, state: PassState, target: float) -> dict:
        """ids, weights [B, T]; weight t belongs to the prediction made at token t. Returns the loss and its parts."""
        teacher = self._teacher_states(ids)
        student = self.student.model(input_ids=ids, use_cache=False, dms=state).last_hidden_state
        heads = self.student.lm_head, (self.teacher or self.student).lm_head
        kl = distillation(*heads, student, teacher, weights, self.direction, self.recompute)
        if state.mode is Mode.ZEROING:
            return {"loss": kl, "kl": kl, "shortfall": kl.new_zeros(()), "closed": kl.new_zeros(())}
        closed = state.mean_closed()
        shortfall = one_sided_l1(closed, target)
        return {"loss": kl + self.pressure * shortfall, "kl": kl, "shortfall": shortfall, "closed": closed.mean()}

    @torch.no_grad()
    def _teacher_states(self, ids: torch.Tensor) -> torch.Tensor:
        """Last hidden states [B, T, hidden] of the original model."""
        if self.teacher is not None:
            return self.teacher.model(input_ids=ids, use_cache=False).last_hidden_state
        return self.student.model(input_ids=ids, use_cache=False, dms=PassState(Mode.TEACHER)).last_hidden_state
