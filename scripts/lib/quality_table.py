"""Markdown tables from what scripts/make_quality measured: one per context and kind, then all in one for the card.

Usage: quality_table.py FOLDER, with FOLDER/{plain,dms}-{text,tasks}-CONTEXT/summary.json.
"""

import json
import sys
from pathlib import Path

ORIGINAL = "original model"
POLICIES = {"window": "sliding window", "knorm": "key norm", "dms": "learned"}


def main(folder: Path) -> None:
    summaries = {path.parent.name: json.loads(path.read_text())["rows"] for path in folder.glob("*/summary.json")}
    contexts = sorted({int(name.rsplit("-", 1)[1]) for name in summaries})
    measured = {(context, kind): both(summaries, kind, context) for context in contexts for kind in TABLES}
    for context in contexts:
        print(f"### {context:,} tokens\n")
        for kind, table in TABLES.items():
            plain, dms = measured[context, kind]
            if plain:
                print(table(plain, dms))
    print("### Together\n")
    print(card_table(measured))


def both(summaries: dict, kind: str, context: int) -> tuple[list, list]:
    """Rows of both models; none where an interrupted measurement left one of them without, or with fewer samples."""
    plain, dms = (summaries.get(f"{model}-{kind}-{context}", []) for model in ("plain", "dms"))
    if {row["samples"] for row in plain} == {row["samples"] for row in dms}:
        return plain, dms
    print(f"{kind} at {context} tokens is not measured in full: run scripts/make_quality again", file=sys.stderr)
    return [], []


def card_table(measured: dict) -> str:
    """Policy by task: what each setting costs or finds, and the ratio realised there."""
    columns: dict[str, dict[str, str]] = {}
    for (context, _), (plain, dms) in measured.items():
        for task in dict.fromkeys(row["task"] for row in plain):
            columns[f"{task}, {context:,}"] = card_column(of(plain, task), of(dms, task))
    names = dict.fromkeys(name for column in columns.values() for name in column)
    lines = [f"| |{''.join(f' {title} |' for title in columns)}", "|---|" + "---:|" * len(columns)]
    for name in names:
        lines.append(f"| {name} |" + "".join(f" {column.get(name, '')} |" for column in columns.values()))
    return "\n".join(lines) + "\n"


def card_column(plain: list, dms: list) -> dict[str, str]:
    dense = next(row for row in plain if row["policy"] == "dense")
    rows = [(ORIGINAL, dense)] + named(plain, dms)
    return {name: f"{card_value(row, dense)} ({row['ratio']:.1f})" for name, row in rows}


def card_value(row: dict, dense: dict) -> str:
    if row["task"] == "text":
        return f"{row['perplexity'] / dense['perplexity'] - 1:+.1%}"
    return found(row)


def found(row: dict) -> str:
    return f"{round(row['accuracy'] * row['samples'])} of {row['samples']}"


def text_table(plain: list, dms: list) -> str:
    dense = next(row for row in plain if row["policy"] == "dense")
    lines = ["| held-out text | ratio | perplexity | change | KL | same top token |", "|---|---:|---:|---:|---:|---:|"]
    for name, row in [(ORIGINAL, dense)] + named(plain, dms):
        change = row["perplexity"] / dense["perplexity"] - 1
        own = "" if name == ORIGINAL else f"{row['kl']:.3f}"
        top = "" if name == ORIGINAL else f"{row['top1']:.1%}"
        lines.append(f"| {name} | {row['ratio']:.2f} | {row['perplexity']:.2f} | {change:+.1%} | {own} | {top} |")
    return "\n".join(lines) + "\n"


def task_table(plain: list, dms: list) -> str:
    tasks = list(dict.fromkeys(row["task"] for row in plain))
    dense = {row["task"]: row for row in plain if row["policy"] == "dense"}
    head = "".join(f" {task} | ratio |" for task in tasks)
    lines = [f"| tasks |{head}", "|---|" + "---:|---:|" * len(tasks)]
    by_task = {task: dict(named(of(plain, task), of(dms, task))) for task in tasks}
    rows = {ORIGINAL: dense} | {
        name: {task: by_task[task][name] for task in tasks} for name in by_task[tasks[0]]
    }
    for name, row in rows.items():
        cells = "".join(f" {found(row[task])} | {row[task]['ratio']:.2f} |" for task in tasks)
        lines.append(f"| {name} |{cells}")
    return "\n".join(lines) + "\n"


def of(rows: list, task: str) -> list:
    return [row for row in rows if row["task"] == task]


def named(plain: list, dms: list) -> list:
    """(name, row) of all settings but the original model's dense one: learned gates first."""
    rows = [("learned gates' model, nothing evicted", row) for row in dms if row["policy"] == "dense"]
    rows += [(f"learned, θ {row['threshold']:g}", row) for row in dms if row["policy"] == "dms"]
    evicting = [row for row in plain if row["policy"] != "dense"]
    return rows + [(f"{POLICIES[row['policy']]}, asked for {row['target_cr']:g}", row) for row in evicting]


TABLES = {"text": text_table, "tasks": task_table}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
