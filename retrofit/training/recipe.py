"""A training run in one TOML file: model, gates, loss, schedule, data. Every key is checked; none is ignored."""

import dataclasses
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from retrofit.errors import BadInput
from retrofit.model.gate_form import GateForm
from retrofit.training.schedule import Schedule

CHOICES = {
    "mode": ("low-rank", "full"),
    "form": ("adapter", "borrowed"),
    "per": ("head", "layer"),
    "direction": ("forward", "reverse"),
    "weights": ("float32", "bfloat16"),
    "compute": ("float32", "bfloat16"),
    "kernel": ("sdpa", "flex"),
    "device": ("auto", "cpu", "cuda"),
}


@dataclass(frozen=True)
class Gates:
    form: str = "adapter"  # or "borrowed"
    lag: int = 1  # 0: FastDMS's form
    window: int = 128
    scale: float = 100.0
    offset: float = 5.0
    per: str = "head"  # or "layer"
    tau: float = 0.1  # temperature of the Gumbel-sigmoid

    def gate_form(self) -> GateForm:
        return GateForm(self.form == "adapter", self.lag, self.window, self.scale, self.offset, self.per == "layer")


@dataclass(frozen=True)
class Loss:
    direction: str = "forward"  # KL(teacher || student); "reverse" is KL(student || teacher)
    pressure: float = 5.0  # weight of the one-sided L1
    answer_weight: float = 1.0  # of the tokens of a task's answer, against 1 for every other token


@dataclass(frozen=True)
class Training:
    mode: str = "low-rank"  # or "full"
    rank: int = 16
    steps: int = 1000
    tokens: int = 4096  # length of a sequence
    batch: int = 1  # sequences of a micro-batch, per process
    accumulate: int = 1  # micro-batches of a step
    seed: int = 1
    gate_rate: float = 2e-5
    low_rank_rate: float = 5e-4
    full_rate: float = 1e-5
    warmup_steps: int = 0
    decay_steps: int = 0  # the last steps, over which the rates fall linearly to zero
    beta1: float = 0.9
    beta2: float = 0.95
    clip: float = 1.0
    weights: str = "float32"  # how the frozen weights are held; full fine-tuning holds float32
    compute: str = "bfloat16"  # autocast; "float32" turns it off
    kernel: str = "sdpa"  # "flex" holds no mask in memory; CUDA only
    gradient_checkpointing: bool = True
    device: str = "auto"
    threads: int = 0  # 0: PyTorch's choice
    checkpoint_every: int = 50
    keep_checkpoints: int = 2
    evaluate_every: int = 100
    evaluate_sequences: int = 4


@dataclass(frozen=True)
class Data:
    folder: str = ""  # what `retrofit data` made
    text: float = 0.6  # shares of the sequences
    tasks: float = 0.4
    answers: float = 0.0  # needs answers sampled from the model in `folder`
    repeated: float = 0.0  # share of the tasks that hide their facts in a few sentences over and over, not in prose


@dataclass(frozen=True)
class Recipe:
    model: str = ""
    start: str = ""  # compact file of gates and updates to go on from
    gates: Gates = field(default_factory=Gates)
    loss: Loss = field(default_factory=Loss)
    schedule: Schedule = field(default_factory=Schedule)
    training: Training = field(default_factory=Training)
    data: Data = field(default_factory=Data)

    def fingerprint(self) -> str:
        """What must be the same for a run to be resumed; steps, devices and paths may change."""
        content = dataclasses.asdict(self)
        content.pop("model")
        content["start"] = bool(content["start"])
        content["data"].pop("folder")
        for key in ("steps", "decay_steps", "device", "threads", "kernel", "gradient_checkpointing"):
            content["training"].pop(key)
        for key in ("checkpoint_every", "keep_checkpoints", "evaluate_every", "evaluate_sequences"):
            content["training"].pop(key)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def read_recipe(path: Path, changes: list[str] = ()) -> Recipe:
    """The recipe of a file, with `section.key=value` changes from the command line."""
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{path}: not readable as TOML ({error})") from None
    for change in changes:
        _apply(content, change)
    return recipe_of(content, str(path))


