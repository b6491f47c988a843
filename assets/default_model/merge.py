"""A plain checkpoint and a compact file of trained DMS weights, merged into a DMS checkpoint in NVIDIA's layout.

The compact file holds, per layer, the gate adapter (`self_attn.dms_proj_alpha*`, copied) and low-rank updates of
the attention projections (`{q,k,v,o}_proj.lora_{A,B}.weight`, merged as W + B @ A). Its metadata names the
checkpoint's DMS properties, which become `dms_*` keys of config.json.
"""

import json
import re
import shutil

import safetensors_file
from bf16 import from_bf16, to_bf16

LORA = re.compile(r"(.*_proj)\.lora_([AB])\.weight")
ADAPTER = re.compile(r"model\.layers\.\d+\.self_attn\.dms_proj_alpha(_norm)?\.weight")
COPIED_FILES = ("generation_config.json", "tokenizer.json", "tokenizer_config.json")


def merge(plain_folder, compact_path, folder, progress=lambda done, total: None):
    """Writes the DMS checkpoint into `folder`."""
    plain = safetensors_file.Reader(plain_folder / "model.safetensors")
    compact = safetensors_file.Reader(compact_path)
    config = json.loads((plain_folder / "config.json").read_text(encoding="utf-8"))
    config |= dms_keys(compact.metadata, compact_path)
    check_parts(plain, compact, config)

    names = plain.names() + [name for name in compact.names() if ADAPTER.fullmatch(name)]
    done = 0

    def load(name):
        nonlocal done
        done += 1
        progress(done, len(names))
        if name not in plain.names():
            return compact.bits(name)
        update = name.removesuffix("weight") + "lora_{}.weight"
        if update.format("A") not in compact.names():
            return plain.bits(name)
        return merged(plain.bits(name), compact.bits(update.format("B")), compact.bits(update.format("A")))

    shapes = {name: (plain if name in plain.names() else compact).shape(name) for name in names}
    tensors = [(name, shapes[name], lambda name=name: load(name)) for name in names]
    safetensors_file.write(folder / "model.safetensors", tensors, {"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    for name in COPIED_FILES:
        shutil.copyfile(plain_folder / name, folder / name)


def merged(weight, lora_b, lora_a):
    """Bits of W + B @ A, computed in float32 and rounded once."""
    return to_bf16(from_bf16(weight) + from_bf16(lora_b) @ from_bf16(lora_a))


def dms_keys(metadata, compact_path):
    """NVIDIA's config keys from the compact file's metadata, whose values are all text."""

    def value(key):
        if key not in metadata:
            raise ValueError(f"{compact_path}: the metadata lacks {key}")
        return metadata[key]

    if value("lag") != "1" or value("dms_separate_alpha") != "true" or value("merge") != "W + B @ A":
        raise ValueError(f"{compact_path}: expected an adapter of lag 1 with updates to merge as W + B @ A")
    return {
        "dms_alpha_per": value("dms_alpha_per"),
        "dms_alpha_scale": float(value("dms_alpha_scale")),
        "dms_disable_eviction": False,
        "dms_initial_alpha_offset": float(value("dms_initial_alpha_offset")),
        "dms_separate_alpha": True,
        "dms_window_size": int(value("dms_window_size")),
    }


def check_parts(plain, compact, config):
    """Every compact tensor must be of use, and every layer must have its gate."""
    for name in compact.names():
        update = LORA.fullmatch(name)
        if update:
            target = update[1] + ".weight"
            if target not in plain.names():
                raise ValueError(f"{compact.path}: {name} updates {target}, which the model lacks")
            rows = compact.shape(update[1] + ".lora_B.weight")
            columns = compact.shape(update[1] + ".lora_A.weight")
            if rows[1] != columns[0] or (rows[0], columns[1]) != plain.shape(target):
                raise ValueError(f"{compact.path}: {name} does not fit {target} of {plain.shape(target)}")
        elif not ADAPTER.fullmatch(name):
            raise ValueError(f"{compact.path}: unexpected tensor {name}")
    gates = (config["num_key_value_heads"], config["hidden_size"])
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}.self_attn.dms_proj_alpha"
        for name, shape in ((f"{prefix}.weight", gates), (f"{prefix}_norm.weight", gates[1:])):
            if name not in compact.names() or compact.shape(name) != shape:
                raise ValueError(f"{compact.path}: expected tensor {name} of {shape}")
