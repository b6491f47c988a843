"""One process or several: torchrun starts them, PyTorch's FSDP2 shards weights, gradients and optimizer over them."""

import os
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import nn

from retrofit.errors import BadInput


class Processes:
    """What this process is among the others. A context manager: leaves the group at the end."""

    def __init__(self, device: str):
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        self.device = self._device(device)
        if self.count > 1:
            dist.init_process_group("nccl" if self.device.type == "cuda" else "gloo")

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_) -> None:
        if self.count > 1:
            dist.destroy_process_group()

    @property
    def first(self) -> bool:
        return self.rank == 0

    def shard(self, model: nn.Module) -> None:
        """Decoder layers one by one, then the rest, so that one layer's weights are gathered at a time."""
        if self.count == 1:
            return
        from torch.distributed.fsdp import fully_shard

        mesh = torch.distributed.device_mesh.init_device_mesh(self.device.type, (self.count,))
        for layer in model.student.model.layers:
            fully_shard(layer, mesh=mesh)
        fully_shard(model, mesh=mesh)

    @contextmanager
    def gathered(self, model: nn.Module):
        """What lies outside of the decoder layers is whole in every process: parts of the model can be called."""
        if self.count > 1:
            model.unshard()
        yield
        if self.count > 1:
            model.reshard()

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """The mean over processes of each value."""
        if self.count == 1:
            return values
        total = torch.tensor(list(values.values()), dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        return dict(zip(values, (total / self.count).tolist()))

    def any(self, flag: bool) -> bool:
        """True in every process if it is in one."""
        return self.mean({"flag": float(flag)})["flag"] > 0

    def _device(self, wanted: str) -> torch.device:
        if wanted == "cuda" and not torch.cuda.is_available():
            raise BadInput("training.device is cuda, and PyTorch sees no CUDA device; use auto or cpu")
        if wanted == "cpu" or not torch.cuda.is_available():
            return torch.device("cpu")
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
        return device


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """A sharded tensor gathered, on the CPU; every process must call it."""
    from torch.distributed.tensor import DTensor

    tensor = tensor.detach()
    return (tensor.full_tensor() if isinstance(tensor, DTensor) else tensor).cpu().clone()


def put(tensor: torch.Tensor, value: torch.Tensor) -> None:
    """Sets a possibly sharded tensor to a whole value."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    value = value.to(tensor.device, tensor.dtype)
    if isinstance(tensor, DTensor):
        value = distribute_tensor(value, tensor.device_mesh, tensor.placements)
    with torch.no_grad():
        tensor.copy_(value)
