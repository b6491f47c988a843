"""Trained tensors and what they make of the tensors of the original checkpoint.

`trained` is a dict of parameters under the student's names (model/attention.py): gates, borrowed rows, low-rank
updates, and in full fine-tuning everything else.
"""

import re

import torch

from retrofit.errors import BadInput
from retrofit.model.checkpoint_files import CheckpointFiles
from retrofit.model.gate_form import GateForm

ADAPTER = re.compile(r"model\.layers\.\d+\.self_attn\.dms_proj_alpha(_norm)?\.(weight|bias)")
UPDATE = re.compile(r"(model\.layers\.\d+\.self_attn)\.updates\.([qkvo]_proj)\.lora_([AB])")
BORROWED = re.compile(r"model\.layers\.\d+\.self_attn\.borrowed_(rows|bias)")

Tensors = dict[str, torch.Tensor]


def adapter_tensors(trained: Tensors) -> Tensors:
    """The gates' own tensors, under the names of NVIDIA's layout."""
    return {name: tensor for name, tensor in trained.items() if ADAPTER.fullmatch(name)}


def merged(name: str, original: torch.Tensor, trained: Tensors, form: GateForm, config: dict) -> torch.Tensor:
    """What `name` of the original checkpoint becomes, rounded once to the original's type."""
    tied = name == "lm_head.weight" and config.get("tie_word_embeddings", False)  # stored though it is the embedding
    tensor = trained.get("model.embed_tokens.weight" if tied else name, original).to(torch.float32)
    block, _, kind = name.rpartition(".")
    attention, _, projection = block.rpartition(".")
    update = f"{attention}.updates.{projection}.lora_"
    if kind == "weight" and update + "A" in trained:
        tensor = tensor + trained[update + "B"].float() @ trained[update + "A"].float()
    borrowed = f"{attention}.borrowed_{'rows' if kind == 'weight' else 'bias'}"
    if projection == "q_proj" and borrowed in trained:
        tensor = tensor.clone()
        tensor[_borrowed_rows(tensor.shape[0], trained[borrowed].shape[0], config)] = trained[borrowed].float()
    if not tensor.isfinite().all():
        raise BadInput(f"{name}: a trained weight is not a finite number")
    return tensor.to(original.dtype)


def check_complete(trained: Tensors, source: CheckpointFiles, form: GateForm) -> None:
    """Every trained tensor must be of use, and every layer must have its gate."""
    known = source.names()
    for name in trained:
        update = UPDATE.fullmatch(name)
        target = f"{update[1]}.{update[2]}.weight" if update else name
        if target not in known and not ADAPTER.fullmatch(name) and not BORROWED.fullmatch(name):
            raise BadInput(f"{source.folder}: lacks {target}, which the trained weights change")
    gate = "dms_proj_alpha.weight" if form.adapter else "borrowed_rows"
    for layer in range(source.config["num_hidden_layers"]):
        if f"model.layers.{layer}.self_attn.{gate}" not in trained:
            raise BadInput(f"the trained weights lack model.layers.{layer}.self_attn.{gate}")


def _borrowed_rows(rows: int, kv_heads: int, config: dict) -> list[int]:
    head_dim = rows // config["num_attention_heads"]
    group = config["num_attention_heads"] // kv_heads
    return [(head * group + 1) * head_dim - 1 for head in range(kv_heads)]
