"""Whether a run fits, before it starts: an allocation that fails after an hour helps nobody.

An estimate from below (weights, gradients, optimizer, and the largest activations); what it lets through may still
fail, which train.py reports with the same advice.
"""

import os

import torch

from retrofit.errors import BadInput
from retrofit.training.loss import CHUNK_TOKENS
from retrofit.training.recipe import Recipe

ADVICE = "lower training.tokens or training.batch, set training.gradient_checkpointing, or use low-rank mode"


def needed_bytes(recipe: Recipe, config: dict, parameters: int, processes: int) -> int:
    training = recipe.training
    wide = 4 if training.mode == "full" or training.weights == "float32" else 2
    weights = parameters * wide
    if training.mode == "full":
        weights += parameters * (4 + 8) + parameters * 2  # gradient, two moments; a teacher in bfloat16
    positions = training.batch * training.tokens
    layers, hidden = config["num_hidden_layers"], config["hidden_size"]
    at_once = min(positions, CHUNK_TOKENS) if training.gradient_checkpointing else positions
    logits = 4 * 4 * at_once * config["vocab_size"]
    narrow = 2 if training.compute == "bfloat16" else 4
    # Inputs and outputs of a layer's matrix products; all layers' without gradient checkpointing.
    layer = narrow * positions * (8 * hidden + 4 * config["intermediate_size"])
    if recipe.training.kernel == "sdpa":
        layer += (
            4 * training.batch * training.tokens**2 * config.get("num_key_value_heads", config["num_attention_heads"])
        )
    kept = layer + 4 * positions * hidden * layers if training.gradient_checkpointing else layer * layers
    return weights // processes + logits + kept


def check_memory(needed: int, device: torch.device) -> None:
    free = _free_bytes(device)
    if needed > free:
        raise BadInput(
            f"this run needs at least {needed / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are free; {ADVICE}"
        )


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            fields = dict(line.split(":") for line in file)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
