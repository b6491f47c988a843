"""Runs a command for a while and watches the memory of the GPU and of the process: does it stay flat?

    python3 scripts/lib/memory_soak.py SECONDS COMMAND...

The command is interrupted when the time is over, and has 15 s to end. One JSON on standard output: memory at first, at
most and at last. Exit status 0 if the command ran that long, or ended well by itself, and neither memory grew: in the last
third of the time at most 1 % and 16 MiB above what the second third had. The first third is left for caches that fill.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

INTERVAL = 0.5
SPARE_MIB = 16
GRACE = 15  # seconds to end in


def gpu_mib():
    """Used memory of every GPU together; None where nobody can tell."""
    command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    try:
        lines = subprocess.run(command, capture_output=True, timeout=20, check=True).stdout.split()
        return sum(int(line) for line in lines)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def process_mib(pid):
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return None
    return int(fields[1]) * 4096 // 2**20


def is_flat(samples):
    """Of [MiB] in order of time; None where there are too few to say."""
    third = len(samples) // 3
    if third < 3:
        return None
    before, last = max(samples[third : 2 * third]), max(samples[2 * third :])
    return last <= before * 1.01 + SPARE_MIB


def ended_well(status, interrupted):
    """Who is interrupted may say that its work is not done, but must not die of it."""
    return status >= 0 if interrupted else status == 0


def watch(command, seconds):
    start = time.monotonic()
    errors = tempfile.TemporaryFile()  # a pipe may stay open in a child of the command
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
    samples = {"gpu_mib": [], "process_mib": []}
    while process.poll() is None and time.monotonic() - start < seconds:
        for kind, value in (("gpu_mib", gpu_mib()), ("process_mib", process_mib(process.pid))):
            if value is not None:
                samples[kind].append(value)
        time.sleep(INTERVAL)
    interrupted = process.poll() is None
    if interrupted:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    errors.seek(0)
    flat = {kind: is_flat(values) for kind, values in samples.items()}
    return {
        "command": " ".join(map(str, command)),
        "seconds": round(time.monotonic() - start, 1),
        "status": process.returncode,
        **{kind: [values[0], max(values), values[-1]] if values else [] for kind, values in samples.items()},
        "flat": flat,
        "errors": errors.read().decode(errors="replace")[-1000:],
        "passed": ended_well(process.returncode, interrupted) and False not in flat.values(),
    }


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: memory_soak.py SECONDS COMMAND...")
    report = watch(sys.argv[2:], float(sys.argv[1]))
    print(json.dumps(report, indent=1))
    return 0 if report["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
