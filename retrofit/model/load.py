"""A checkpoint as a transformers model whose attention has DMS gates."""

from collections.abc import Callable
from pathlib import Path

import torch
import transformers
from torch import nn
from torch.utils.checkpoint import checkpoint

from retrofit.errors import BadInput
from retrofit.model.attention import DmsAttention
from retrofit.model.checkpoint_files import CheckpointFiles
from retrofit.model.gate_form import GateForm, read_gate_form

KERNELS = ("sdpa", "flex")


def load_plain(folder: Path, form: GateForm, dtype: torch.dtype = torch.float32, kernel: str = "sdpa") -> nn.Module:
    """A plain checkpoint with gates that evict nothing yet. Refuses one that has gates."""
    files = CheckpointFiles(folder)
    if read_gate_form(Path(folder)) is not None:
        raise BadInput(f"{folder}: has DMS gates already; give the plain checkpoint that it was made from")
    return attach(transformers_model(files, dtype), form, kernel)


def load_dms(folder: Path, dtype: torch.dtype = torch.float32) -> tuple[nn.Module, GateForm]:
    """A DMS checkpoint, either form, for Mode.HARD."""
    files = CheckpointFiles(folder)
    form = read_gate_form(Path(folder))
    if form is None:
        raise BadInput(f"{folder}: a plain checkpoint, expected one with DMS gates (dms_* keys in config.json)")
    model = attach(transformers_model(files, dtype), form)
    with torch.no_grad():
        for layer, block in enumerate(attention_blocks(model)):
            _load_gate(block, files, f"model.layers.{layer}.self_attn.")
    return model, form


def attach(model: nn.Module, form: GateForm, kernel: str = "sdpa") -> nn.Module:
    """Replaces every attention module in place."""
    for layer in model.model.layers:
        layer.self_attn = DmsAttention(layer.self_attn, form, kernel)
        layer.forward = _passing_input_on(layer)
    return model


def checkpoint_layers(model: nn.Module) -> None:
    """Every decoder layer keeps its input alone for the backward pass, and runs again there."""
    for layer in model.model.layers:
        layer.forward = _run_again(layer.forward)


def attention_blocks(model: nn.Module) -> list[DmsAttention]:
    return [layer.self_attn for layer in model.model.layers]


def _passing_input_on(layer: nn.Module) -> Callable:
    """The adapter reads the residual stream before the input norm, which transformers' layer does not pass on."""
    forward = layer.forward

    def wrapped(hidden_states, *args, **kwargs):
        layer.self_attn.layer_input = hidden_states
        return forward(hidden_states, *args, **kwargs)

    return wrapped


def _run_again(forward: Callable) -> Callable:
    def wrapped(*args, **kwargs):
        if not torch.is_grad_enabled():
            return forward(*args, **kwargs)
        # Nothing in a layer draws random numbers: the noise comes with the pass's state.
        return checkpoint(forward, *args, use_reentrant=False, preserve_rng_state=False, **kwargs)

    return wrapped


def transformers_model(files: CheckpointFiles, dtype: torch.dtype) -> nn.Module:
    transformers.logging.set_verbosity_error()  # gate tensors would be announced as unexpected
    transformers.logging.disable_progress_bar()
    try:
        model = transformers.AutoModelForCausalLM.from_pretrained(
            files.folder, dtype=dtype, local_files_only=True, attn_implementation="sdpa"
        )
    except (ValueError, RuntimeError, OSError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadInput(f"{files.folder}: transformers cannot load it: {reason}") from error
    return model.eval()


def _load_gate(block: DmsAttention, files: CheckpointFiles, prefix: str) -> None:
    if not block.form.adapter:  # the rows lie where they always were
        rows = block.borrowed_row_indices()
        block.borrowed_rows.copy_(block.q_proj.weight[rows])
        if block.borrowed_bias is not None:
            block.borrowed_bias.copy_(block.q_proj.bias[rows])
        return
    for name in ("dms_proj_alpha_norm.weight", "dms_proj_alpha.weight", "dms_proj_alpha.bias"):
        module, kind = name.split(".")
        parameter = getattr(getattr(block, module), kind, None)
        if parameter is None:
            continue
        stored = files.tensor(prefix + name)
        if stored.shape != parameter.shape:
            raise BadInput(f"{files.folder}: {prefix}{name} is {list(stored.shape)}, expected {list(parameter.shape)}")
        parameter.copy_(stored)
