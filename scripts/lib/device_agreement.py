"""Whether a device decides as the CPU does on a checkpoint: gate logits within rounding, then the same live slots.

    python3 scripts/lib/device_agreement.py PROGRAM MODEL [--device cuda] [--tokens 256]

One JSON on standard output; exit status 0 if all of it agrees. Needs nothing but Python.

Rounding is measured, not assumed, in prefill and in decode: the CPU's own fast kernels against its float32 reference, with
nothing evicted. The device's gate logits may differ from the reference by up to twice that, at most and at the 99.9th
percentile. A gate logit nearer than that to the threshold may be decided either way, which shows in its head's live slots a
window later. From then on every other head sees another text, and decides otherwise a window after that. So where live slots
differ, a head must have such a gate of its own, unless it differs more than a window after the first one.
"""

import argparse
import array
import ast
import json
import math
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


def differences(a, b):
    """Of values that are numbers, ascending; None where one is not a number and the other is."""
    found = []
    for x, y in zip(a.values, b.values, strict=True):
        if math.isnan(x) != math.isnan(y):
            return None
        if not math.isnan(x):
            found.append(abs(x - y))
    return sorted(found)


def extremes(values):
    """The largest and the 99.9th percentile."""
    return [values[-1], values[min(len(values) - 1, len(values) * 999 // 1000)]]


def compare_gates(found, on_cpu, reference):
    """How far a device is from the reference, beside how far it may be."""
    allowed = [2 * value for value in extremes(differences(on_cpu, reference))]
    distances = differences(found, reference)
    if distances is None:
        return {"allowed": allowed, "difference": None, "agrees": False}
    difference = extremes(distances)
    return {
        "allowed": allowed,
        "difference": difference,
        "agrees": all(value <= limit for value, limit in zip(difference, allowed, strict=True)),
    }


def first_differences(live, expected):
    """{(layer, head): token}"""
    firsts = {}
    for layer in range(live.layers):
        for head in range(live.heads):
            differing = (t for t in range(live.tokens) if live.at(layer, head, t) != expected.at(layer, head, t))
            if (first := next(differing, None)) is not None:
                firsts[layer, head] = first
    return firsts


def has_near_gate(gates, layer, head, leaving, threshold, rounding):
    """Whether the decision of the token that leaves the window, or of a neighbour of it, could go either way."""
    around = range(max(0, leaving - 1), min(gates.tokens, leaving + 2))
    return any(abs(gates.at(layer, head, token) - threshold) <= rounding for token in around)


def compare_live(found, expected, rounding):
    (_, live, summary, _), (gates, expected_live, expected_summary, _) = found, expected
    firsts = first_differences(live, expected_live)
    window = summary["window"]
    start = min(firsts.values(), default=0)
    unexplained = [
        [layer, head, token]
        for (layer, head), token in firsts.items()
        if token <= start + window
        and not has_near_gate(gates, layer, head, token - window, summary["threshold"], rounding)
    ]
    return {
        "heads": live.layers * live.heads,
        "heads_that_differ": len(firsts),
        "first_difference": start if firsts else None,
        "unexplained": unexplained,
        "compression_ratio": [summary["compression_ratio"], expected_summary["compression_ratio"]],
        "agrees": not unexplained,
    }


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
        report = {"device": device, "tokens": tokens}
        for mode in ("prefill", "decode"):
            how = ("--mode", mode)
            cpu_gates = scores.of(f"cpu-dense-{mode}", *on_cpu, *dense, *how)[0]
            gates = compare_gates(scores.of(f"dense-{mode}", *there, *dense, *how)[0], cpu_gates, reference)
            expected = scores.of(f"cpu-{mode}", *on_cpu, *how)
            found = scores.of(f"device-{mode}", *there, *how)
            report[mode] = {"gates": gates, "live_slots": compare_live(found, expected, gates["allowed"][0])}
        eager = scores.of("eager", *there, "--mode", "decode", *eagerly)[3]
        report["graph_equals_eager"] = all(found[3][kind].read_bytes() == eager[kind].read_bytes() for kind in eager)
    parts = [part for mode in ("prefill", "decode") for part in report[mode].values()]
    report["agrees"] = report["graph_equals_eager"] and all(part["agrees"] for part in parts)
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tokens", type=int, default=256)
    arguments = parser.parse_args()
    report = check(arguments.program, arguments.model, arguments.device, arguments.tokens)
    print(json.dumps(report, indent=1))
    return 0 if report["agrees"] else 1


if __name__ == "__main__":
    sys.exit(main())
