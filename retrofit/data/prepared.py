"""Text as token ids on disk: `data.json` and one flat array per part (text or answers, training or held out).

Documents follow each other with a separator between them, so that a sequence of any length is a slice: packing
without padding. Attention runs across documents, in teacher and student alike.
"""

import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from retrofit.data.documents import Document
from retrofit.data.tokens import Tokens
from retrofit.errors import BadInput
from retrofit.model.checkpoint_files import read_json
from retrofit.output.publish import new_folder

PARTS = ("text.train", "text.heldout", "answers.train", "answers.heldout")


def prepare(
    folder: Path,
    tokens: Tokens,
    sources: dict[str, Iterable[Document]],
    heldout: float,
    seed: int,
    limit: int,
    per_source: int = 10**12,
    reused: Path | None = None,
) -> dict:
    """Writes the folder; `sources` maps "text" and "answers" to documents.

    At most `limit` training tokens each, about `per_source` of one file or package, so that none outweighs the rest.
    `reused`: an earlier folder of the same tokenizer, whose text is taken over.
    """
    with new_folder(folder) as partial:
        parts = _copied_text(reused, partial, tokens) if reused else {}
        for kind, documents in sources.items():
            parts |= _write_kind(partial, kind, tokens, documents, heldout, seed, limit, per_source)
        if not parts.get("text.train", {}).get("tokens"):
            raise BadInput("no text to train on: give --text files or --packages")
        description = {
            "vocabulary": tokens.vocabulary,
            "tokenizer": tokens.fingerprint,
            "type": tokens.stored_type.name,
            "seed": seed,
            "heldout": heldout,
            "parts": parts,
        }
        (partial / "data.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    return description


def _copied_text(source: Path, folder: Path, tokens: Tokens) -> dict:
    parts = Prepared(source, tokens).description["parts"]
    text = {name: part for name, part in parts.items() if name.startswith("text.")}
    for name in text:
        shutil.copyfile(source / f"{name}.bin", folder / f"{name}.bin")
    return text


def _write_kind(folder, kind, tokens, documents, heldout, seed, limit, per_source) -> dict:
    files = {side: open(folder / f"{kind}.{side}.bin", "wb") for side in ("train", "heldout")}
    parts = {f"{kind}.{side}": {"documents": 0, "tokens": 0, "sources": {}} for side in files}
    for document in documents:
        side = "heldout" if document.held_out(heldout, seed) else "train"
        part = parts[f"{kind}.{side}"]
        if parts[f"{kind}.train"]["tokens"] >= limit:
            break
        source = document.source.split("/")[0]
        if part["sources"].get(source, 0) >= per_source:
            continue
        ids = tokens.of_document(document)
        np.asarray([*ids, tokens.separator], dtype=tokens.stored_type).tofile(files[side])
        part["documents"] += 1
        part["tokens"] += len(ids) + 1
        part["sources"][source] = part["sources"].get(source, 0) + len(ids) + 1
        if part["documents"] % 200 == 0 and sys.stderr.isatty():
            print(f"\r{kind}: {part['tokens'] / 1e6:.1f} M tokens", end="", file=sys.stderr)
    for file in files.values():
        file.close()
    return parts


class Prepared:
    """A prepared folder, memory-mapped."""

    def __init__(self, folder: Path, tokens: Tokens | None = None):
        if not (folder / "data.json").exists():
            raise BadInput(f"{folder}: no data.json in it; `python -m retrofit data` prepares a folder")
        self.folder = folder
        self.description = read_json(folder / "data.json")
        if tokens is not None and self.description.get("tokenizer") != tokens.fingerprint:
            raise BadInput(f"{folder}/data.json: prepared with another tokenizer; prepare it anew for this model")
        self._parts = {name: self._map(name) for name in PARTS if (folder / f"{name}.bin").exists()}

    def part(self, name: str, shortest: int) -> np.ndarray:
        """Token ids [N]; refuses a part that is missing or shorter than one sequence."""
        ids = self._parts.get(name)
        size = 0 if ids is None else len(ids)
        if size <= shortest:
            raise BadInput(f"{self.folder}: {name} has {size} tokens, a sequence needs more than {shortest}")
        return ids

    def has(self, name: str, shortest: int) -> bool:
        return len(self._parts.get(name, ())) > shortest

    def _map(self, name: str) -> np.ndarray:
        path = self.folder / f"{name}.bin"
        expected = self.description.get("parts", {}).get(name, {}).get("tokens")
        dtype = np.dtype(self.description["type"])
        if path.stat().st_size != (expected or 0) * dtype.itemsize:
            raise BadInput(f"{path}: {path.stat().st_size} bytes, data.json says {expected} tokens of {dtype.name}")
        return np.memmap(path, dtype=dtype, mode="r") if expected else np.zeros(0, dtype)
