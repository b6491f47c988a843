"""A DMS checkpoint directory: the original's files with the trained weights merged in.

NVIDIA's layout (lag 1) has `dms_*` keys in config.json and, for an adapter, `self_attn.dms_proj_alpha*` tensors;
FastDMS's (lag 0) has dms_metadata.json beside the weights. Shards keep their names and tensors; one is in memory at a
time.
"""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from retrofit.model.checkpoint_files import INDEX, CheckpointFiles, read_json
from retrofit.model.gate_form import GateForm
from retrofit.output.publish import new_folder
from retrofit.output.trained import Tensors, adapter_tensors, check_complete, merged

COPIED = ("generation_config.json", "chat_template.jinja", "tokenizer*", "special_tokens_map.json")
COPIED += ("added_tokens.json", "vocab.json", "merges.txt", "LICENSE*")


def export(source: Path, trained: Tensors, form: GateForm, folder: Path, target_ratio: float | None = None) -> None:
    """Writes `folder` from the plain checkpoint `source`; nothing is left of it if that fails."""
    files = CheckpointFiles(source)
    check_complete(trained, files, form)
    with new_folder(folder) as partial:
        added = {name: tensor.to(_type_of(files)) for name, tensor in adapter_tensors(trained).items()}
        for number, file in enumerate(files.files):
            tensors = files.tensors_of(file)
            tensors = {name: merged(name, tensor, trained, form, files.config) for name, tensor in tensors.items()}
            tensors |= added if number == 0 else {}
            save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, partial / file, {"format": "pt"})
        if (files.folder / INDEX).exists():
            _write_json(partial / INDEX, _index(files, added))
        _write_json(partial / "config.json", _config(files.config, form, target_ratio))
        if form.lag == 0:
            _write_json(partial / "dms_metadata.json", form.fastdms_metadata(target_ratio))
        for pattern in COPIED:
            for path in files.folder.glob(pattern):
                shutil.copyfile(path, partial / path.name)


def _type_of(files: CheckpointFiles) -> torch.dtype:
    return files.tensor("model.embed_tokens.weight").dtype


def _config(config: dict, form: GateForm, target_ratio: float | None) -> dict:
    if form.lag == 0:
        return config
    if config["model_type"] == "qwen3":  # the class of NVIDIA's code; it has none for the others
        config = config | {"architectures": ["Qwen3ForCausalLMDMS"]}
    return config | form.config_keys(target_ratio)


def _index(files: CheckpointFiles, added: Tensors) -> dict:
    index = read_json(files.folder / INDEX)
    first = next(iter(files.files))
    index["weight_map"] |= {name: first for name in added}
    if "total_size" in index.get("metadata", {}):
        index["metadata"]["total_size"] += sum(tensor.nbytes for tensor in added.values())
    return index


def _write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
