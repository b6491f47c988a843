"""A low-rank update of a frozen projection: x -> B A x, to be merged as W + B A."""

import math

import torch
from torch import nn


class LowRankUpdate(nn.Module):
    """A [rank, in] starts random, B [out, rank] at zero, so that training starts from the original model."""

    def __init__(self, linear: nn.Linear, rank: int, generator: torch.Generator):
        super().__init__()
        bound = 1.0 / math.sqrt(linear.in_features)  # the variance nn.Linear starts with
        start = torch.empty(rank, linear.in_features).uniform_(-bound, bound, generator=generator)
        self.lora_A = nn.Parameter(start)
        self.lora_B = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(nn.functional.linear(x, self.lora_A), self.lora_B)
