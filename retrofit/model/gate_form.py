"""How a checkpoint expresses its eviction decisions.

A decision logit z per (layer, KV head, token) marks the token for eviction where z > threshold. It comes from a
separate adapter on the layer's input, z = W_alpha RMSNorm(x) * scale - offset, or from a borrowed neuron, the last
channel of the first query head of each group: z = q * scale - offset (after the query norm, before RoPE).

NVIDIA's form has lag 1 (the logit computed at token t + 1 judges token t) and a borrowed channel that is zero before
and after RoPE; FastDMS's form has lag 0, zeroes before RoPE only, and knows no adapter.
"""

from dataclasses import dataclass
from pathlib import Path

from retrofit.errors import BadInput
from retrofit.model.checkpoint_files import read_json

NVIDIA_DEFAULTS = {
    "dms_alpha_scale": 100.0,
    "dms_initial_alpha_offset": 5.0,
    "dms_window_size": 512,
    "dms_separate_alpha": False,
    "dms_alpha_per": "head",
    "dms_disable_eviction": False,
}


@dataclass(frozen=True)
class GateForm:
    adapter: bool = True
    lag: int = 1
    window: int = 128
    scale: float = 100.0
    offset: float = 5.0
    per_layer: bool = False  # every head of a layer follows head 0's decision
    disabled: bool = False  # gates are computed, nothing is evicted

    def __post_init__(self):
        for name, kinds in (("window", int), ("scale", (int, float)), ("offset", (int, float)), ("adapter", bool)):
            value = getattr(self, name)
            if not isinstance(value, kinds) or (kinds is not bool and isinstance(value, bool)) or value != value:
                raise BadInput(f"DMS {name} is {value!r}, expected {'true or false' if kinds is bool else 'a number'}")
        if self.lag not in (0, 1):
            raise BadInput(f"lag {self.lag}: expected 1 (NVIDIA's form) or 0 (FastDMS's)")
        if self.lag == 0 and (self.adapter or self.per_layer or self.disabled):
            raise BadInput("lag 0 (FastDMS's form) has a borrowed neuron per head, no adapter and no layer-wide gates")
        if self.window < 0:
            raise BadInput(f"window {self.window}: expected 0 or more")

    @property
    def zero_after_rope(self) -> bool:
        return self.lag == 1

    def config_keys(self, target_ratio: float | None = None) -> dict:
        """NVIDIA's keys of config.json."""
        keys = {
            "dms_alpha_per": "layer" if self.per_layer else "head",
            "dms_alpha_scale": self.scale,
            "dms_disable_eviction": self.disabled,
            "dms_initial_alpha_offset": self.offset,
            "dms_separate_alpha": self.adapter,
            "dms_window_size": self.window,
        }
        # NVIDIA's code documents the ratio as an integer.
        return keys | ({} if target_ratio is None else {"dms_cr": round(target_ratio)})

    def fastdms_metadata(self, target_ratio: float | None = None) -> dict:
        """The content of dms_metadata.json, FastDMS's form."""
        metadata = {"window_size": self.window, "alpha_scale": self.scale, "alpha_offset": self.offset}
        return metadata | ({} if target_ratio is None else {"target_cr": target_ratio})


def read_gate_form(folder: Path) -> GateForm | None:
    """The form of a checkpoint; None for a plain one. FastDMS's metadata wins over dms_* keys of config.json."""
    metadata = _fastdms_metadata(folder)
    if metadata is not None:
        return GateForm(
            adapter=False,
            lag=0,
            window=metadata.get("window_size", 256),
            scale=metadata.get("alpha_scale", 100.0),
            offset=metadata.get("alpha_offset", 5.0),
        )
    config = read_json(folder / "config.json")
    if not any(key.startswith("dms_") for key in config):
        return None
    keys = NVIDIA_DEFAULTS | config
    if keys["dms_alpha_per"] not in ("head", "layer"):
        raise BadInput(f'{folder}/config.json: dms_alpha_per is {keys["dms_alpha_per"]!r}, expected "head" or "layer"')
    return GateForm(
        adapter=keys["dms_separate_alpha"],
        lag=1,
        window=keys["dms_window_size"],
        scale=keys["dms_alpha_scale"],
        offset=keys["dms_initial_alpha_offset"],
        per_layer=keys["dms_alpha_per"] == "layer",
        disabled=keys["dms_disable_eviction"],
    )


def _fastdms_metadata(folder: Path) -> dict | None:
    beside = folder / "dms_metadata.json"
    if beside.exists():
        content = read_json(beside)
        return content.get("config", content)
    above = folder.resolve().parent / "training_log.json"
    return read_json(above).get("config", {}) if above.exists() else None
