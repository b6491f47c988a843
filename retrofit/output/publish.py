"""Files and folders that appear under their name when they are complete, or not at all."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from retrofit.errors import BadInput


@contextmanager
def new_folder(final: Path):
    """A folder to write to, renamed to `final` if the body succeeds, removed otherwise."""
    final = Path(final)
    if final.exists() and (not final.is_dir() or any(final.iterdir())):
        raise BadInput(f"{final}: exists and is not an empty folder; give a new name")
    final.parent.mkdir(parents=True, exist_ok=True)
    partial = final.parent / f".partial-{final.name}"
    shutil.rmtree(partial, ignore_errors=True)  # what an interrupted run left
    partial.mkdir()
    try:
        yield partial
        _sync(partial)
        if final.exists():
            final.rmdir()
        partial.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def new_file(final: Path):
    """A path to write to, renamed to `final` (replacing it) if the body succeeds."""
    final = Path(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    partial = final.parent / f".partial-{final.name}"
    try:
        yield partial
        partial.chmod(0o666 & ~_umask())  # safetensors writes files that only their owner can read
        with open(partial, "rb") as file:
            os.fsync(file.fileno())
        partial.rename(final)
    finally:
        partial.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync(folder: Path) -> None:
    """A rename must not reach the disk before the content does."""
    for path in folder.iterdir():
        with open(path, "rb") as file:
            os.fsync(file.fileno())
