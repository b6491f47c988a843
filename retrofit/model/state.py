"""What one forward pass asks of every attention block, and what the blocks report back."""

from dataclasses import dataclass, field
from enum import Enum

import torch


class Mode(Enum):
    TEACHER = "the original model: no gates, no low-rank updates, no borrowed channel, nothing evicted"
    ZEROING = "the student before it learns gates: the borrowed channel fades out, nothing evicted"
    RELAXED = "training: Gumbel-sigmoid decisions about the threshold in the mask"
    HARD = "inference: tokens with z above the threshold leave after the window"


@dataclass
class PassState:
    """Passed to the model's forward as `dms`. Gradient checkpointing runs a block twice: reports are per layer."""

    mode: Mode
    noise: torch.Tensor | None = None  # RELAXED: [layers, B, H, T]
    tau: float = 0.1
    threshold: float = 0.0  # what logits are compared with
    channel_scale: float = 1.0  # ZEROING: what is left of the borrowed channel
    # Per layer. RELAXED: mean decision of each sequence [B], with gradient. HARD: judged logits [B, H, T], NaN where
    # undecided, and live slots [B, H, T].
    closed: dict[int, torch.Tensor] = field(default_factory=dict)
    gates: dict[int, torch.Tensor] = field(default_factory=dict)
    live: dict[int, torch.Tensor] = field(default_factory=dict)

    def mean_closed(self) -> torch.Tensor:
        """[B]: the mean decision over layers and heads."""
        return torch.stack([self.closed[layer] for layer in sorted(self.closed)]).mean(0)

    def all_gates(self) -> torch.Tensor:
        """[B, L, H, T]"""
        return torch.stack([self.gates[layer] for layer in sorted(self.gates)], 1)

    def all_live(self) -> torch.Tensor:
        """[B, L, H, T]"""
        return torch.stack([self.live[layer] for layer in sorted(self.live)], 1)
