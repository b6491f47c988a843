"""What a run reports: a line per step to the terminal, a CSV file, TensorBoard events."""

import csv
import sys
import time
from pathlib import Path

COLUMNS = ("step", "kl", "shortfall", "loss", "closed", "target_closed", "ratio", "target_ratio", "threshold")
COLUMNS += ("gradient_norm", "tokens", "seconds")
COLUMNS += ("heldout_perplexity_dense", "heldout_perplexity", "heldout_kl", "heldout_ratio")


class Log:
    """Only the first process writes. A resumed run drops the rows that its checkpoint has not seen."""

    def __init__(self, folder: Path, first_step: int, steps: int, writes: bool):
        self._writes, self._steps = writes, steps
        self._terminal = sys.stderr.isatty()
        self._started, self._first_step = time.monotonic(), first_step
        if not writes:
            return
        path = folder / "log.csv"
        kept = _rows_before(path, first_step)
        self._file = open(path, "w", newline="", encoding="utf-8")
        self._csv = csv.DictWriter(self._file, COLUMNS)
        self._csv.writeheader()
        self._csv.writerows(kept)
        self._events = _tensorboard(folder, first_step)

    def step(self, row: dict[str, float]) -> None:
        if not self._writes:
            return
        self._csv.writerow({key: _short(row[key]) for key in COLUMNS if key in row})
        self._file.flush()
        if self._events:
            for key, value in row.items():
                if key != "step":
                    self._events.add_scalar(key, value, row["step"])
        self._progress(row)

    def say(self, text: str) -> None:
        if self._writes:
            print(("\n" if self._terminal else "") + text, file=sys.stderr, flush=True)

    def close(self) -> None:
        if not self._writes:
            return
        if self._terminal:
            print(file=sys.stderr)
        self._file.close()
        if self._events:
            self._events.close()

    def _progress(self, row: dict[str, float]) -> None:
        step = int(row["step"])
        each = (time.monotonic() - self._started) / (step - self._first_step)
        left = each * (self._steps - step)
        line = f"step {step}/{self._steps}  KL {row['kl']:.4f}  ratio {row['ratio']:.2f} of {row['target_ratio']:.2f}"
        line += f"  {each:.2f} s/step  {left / 60:.0f} min left"
        if self._terminal:
            print(f"\r{line}   ", end="", file=sys.stderr, flush=True)
        elif step % 10 == 0 or step == self._steps:
            print(line, file=sys.stderr, flush=True)


def _rows_before(path: Path, first_step: int) -> list[dict]:
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        rows = [{key: row.get(key) for key in COLUMNS} for row in csv.DictReader(file)]
    return [row for row in rows if row["step"] and int(row["step"]) <= first_step]


def _short(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def _tensorboard(folder: Path, first_step: int):
    """None where TensorBoard is not installed: the CSV file has the same numbers."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        print("note: tensorboard is not installed; log.csv has the same numbers", file=sys.stderr)
        return None
    return SummaryWriter(str(folder / "tensorboard"), purge_step=first_step + 1)
