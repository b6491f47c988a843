"""The folder of models: each checkpoint is complete under its name, or absent.

A checkpoint is written under a name that starts with `.partial-` and renamed when it is complete; what an
interrupted set-up left is removed by the next. A lock keeps two set-ups apart. A stamp in the folder says which
recipe made it, so that a newer recipe replaces it.
"""

import fcntl
import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

STAMP = ".recipe"


def default_folder():
    cache = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(cache) if os.path.isabs(cache) else Path.home() / ".cache"
    return base / "dmscope" / "models"


def is_ready(folder, recipe):
    """True where `folder` was made by `recipe` and its weights still have the size they were written with."""
    try:
        return (folder / STAMP).read_text() == stamp(folder, recipe)
    except OSError:
        return False


def stamp(folder, recipe):
    return f"{recipe}\n{(folder / 'model.safetensors').stat().st_size}\n"


@contextmanager
def lock(models):
    models.mkdir(parents=True, exist_ok=True)
    with open(models / ".lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another set-up of the models to finish", file=sys.stderr)
            fcntl.flock(file, fcntl.LOCK_EX)
        remove_leftovers(models)
        yield


def remove_leftovers(models):
    for leftover in models.glob(".partial-*"):
        shutil.rmtree(leftover)


@contextmanager
def scratch(models, name):
    """A folder to work in, removed afterwards whatever happens. Needs the lock."""
    folder = models / f".partial-{name}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def publish(final, recipe):
    """A folder to write a checkpoint to, renamed to `final` if the body succeeds. Needs the lock."""
    with scratch(final.parent, final.name) as partial:
        yield partial
        (partial / STAMP).write_text(stamp(partial, recipe))
        if final.exists():
            with scratch(final.parent, "old") as old:
                final.rename(old / "replaced")
                partial.rename(final)
        else:
            partial.rename(final)
