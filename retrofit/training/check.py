"""How well a DMS checkpoint does on held-out text against the original, at several thresholds."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import torch

from retrofit.data.batches import text_sequence
from retrofit.data.prepared import Prepared
from retrofit.data.tokens import Tokens
from retrofit.model.checkpoint_files import CheckpointFiles
from retrofit.model.load import load_dms, transformers_model
from retrofit.training.heldout import heldout


def check(dms: Path, plain: Path, data: Path, tokens: int, sequences: int, thresholds: list[float]) -> Iterator[dict]:
    """One row per threshold."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    student, _ = load_dms(dms)
    teacher = transformers_model(CheckpointFiles(plain), torch.float32).to(device)
    part = Prepared(data, Tokens(plain)).part("text.heldout", tokens)
    texts = [text_sequence(part, tokens, number) for number in range(sequences)]
    for threshold in thresholds:
        found = heldout(student.to(device), teacher, texts, device, nullcontext, threshold)
        yield {"threshold": threshold, "tokens": tokens, "sequences": sequences} | found
