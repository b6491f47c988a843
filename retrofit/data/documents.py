"""Documents from the files a user names: plain text, or JSONL with {"text": ...} or {"messages": [...]} per line."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retrofit.errors import BadInput


@dataclass(frozen=True)
class Document:
    source: str
    text: str = ""
    messages: tuple = ()  # chat turns, instead of text

    def held_out(self, share: float, seed: int) -> bool:
        """Decided by content alone: the same document is always on the same side."""
        content = self.text or json.dumps(self.messages, sort_keys=True)
        digest = hashlib.sha256(f"{seed}/{content}".encode()).digest()
        return int.from_bytes(digest[:8], "little") < share * 2**64


def read_documents(paths: list[Path]) -> Iterator[Document]:
    """The documents of files and of all .txt, .md, .rst and .jsonl files below folders, in the order of their names."""
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.suffix in (".txt", ".md", ".rst", ".jsonl") and p.is_file())
            if not found:
                raise BadInput(f"{path}: no .txt, .md, .rst or .jsonl file below it")
            yield from read_documents(found)
        elif path.suffix == ".jsonl":
            yield from _jsonl(path)
        else:
            yield Document(path.name, _text(path))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None


def _jsonl(path: Path) -> Iterator[Document]:
    for number, line in enumerate(_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except json.JSONDecodeError as error:
            raise BadInput(f"{path}:{number}: not JSON ({error})") from None
        if isinstance(entry, dict) and isinstance(entry.get("text"), str):
            yield Document(path.name, entry["text"])
        elif isinstance(entry, dict) and _is_chat(entry.get("messages")):
            yield Document(path.name, messages=tuple(entry["messages"]))
        else:
            raise BadInput(f'{path}:{number}: expected {{"text": ...}} or {{"messages": [{{"role", "content"}}, ...]}}')


def _is_chat(messages) -> bool:
    return isinstance(messages, list) and all(
        isinstance(turn, dict) and isinstance(turn.get("role"), str) and isinstance(turn.get("content"), str)
        for turn in messages
    )
