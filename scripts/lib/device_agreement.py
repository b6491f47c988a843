"""Whether a device decides as the CPU does on a checkpoint: gate logits within rounding, then the same live slots.

    python3 scripts/lib/device_agreement.py PROGRAM MODEL [--device cuda] [--tokens 384]

One JSON on standard output; exit status 0 if all of it agrees. Needs nothing but Python.

Rounding is measured, not assumed: the CPU's own fast kernels against its float32 reference, with nothing evicted. The
device's gate logits may differ from the reference by up to twice that. A gate logit nearer than that to the threshold may be
decided either way, and every later decision may follow from it; so live slots must be equal in each case up to the first
position at which one layer's decision was that near.
"""

import argparse
import array
import ast
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

SEED = 20


class Table:
    """A three-dimensional npy array: [layer][KV head][token]."""

    def __init__(self, path):
        data = path.read_bytes()
        size = int.from_bytes(data[8:10], "little")
        header = ast.literal_eval(data[10 : 10 + size].decode())
        self.layers, self.heads, self.tokens = header["shape"]
        self.values = array.array({"<f4": "f", "<i4": "i"}[header["descr"]], data[10 + size :])

    def at(self, layer, head, token):
        return self.values[(layer * self.heads + head) * self.tokens + token]

    def layer(self, layer, token):
        return [self.at(layer, head, token) for head in range(self.heads)]


class Scores:
    """What `dmscope score` says of the same tokens under different settings."""

    def __init__(self, program, model, folder, tokens, vocabulary):
        self.program, self.model, self.folder = program, model, folder
        draw = random.Random(SEED)
        (folder / "ids").write_text(" ".join(str(draw.randrange(vocabulary)) for _ in range(tokens)))

    def of(self, name, *options):
        paths = {kind: self.folder / f"{name}.{kind}.npy" for kind in ("logits", "gates", "live")}
        command = [self.program, "score", "--model", self.model, "--ids", self.folder / "ids", "--json"]
        for kind, path in paths.items():
            command += [f"--{kind}", path]
        done = subprocess.run([*command, *options], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode != 0:
            sys.exit(f"error: {name}: {done.stderr.decode(errors='replace').strip()}")
        summary = json.loads(done.stdout)
        return Table(paths["gates"]), Table(paths["live"]), summary, paths


def largest_difference(a, b):
    return max(abs(x - y) for x, y in zip(a.values, b.values, strict=True))


def first_difference(live, expected):
    """(token, layer) of the earliest one, in the order in which they were decided; None if there is none."""
    for token in range(live.tokens):
        for layer in range(live.layers):
            if live.layer(layer, token) != expected.layer(layer, token):
                return token, layer
    return None


def nearest_gate(gates, threshold, token, layer):
    """How near to the threshold any decision came that the live slots of (token, layer) may follow from."""
    earlier = ((t, l) for t in range(token + 1) for l in range(gates.layers) if t < token or l <= layer)
    return min(abs(value - threshold) for t, l in earlier for value in gates.layer(l, t))


def compare_live(name, found, expected, rounding):
    (_, live, summary, _), (gates, expected_live, _, _) = found, expected
    different = sum(a != b for a, b in zip(live.values, expected_live.values, strict=True))
    first = first_difference(live, expected_live)
    result = {
        "mode": name,
        "cells": len(live.values),
        "different": different,
        "compression_ratio": [summary["compression_ratio"], expected[2]["compression_ratio"]],
        "agrees": first is None,
    }
    if first is not None:
        nearest = nearest_gate(gates, summary["threshold"], *first)
        result |= {"first_difference": first, "nearest_gate": nearest, "agrees": nearest <= rounding}
    return result


def vocabulary_of(program, model):
    info = subprocess.run([program, "info", "--model", model, "--json"], capture_output=True, check=True)
    return json.loads(info.stdout)["model"]["vocab"]


def check(program, model, device, tokens):
    with tempfile.TemporaryDirectory() as scratch:
        scores = Scores(program, model, Path(scratch), tokens, vocabulary_of(program, model))
        on_cpu, there = ("--device", "cpu"), ("--device", device)
        dense = ("--policy", "dense")
        eagerly = ("--no-graph",) if device.startswith("cuda") else ()
        reference = scores.of("reference", *on_cpu, *dense, "--reference")[0]
        rounding = 2 * largest_difference(scores.of("cpu-dense", *on_cpu, *dense)[0], reference)
        gates = {
            mode: largest_difference(scores.of(f"dense-{mode}", *there, *dense, "--mode", mode)[0], reference)
            for mode in ("prefill", "decode")
        }
        live = []
        for mode in ("prefill", "decode"):
            expected = scores.of(f"cpu-{mode}", *on_cpu, "--mode", mode)
            live.append(compare_live(mode, scores.of(f"device-{mode}", *there, "--mode", mode), expected, rounding))
        graph = scores.of("graph", *there, "--mode", "decode")[3]
        eager = scores.of("eager", *there, "--mode", "decode", *eagerly)[3]
        same = all(graph[kind].read_bytes() == eager[kind].read_bytes() for kind in graph)
    agrees = all(value <= rounding for value in gates.values()) and all(row["agrees"] for row in live) and same
    return {
        "device": device,
        "tokens": tokens,
        "allowed_gate_difference": rounding,
        "gate_difference": gates,
        "live_slots": live,
        "graph_equals_eager": same,
        "agrees": agrees,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tokens", type=int, default=384)
    arguments = parser.parse_args()
    report = check(arguments.program, arguments.model, arguments.device, arguments.tokens)
    print(json.dumps(report, indent=1))
    return 0 if report["agrees"] else 1


if __name__ == "__main__":
    sys.exit(main())
