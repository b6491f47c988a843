"""The checkpoint's own tokenizer, and its chat form split around the user's words."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from retrofit.data.documents import Document
from retrofit.errors import BadInput
from retrofit.model.checkpoint_files import read_json

MARK = "\u241fcontent\u241f"  # stands for the user's words while the template is rendered


@dataclass(frozen=True)
class ChatFrame:
    """Token ids around a user's words (`user` … `assistant`) and after an answer (`end`)."""

    user: list[int]
    assistant: list[int]
    end: list[int]


class Tokens:
    def __init__(self, model: Path):
        path = Path(model) / "tokenizer.json"
        try:
            text = path.read_bytes()
            self._tokenizer = Tokenizer.from_str(text.decode("utf-8"))
        except FileNotFoundError:
            raise BadInput(f"{path}: no such file; training data needs the checkpoint's tokenizer") from None
        except Exception as error:  # tokenizers raises plain Exception
            raise BadInput(f"{path}: not a tokenizer ({error})") from None
        self._tokenizer.no_truncation()
        self._template = _chat_template(Path(model))
        self.fingerprint = hashlib.sha256(text).hexdigest()[:16]
        self.vocabulary = self._tokenizer.get_vocab_size(with_added_tokens=True)
        self.stored_type = np.dtype(np.uint16 if self.vocabulary <= 65536 else np.uint32)
        self.separator = self._separator(Path(model))

    def encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids: list[int]) -> str:
        return self._tokenizer.decode(ids, skip_special_tokens=False)

    def text_of(self, token: int) -> str:
        return self._tokenizer.decode([token], skip_special_tokens=False)

    def of_document(self, document: Document) -> list[int]:
        if not document.messages:
            return self.encode(document.text)
        return self.encode(self.render(list(document.messages), generation_prompt=False))

    def chat_frame(self, first: bool) -> ChatFrame:
        """The frame of a turn; `first` has what the template puts before a conversation (a system turn)."""
        opening = [{"role": "user", "content": MARK}]
        before, after = self._split(self.render(opening, generation_prompt=True))
        whole = self.render([*opening, {"role": "assistant", "content": MARK + "answer"}], generation_prompt=False)
        end = whole.rpartition(MARK + "answer")[2]
        if not first:
            again = [*opening, {"role": "assistant", "content": "answer"}, {"role": "user", "content": MARK + "2"}]
            text = self.render(again, generation_prompt=True)
            middle, _, after = text.rpartition(MARK + "2")
            before = middle.rpartition("answer" + end)[2]
        return ChatFrame(self.encode(before), self.encode(after), self.encode(end))

    def render(self, messages: list[dict], generation_prompt: bool) -> str:
        if self._template is None:  # a base model: plain words that any model understands
            text = "".join(("" if m["role"] == "assistant" else "\n\n") + m["content"] for m in messages)
            return text + ("\nAnswer: " if generation_prompt else "")
        return self._template.render(
            messages=messages, add_generation_prompt=generation_prompt, bos_token="", eos_token="", tools=None
        )

    def _split(self, text: str) -> tuple[str, str]:
        before, _, after = text.partition(MARK)
        return before, after

    def _separator(self, model: Path) -> int:
        for word in ("<|endoftext|>", "<|end_of_text|>", "</s>"):
            token = self._tokenizer.token_to_id(word)
            if token is not None:
                return token
        eos = read_json(model / "config.json").get("eos_token_id")
        eos = eos[0] if isinstance(eos, list) and eos else eos
        if not isinstance(eos, int):
            raise BadInput(f"{model}/config.json: eos_token_id is {eos!r}; documents need a token between them")
        return eos


def _chat_template(model: Path):
    """The compiled template of tokenizer_config.json or chat_template.jinja; None where there is none."""
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    source, path = None, model / "chat_template.jinja"
    if path.exists():
        source = path.read_text(encoding="utf-8")
    elif (path := model / "tokenizer_config.json").exists():
        source = read_json(path).get("chat_template")
    if not isinstance(source, str):
        return None

    def refuse(reason):
        raise TemplateError(reason)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = lambda _: "1 January 2025"  # the same prompt every day
    try:
        return environment.from_string(source)
    except TemplateError as error:
        raise BadInput(f"{path}: the chat template cannot be read ({error})") from None
