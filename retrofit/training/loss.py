"""The two terms of the loss: distillation from the original model, and the pressure to evict.

Distillation is the KL divergence of the student's next-token distribution from the teacher's, in nats per token,
weighted per token. Logits of a large vocabulary are the largest tensors of a step, so the output projection runs over
chunks of tokens, and again in the backward pass unless memory is plentiful.
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

CHUNK_TOKENS = 512


def one_sided_l1(closed: torch.Tensor, target: float) -> torch.Tensor:
    """closed [B], the mean decision of each sequence; zero where it is at least the target."""
    return F.relu(target - closed).mean()


def token_kl(student: torch.Tensor, teacher: torch.Tensor, direction: str) -> torch.Tensor:
    """KL [...] of logits [..., vocab]: "forward" KL(teacher || student), "reverse" KL(student || teacher)."""
    student, teacher = F.log_softmax(student.float(), -1), F.log_softmax(teacher.float(), -1)
    if direction == "reverse":
        student, teacher = teacher, student
    return (teacher.exp() * (teacher - student)).sum(-1)


def distillation(
    student_head: nn.Module,
    teacher_head: nn.Module,
    student: torch.Tensor,
    teacher: torch.Tensor,
    weights: torch.Tensor,
    direction: str,
    recompute: bool = True,
) -> torch.Tensor:
    """Weighted mean of token_kl over last hidden states [B, T, hidden], through the two output projections."""

    def chunk_kl(student_part, teacher_part, weight):
        with torch.no_grad():
            teacher_logits = teacher_head(teacher_part)
        return (token_kl(student_head(student_part), teacher_logits, direction) * weight).sum()

    flat = (student.flatten(0, 1), teacher.flatten(0, 1), weights.flatten())
    chunks = zip(*(x.split(CHUNK_TOKENS) for x in flat))
    if recompute:
        total = sum(checkpoint(chunk_kl, *chunk, use_reentrant=False, preserve_rng_state=False) for chunk in chunks)
    else:
        total = sum(chunk_kl(*chunk) for chunk in chunks)
    return total / weights.sum().clamp_min(1e-6)
