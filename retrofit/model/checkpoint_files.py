"""The weight files of a Hugging Face directory, read tensor by tensor and checked before use."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from retrofit.errors import BadInput

ARCHITECTURES = ("llama", "qwen2", "qwen3")
INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"


class CheckpointFiles:
    """Names, shapes and tensors of a checkpoint; files are opened per use, nothing is held in memory."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        self.config = read_config(self.folder)
        self.files: dict[str, list[str]] = {}  # file name -> tensor names
        for file in self._file_names():
            with self._open(file) as opened:
                self.files[file] = list(opened.keys())

    def names(self) -> set[str]:
        return {name for names in self.files.values() for name in names}

    def tensor(self, name: str) -> torch.Tensor:
        for file, names in self.files.items():
            if name in names:
                with self._open(file) as opened:
                    return opened.get_tensor(name)
        raise BadInput(f"{self.folder}: tensor {name} is missing")

    def tensors_of(self, file: str) -> dict[str, torch.Tensor]:
        with self._open(file) as opened:
            return {name: opened.get_tensor(name) for name in opened.keys()}

    def parameter_count(self) -> int:
        count = 0
        for file, names in self.files.items():
            with self._open(file) as opened:
                count += sum(torch.Size(opened.get_slice(name).get_shape()).numel() for name in names)
        return count

    def _file_names(self) -> list[str]:
        index = self.folder / INDEX
        if not index.exists():
            return [SINGLE]
        names = sorted(set(read_json(index).get("weight_map", {}).values()))
        for name in names:
            if not isinstance(name, str) or Path(name).name != name:
                raise BadInput(f"{index}: {name!r} is not a plain file name")
        if not names:
            raise BadInput(f"{index}: weight_map is missing or empty")
        return names

    def _open(self, file: str):
        try:
            return safe_open(self.folder / file, framework="pt")
        except FileNotFoundError:
            raise BadInput(f"{self.folder / file}: no such file") from None
        except (SafetensorError, OSError) as error:
            raise BadInput(f"{self.folder / file}: not a complete safetensors file ({error})") from None


def read_json(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadInput(f"{path}: not readable as JSON ({error})") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path}: expected a JSON object")
    return content


def read_config(folder: Path) -> dict:
    """config.json of a supported architecture; anything else is refused with a reason."""
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder; expected a Hugging Face checkpoint directory")
    config = read_json(folder / "config.json")
    kind = config.get("model_type")
    if kind not in ARCHITECTURES:
        raise BadInput(f"{folder}/config.json: model_type is {kind!r}, expected one of {', '.join(ARCHITECTURES)}")
    if config.get("use_sliding_window"):
        raise BadInput(f"{folder}/config.json: use_sliding_window is true; DMS replaces full attention only")
    return config
