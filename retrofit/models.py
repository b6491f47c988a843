"""Where a checkpoint is: a folder, or the name of one in DMScope's folder of models."""

import os
from pathlib import Path

from retrofit.errors import BadInput


def model_folder(name: str) -> Path:
    """`name` with a slash, or of an existing folder, is a path; otherwise it is looked up among DMScope's models."""
    if not name:
        raise BadInput("no model is given: set model in the recipe, or --model DIR")
    path = Path(name).expanduser()
    if path.is_dir() or "/" in name:
        return path
    cache = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(cache) if os.path.isabs(cache) else Path.home() / ".cache"
    known = base / "dmscope" / "models" / name
    if not known.is_dir():
        raise BadInput(f"{name}: neither a folder nor a model in {known.parent} (scripts/run fetches the default ones)")
    return known
