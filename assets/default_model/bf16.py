"""bfloat16 in NumPy, which has no such type: uint16 arrays holding the upper half of a float32."""

import numpy as np


def from_bf16(bits):
    """Float32 values of bfloat16 bits; exact."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def to_bf16(values):
    """Bfloat16 bits of float32 values, rounded to nearest, ties to even."""
    values = np.ascontiguousarray(values, dtype=np.float32)
    if not np.isfinite(values).all():
        raise ValueError("a weight is not a finite number")
    bits = values.view(np.uint32)
    rounding = np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return ((bits + rounding) >> np.uint32(16)).astype(np.uint16)
