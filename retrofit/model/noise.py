"""The noise of the Gumbel-sigmoid: a difference of two Gumbel variables, which is logistic.

Drawn at once for all layers from a seed made of (seed, step, micro-batch, process), so that a resumed run, gradient
checkpointing and any number of processes see what an uninterrupted run sees.
"""

import hashlib

import torch


def seed_of(*parts: int | str) -> int:
    """A 63-bit seed that depends on every part."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def uniform(*parts: int | str) -> float:
    """In [0, 1), from the same parts always the same."""
    return seed_of(*parts) / 2**63


def logistic_noise(shape: tuple[int, ...], seed: int, device: torch.device) -> torch.Tensor:
    """float32 [layers, B, H, T]; the same numbers on every device, since they are drawn on the CPU."""
    generator = torch.Generator().manual_seed(seed)
    # Away from 0 and 1, where the logit is infinite.
    uniform = torch.rand(shape, generator=generator).clamp_(1e-7, 1 - 1e-7)
    return torch.logit(uniform).to(device)