def recipe_of(content: dict, source: str) -> Recipe:
    recipe = _build(Recipe, content, source, "")
    _check(recipe, source)
    return recipe


def _apply(content: dict, change: str) -> None:
    name, equals, value = change.partition("=")
    section, dot, key = name.rpartition(".")
    if not equals:
        raise BadInput(f"--set {change}: expected section.key=value")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value  # a word without quotes
    (content.setdefault(section, {}) if dot else content)[key] = parsed


def _build(kind: type, content: dict, source: str, prefix: str):
    fields = {item.name: item for item in dataclasses.fields(kind)}
    values = {}
    for key, value in content.items():
        if key not in fields:
            raise BadInput(f"{source}: unknown key {prefix}{key}; expected one of {', '.join(fields)}")
        expected = fields[key].type
        if dataclasses.is_dataclass(expected):
            if not isinstance(value, dict):
                raise BadInput(f"{source}: {key} must be a table")
            values[key] = _build(expected, value, source, f"{key}.")
        else:
            values[key] = _value(value, expected, key, f"{source}: {prefix}{key}")
    return kind(**values)


def _value(value, expected: type, key: str, name: str):
    if expected is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not expected:
        raise BadInput(f"{name} is {value!r}, expected {expected.__name__}")
    if key in CHOICES and value not in CHOICES[key]:
        raise BadInput(f"{name} is {value!r}, expected one of {', '.join(CHOICES[key])}")
    return value


def _check(recipe: Recipe, source: str) -> None:
    training, schedule, data = recipe.training, recipe.schedule, recipe.data
    at_least = {
        "training.rank": (training.rank, 1),
        "training.steps": (training.steps, 1),
        "training.tokens": (training.tokens, 16),
        "training.batch": (training.batch, 1),
        "training.accumulate": (training.accumulate, 1),
        "training.checkpoint_every": (training.checkpoint_every, 1),
        "training.keep_checkpoints": (training.keep_checkpoints, 1),
        "training.evaluate_every": (training.evaluate_every, 1),
        "training.evaluate_sequences": (training.evaluate_sequences, 1),
        "schedule.first_ratio": (schedule.first_ratio, 1),
        "schedule.final_ratio": (schedule.final_ratio, schedule.first_ratio),
        "schedule.steps_per_ratio": (schedule.steps_per_ratio, 1),
        "schedule.zeroing_steps": (schedule.zeroing_steps, 0),
        "schedule.highest_threshold": (schedule.highest_threshold, 0),
        "schedule.ratio_at_highest": (schedule.ratio_at_highest, 1),
        "data.text": (data.text, 0),
        "data.tasks": (data.tasks, 0),
        "data.answers": (data.answers, 0),
        "data.repeated": (data.repeated, 0),
        "loss.pressure": (recipe.loss.pressure, 0),
    }
    for name, (value, least) in at_least.items():
        if not value >= least:
            raise BadInput(f"{source}: {name} is {value}, expected {least:g} or more")
    if not recipe.gates.tau > 0:
        raise BadInput(f"{source}: gates.tau is {recipe.gates.tau}, expected more than 0")
    if data.text + data.tasks + data.answers <= 0:
        raise BadInput(f"{source}: data.text, data.tasks and data.answers are all 0")
    if data.repeated > 1:
        raise BadInput(f"{source}: data.repeated is {data.repeated}, expected a share of at most 1")
    if recipe.start and (training.mode == "full" or recipe.gates.form != "adapter"):
        raise BadInput(f"{source}: start takes gate adapters and low-rank updates; the recipe trains others")
    if training.weights == "bfloat16" and (training.compute != "bfloat16" or training.mode == "full"):
        raise BadInput(f"{source}: training.weights bfloat16 needs low-rank mode and training.compute bfloat16")
    if schedule.ratio_at_highest > 1 and not schedule.highest_threshold:
        raise BadInput(f"{source}: schedule.ratio_at_highest is for a schedule.highest_threshold above 0")
    if schedule.zeroing_steps and recipe.gates.form == "adapter":
        raise BadInput(f"{source}: schedule.zeroing_steps is for a borrowed neuron; the gates are an adapter")
    recipe.gates.gate_form()
