"""Held-out text as a plain file, for programs that measure a checkpoint on text no training saw."""

import random
from pathlib import Path

import numpy as np

from retrofit.data.prepared import Prepared
from retrofit.data.tokens import Tokens
from retrofit.errors import BadInput
from retrofit.output.publish import new_file


def write_excerpts(prepared: Prepared, tokens: Tokens, out: Path, wanted: int, per_document: int, seed: int) -> int:
    """The beginnings of held-out documents in random order, at most `per_document` tokens of each and `wanted` in all.

    Returns how many tokens it wrote.
    """
    if not prepared.has("text.heldout", 0):
        raise BadInput(f"{prepared.folder}: no text is held out; prepare it with a larger --heldout")
    documents = _documents(prepared.part("text.heldout", 0), tokens.separator)
    random.Random(seed).shuffle(documents)
    texts, written = [], 0
    for document in documents:
        part = document[: min(per_document, wanted - written)]
        texts.append(tokens.decode(part.tolist()))
        written += len(part)
        if written >= wanted:
            break
    with new_file(out) as partial:
        partial.write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    return written


def _documents(ids: np.ndarray, separator: int) -> list[np.ndarray]:
    ends = np.flatnonzero(ids == separator)
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else []
    return [ids[start:end] for start, end in zip(starts, ends) if end > start]
