"""The compact form: gate adapters and low-rank updates as one bfloat16 safetensors file of a few megabytes.

Tensors `model.layers.N.self_attn.dms_proj_alpha*` and `...{q,k,v,o}_proj.lora_{A,B}.weight`; the metadata, all text,
names base model, window, scale, offset and lag. `assets/default_model/merge.py` merges it without PyTorch.
"""

import re
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from retrofit.errors import BadInput
from retrofit.model.gate_form import GateForm
from retrofit.output.publish import new_file
from retrofit.output.trained import ADAPTER, UPDATE, Tensors

STORED_UPDATE = re.compile(r"(model\.layers\.\d+\.self_attn)\.([qkvo]_proj)\.lora_([AB])\.weight")
MERGE = "W + B @ A"


def write_compact(path: Path, trained: Tensors, form: GateForm, base_model: str, facts: dict[str, str]) -> None:
    """`facts` go into the metadata beside what merging needs."""
    if not form.adapter:
        raise BadInput("the compact form holds gate adapters; a borrowed neuron is written with `export`")
    with new_file(path) as partial:
        save_file(
            {_stored_name(name): _bf16(name, tensor) for name, tensor in trained.items()},
            partial,
            facts | _metadata(form, base_model),
        )


def read_compact(path: Path) -> tuple[Tensors, GateForm]:
    """Trained tensors under the student's names, and their gate form."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            trained = {_student_name(path, name): file.get_tensor(name) for name in file.keys()}
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None
    except (SafetensorError, OSError) as error:
        raise BadInput(f"{path}: not a complete safetensors file ({error})") from None
    return trained, _form(path, metadata)


def _metadata(form: GateForm, base_model: str) -> dict[str, str]:
    return {
        "base_model": base_model,
        "dms_alpha_per": "layer" if form.per_layer else "head",
        "dms_alpha_scale": f"{form.scale:g}",
        "dms_initial_alpha_offset": f"{form.offset:g}",
        "dms_separate_alpha": "true",
        "dms_window_size": str(form.window),
        "format": "pt",
        "lag": str(form.lag),
        "merge": MERGE,
    }


def _form(path: Path, metadata: dict[str, str]) -> GateForm:
    def value(key):
        if key not in metadata:
            raise BadInput(f"{path}: the metadata lacks {key}")
        return metadata[key]

    if value("lag") != "1" or value("dms_separate_alpha") != "true" or value("merge") != MERGE:
        raise BadInput(f"{path}: expected an adapter of lag 1 with updates to merge as {MERGE}")
    try:
        return GateForm(
            window=int(value("dms_window_size")),
            scale=float(value("dms_alpha_scale")),
            offset=float(value("dms_initial_alpha_offset")),
            per_layer=value("dms_alpha_per") == "layer",
        )
    except ValueError as error:
        raise BadInput(f"{path}: the metadata is not numeric where it should be ({error})") from None


def _stored_name(name: str) -> str:
    update = UPDATE.fullmatch(name)
    if update:
        return f"{update[1]}.{update[2]}.lora_{update[3]}.weight"
    if not ADAPTER.fullmatch(name):
        raise BadInput(f"{name} is trained, and the compact form holds gates and low-rank updates only; use `export`")
    return name


def _student_name(path: Path, name: str) -> str:
    update = STORED_UPDATE.fullmatch(name)
    if update:
        return f"{update[1]}.updates.{update[2]}.lora_{update[3]}"
    if not ADAPTER.fullmatch(name):
        raise BadInput(f"{path}: unexpected tensor {name}")
    return name


def _bf16(name: str, tensor: torch.Tensor) -> torch.Tensor:
    if not tensor.isfinite().all():
        raise BadInput(f"{name}: a trained weight is not a finite number")
    return tensor.to(torch.bfloat16).contiguous()
