"""Brings the sources of Dear ImGui, ImPlot, GLFW and their fonts into a folder of the build.

    fetch_imgui_bundle.py TARGET [ARCHIVE]

TARGET becomes the unpacked parts of the source distribution of imgui-bundle; what is there already is left alone.
Without ARCHIVE it is downloaded with pip, from whatever index the user's pip is configured for.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

NAME = "imgui-bundle"
VERSION = "1.93.0"
SHA256 = "10ad1dab8258a6787b4f07bb926b08d0efc648a7906242568c8dd778c5e719bf"
# pip asks a source distribution's build backend for its metadata before it hands it out.
BACKEND = "scikit-build-core>=0.10"
TRIES = 3
PARTS = (
    "LICENSE",
    "external/glfw/glfw/",
    "external/imgui/imgui/",
    "external/implot/implot/",
    "external/imgui_test_engine/imgui_test_engine/imgui_test_engine/",
    "bindings/imgui_bundle/assets/fonts/Font_Awesome_6_Free-Solid-900.otf",
)


class Broken(Exception):
    pass


def run(*command):
    if subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, check=False).returncode != 0:
        raise Broken("pip failed, its reason is above (no network? no package index? a full disk?)")


def download(folder, attempt):
    """One try: a virtual environment with the build backend, then the source distribution."""
    venv = folder / f"venv{attempt}"
    run(sys.executable, "-m", "venv", venv)
    pip = (venv / "bin/python", "-m", "pip", "--disable-pip-version-check", "--retries", "1")
    fresh = ("--no-cache-dir",) if attempt > 1 else ()  # what came broken once may lie in pip's cache
    run(*pip, "install", "--quiet", *fresh, BACKEND)
    run(*pip, "download", "--quiet", *fresh, "--no-deps", "--no-build-isolation", "--no-binary", ":all:",
        "--dest", folder, f"{NAME}=={VERSION}")
    archives = list(folder.glob("*.tar.gz"))
    if len(archives) != 1:
        raise Broken(f"pip left {len(archives)} archives, expected one")
    return archives[0]


def verify(archive):
    with open(archive, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != SHA256:
        raise Broken(f"{archive.name} has SHA-256 {digest.hexdigest()}, expected {SHA256}")
    return archive


def downloaded(folder, fetch=download, pause_seconds=2):
    """The verified archive in `folder`, after at most TRIES tries."""
    for attempt in range(1, TRIES + 1):
        try:
            return verify(fetch(folder, attempt))
        except Broken as error:
            print(f"download {attempt} of {TRIES} failed: {error}", file=sys.stderr)
            for leftover in folder.glob("*.tar.gz"):
                leftover.unlink()
            if attempt == TRIES:
                raise
            time.sleep(pause_seconds)


def wanted(member):
    """The member's path below the archive's top folder if it is a file of PARTS, else None."""
    path = member.name.partition("/")[2]
    if not member.isfile() or ".." in Path(path).parts:
        return None
    return path if path.startswith(PARTS) else None


def unpack(archive, target):
    """Renamed into place when complete, so that an interrupted run leaves nothing half done."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpack-") as scratch:
        with tarfile.open(archive) as tar:
            for member in tar:
                path = wanted(member)
                if path is None:
                    continue
                file = Path(scratch) / "parts" / path
                file.parent.mkdir(parents=True, exist_ok=True)
                with tar.extractfile(member) as source, open(file, "wb") as copy:
                    shutil.copyfileobj(source, copy)
        (Path(scratch) / "parts").rename(target)


def main(target, archive=None):
    target = Path(target)
    if (target / "LICENSE").is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".download-") as folder:
        unpack(verify(Path(archive)) if archive else downloaded(Path(folder)), target)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (Broken, OSError, tarfile.TarError) as problem:
        sys.exit(f"error: {NAME} {VERSION} could not be set up: {problem}")
