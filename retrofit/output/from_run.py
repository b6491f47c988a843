"""The newest checkpoint of a training run as a DMS checkpoint or in compact form."""

from pathlib import Path

import torch

from retrofit.errors import BadInput
from retrofit.model.checkpoint_files import read_json
from retrofit.output.compact import write_compact
from retrofit.output.export import export
from retrofit.training.recipe import Recipe, recipe_of
from retrofit.training.snapshot import Snapshot, read_snapshot, snapshots


def open_run(folder: Path) -> tuple[Recipe, Snapshot]:
    """The recipe and the newest checkpoint of a run."""
    path = folder / "recipe.json"
    recipe = recipe_of(read_json(path), str(path))
    found = snapshots(folder)
    if not found:
        raise BadInput(f"{folder}: no checkpoint in it; `python -m retrofit train` writes one")
    return recipe, read_snapshot(found[-1])


def export_run(folder: Path, out: Path | None, compact: Path | None, base_model: str) -> None:
    recipe, snapshot = open_run(folder)
    form = recipe.gates.gate_form()
    # A zeroing phase that was cut short, or gates before their first step, have nothing to merge.
    if snapshot.step <= recipe.schedule.zeroing_steps:
        raise BadInput(f"{folder}: stopped at step {snapshot.step}, before the gates were trained")
    if out is not None:
        export(Path(recipe.model), snapshot.trained, form, out, recipe.schedule.ratio(snapshot.step))
    if compact is not None:
        name = base_model or Path(recipe.model).name
        write_compact(compact, snapshot.trained, form, name, _facts(recipe, snapshot))


def _facts(recipe: Recipe, snapshot: Snapshot) -> dict[str, str]:
    """How it was trained, as text: a safetensors file's metadata holds nothing else."""
    training = recipe.training
    return {
        "trained_steps": str(snapshot.step),
        "trained_sequences_per_step": str(training.batch * training.accumulate),
        "trained_tokens_per_sequence": str(training.tokens),
        "trained_target_ratio": f"{recipe.schedule.ratio(snapshot.step):g}",
        "trained_seed": str(training.seed),
        "trained_with": f"torch {torch.__version__}",
    }
