"""Resumable checkpoints of a run: `RUN/step-000100/` with trained weights, optimizer and what they belong to.

A checkpoint is written beside its name and renamed when complete; the newest complete one is what a run resumes from.
"""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from retrofit.errors import BadInput
from retrofit.model.checkpoint_files import read_json
from retrofit.output.publish import new_folder
from retrofit.output.trained import Tensors

NAME = re.compile(r"step-(\d{6,})")


@dataclass
class Snapshot:
    step: int
    fingerprint: str
    trained: Tensors
    optimizer: dict  # state per parameter name


def write_snapshot(run: Path, snapshot: Snapshot, keep: int) -> Path:
    folder = run / f"step-{snapshot.step:06d}"
    if folder.exists():
        return folder
    with new_folder(folder) as partial:
        save_file({name: t.contiguous() for name, t in snapshot.trained.items()}, partial / "trained.safetensors")
        torch.save(snapshot.optimizer, partial / "optimizer.pt")
        state = {"step": snapshot.step, "recipe": snapshot.fingerprint}
        (partial / "state.json").write_text(json.dumps(state) + "\n", encoding="utf-8")
    for old in snapshots(run)[:-keep]:
        shutil.rmtree(old)
    return folder


def snapshots(run: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    found = [path for path in run.glob("step-*") if NAME.fullmatch(path.name)] if run.is_dir() else []
    return sorted(found, key=lambda path: int(NAME.fullmatch(path.name)[1]))


def read_snapshot(folder: Path) -> Snapshot:
    state = read_json(folder / "state.json")
    try:
        trained = load_file(folder / "trained.safetensors")
        optimizer = torch.load(folder / "optimizer.pt", weights_only=True)
    except Exception as error:  # torch and safetensors raise many kinds
        raise BadInput(
            f"{folder}: the checkpoint is damaged ({error}); remove it to resume from an older one"
        ) from None
    return Snapshot(state["step"], state["recipe"], trained, optimizer)


def newest(run: Path, fingerprint: str) -> Snapshot | None:
    """What to resume from; refuses a folder of another recipe's run."""
    folders = snapshots(run)
    if not folders:
        return None
    snapshot = read_snapshot(folders[-1])
    if snapshot.fingerprint != fingerprint:
        raise BadInput(f"{run}: holds a run of another recipe; give a new folder for this one")
    return snapshot
