#!/usr/bin/env python3
"""Runs `dmscope score` on every fixture and compares with the stored results. Needs NumPy alone.

Usage:   check_score.py DMSCOPE [--only TEXT] [--modes prefill,decode] [--paths reference,default] [--jobs N]
         [-- ARGS...]   ARGS go to every run, e.g. --threads 1
Exit:    0 all agree, 1 something differs (one line each on stdout), 2 bad usage

Reference path: logits within 2e-4 of the largest one, gates within 2e-3, live counts equal.
Default path:   logits within 2 % relative RMS, gates within 0.25 + 1 %; live counts equal, since the fixtures hold no
                decision that this tolerance could flip.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

FIXTURES = Path(__file__).parent / "fixtures"
RUN_LIMIT_S = 120


def run_score(binary, case, mode, path, extra, out):
    """Returns the arrays that were written, or raises RuntimeError with the program's words."""
    expected = FIXTURES / case["expected"]
    wanted = ["logits", "live"] + (["gates"] if case["gates"] else [])
    command = [binary, "score", "--model", FIXTURES / case["model"], "--ids", expected / "ids.txt", "--mode", mode]
    for name in wanted:
        command += [f"--{name}", out / f"{name}.npy"]
    command += case["arguments"] + (["--reference"] if path == "reference" else []) + extra
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=RUN_LIMIT_S)
    if done.returncode != 0:
        first_line = (done.stderr.splitlines() or ["no message"])[0]
        raise RuntimeError(f"exit status {done.returncode}: {first_line}")
    return {name: np.load(out / f"{name}.npy") for name in wanted}


def logits_problem(got, want, path):
    error = np.abs(got - want).max() / np.abs(want).max()
    rms = np.linalg.norm(got - want) / np.linalg.norm(want)
    if path == "reference":
        return None if error <= 2e-4 else f"logits off by {error:.2e} of the largest (limit 2e-4)"
    return None if rms <= 0.02 else f"logits off by {rms:.4f} relative RMS (limit 0.02)"


def gates_problem(got, want, path):
    undecided = np.isnan(want)
    if not np.array_equal(np.isnan(got), undecided):
        return f"gates: {np.isnan(got).sum()} undecided, expected {undecided.sum()} (or others)"
    limit = 2e-3 if path == "reference" else 0.25 + 0.01 * np.abs(want)
    excess = np.where(undecided, -1.0, np.abs(got - want) - limit)
    if excess.max() <= 0.0:
        return None
    layer, head, token = np.unravel_index(excess.argmax(), excess.shape)
    value, expected = got[layer, head, token], want[layer, head, token]
    return f"gate of layer {layer} head {head} token {token}: {value}, expected {expected}"


def live_problem(got, want, path):
    del path
    if np.array_equal(got, want):
        return None
    layer, head, step = np.argwhere(got != want)[0]
    count, expected = got[layer, head, step], want[layer, head, step]
    return f"live slots of layer {layer} head {head} at step {step}: {count}, expected {expected}"


PROBLEMS = {"logits": logits_problem, "gates": gates_problem, "live": live_problem}
TYPES = {"logits": np.float32, "gates": np.float32, "live": np.int32}


def compare(arrays, case, path):
    problems = []
    for name, got in arrays.items():
        want = np.load(FIXTURES / case["expected"] / f"{name}.npy")
        if got.shape != want.shape or got.dtype != TYPES[name]:
            problems.append(f"{name}: {got.dtype} {got.shape}, expected {want.dtype} {want.shape}")
        elif name != "gates" and not np.isfinite(got).all():
            problems.append(f"{name}: not finite")
        else:
            problems.append(PROBLEMS[name](got, want, path))
    return [problem for problem in problems if problem]


def check(binary, case, mode, path, extra):
    with tempfile.TemporaryDirectory() as out:
        try:
            return compare(run_score(binary, case, mode, path, extra, Path(out)), case, path)
        except (RuntimeError, subprocess.TimeoutExpired, OSError, ValueError) as error:
            return [str(error)]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary")
    options.add_argument("--only", default="", help="cases whose name contains this")
    options.add_argument("--modes", default="prefill,decode")
    options.add_argument("--paths", default="reference,default")
    options.add_argument("--jobs", type=int, default=2)
    separator = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    chosen, extra = options.parse_args(sys.argv[1:separator]), sys.argv[separator + 1 :]

    cases = [c for c in json.loads((FIXTURES / "cases.json").read_text()) if chosen.only in c["name"]]
    runs = [(c, m, p) for c in cases for m in chosen.modes.split(",") for p in chosen.paths.split(",")]
    if not runs:
        options.error(f"no case contains {chosen.only!r}")
    with ThreadPoolExecutor(chosen.jobs) as pool:
        found = list(pool.map(lambda run: check(chosen.binary, *run, extra), runs))
    for (case, mode, path), problems in zip(runs, found):
        for problem in problems:
            print(f"{case['name']} {mode} {path}: {problem}")
    failed = sum(bool(problems) for problems in found)
    print(f"{len(runs) - failed} of {len(runs)} runs agree")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
