"""The files of a checkout: what git tracks or would track; everything but build/ where git does not answer."""

import os
import shutil
import subprocess
from pathlib import Path

MODULES = ("kernels", "engine", "profiling", "app")


def files(root):
    """Paths relative to `root`, sorted."""
    root = Path(root)
    tracked = git_files(root)
    if tracked is not None:
        return sorted(path for path in tracked if (root / path).is_file())
    found = []
    for folder, folders, names in os.walk(root):
        inside = Path(folder).relative_to(root)
        skipped = {"__pycache__", ".git"} | ({"build"} if inside == Path(".") else set())
        folders[:] = [name for name in folders if name not in skipped]
        found += [inside / name for name in names]
    return sorted(found)


def git_files(root):
    """What git answers; None without git, outside of a checkout, or where git refuses to look."""
    if not (root / ".git").exists() or not shutil.which("git"):
        return None
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    run = subprocess.run(command, capture_output=True, check=False)
    return [Path(os.fsdecode(name)) for name in run.stdout.split(b"\0") if name] if run.returncode == 0 else None


def sources(root, *tops):
    """C++ sources and headers below the given folders."""
    suffixes = {".hpp", ".cpp", ".cu", ".cuh"}
    return [path for path in files(root) if path.suffix in suffixes and path.parts[0] in tops]


def report(violations):
    """Prints what is wrong; the exit status."""
    for violation in violations:
        print(violation)
    print(f"{len(violations)} violations")
    return 1 if violations else 0
