"""The safetensors format for bfloat16 tensors, written and read one tensor at a time.

NumPy has no bfloat16 and the safetensors package refuses what NumPy lacks, hence the few lines here. Tensors are
uint16 arrays of bfloat16 bits. Memory stays at one tensor, whatever the size of the file.
"""

import json
import mmap
import os
import struct
from pathlib import Path

import numpy as np

LARGEST_HEADER = 100 << 20  # as the format's own reader has it


def write(path, tensors, metadata):
    """Writes `tensors`: a list of (name, shape, function that returns the uint16 array)."""
    header = {"__metadata__": metadata}
    offset = 0
    for name, shape, _ in tensors:
        size = 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the data starts aligned
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, shape, make in tensors:
            bits = make()
            if bits.shape != tuple(shape) or bits.dtype != np.uint16:
                raise ValueError(f"{name}: {bits.dtype} {bits.shape}, expected uint16 {tuple(shape)}")
            file.write(np.ascontiguousarray(bits).data)
        file.flush()
        os.fsync(file.fileno())


class Reader:
    """A memory-mapped safetensors file of bfloat16 tensors."""

    def __init__(self, path):
        self.path = Path(path)
        with open(self.path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < 8:
                raise ValueError(f"{self.path}: {size} bytes, too short for a safetensors file")
            (header_size,) = struct.unpack("<Q", file.read(8))
            if header_size > min(LARGEST_HEADER, size - 8):
                raise ValueError(f"{self.path}: header of {header_size} bytes in a file of {size}")
            header = json.loads(file.read(header_size))
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._start = 8 + header_size
        self.metadata = header.pop("__metadata__", {})
        self._entries = header
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            expected = 2 * int(np.prod(entry["shape"]))
            if entry["dtype"] != "BF16" or end - begin != expected or not 0 <= begin <= end <= size - self._start:
                raise ValueError(f"{self.path}: tensor {name} is not a complete BF16 tensor")

    def names(self):
        return list(self._entries)

    def shape(self, name):
        return tuple(self._entry(name)["shape"])

    def bits(self, name):
        begin, end = self._entry(name)["data_offsets"]
        flat = np.frombuffer(self._data, dtype="<u2", count=(end - begin) // 2, offset=self._start + begin)
        return flat.reshape(self.shape(name))

    def _entry(self, name):
        if name not in self._entries:
            raise ValueError(f"{self.path}: tensor {name} is missing")
        return self._entries[name]
