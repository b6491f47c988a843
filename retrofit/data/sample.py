"""Answers sampled from the model itself, so that gates are trained on the text that it writes.

Prompts are made by code from lists of tasks and subjects; `--prompts` takes other ones. Written as JSONL with
{"messages": [...]}, which `retrofit data --answers` reads.
"""

import json
import random
import sys
from pathlib import Path

import torch

from retrofit.data.documents import read_documents
from retrofit.data.tokens import Tokens
from retrofit.errors import BadInput
from retrofit.model.checkpoint_files import CheckpointFiles
from retrofit.model.load import transformers_model
from retrofit.model.noise import seed_of
from retrofit.output.publish import new_file

ASKED = """Explain how {} works.|Write a short story about {}.|What are the advantages and disadvantages of {}?
Give me five tips about {}.|Describe the history of {}.|Write a letter to a friend about {}.
Summarise what is known about {}.
Teach a child about {}.|Compare {} with something similar.|Write a poem about {}.|What should a beginner know about {}?
Plan a week of learning about {}.|Why is {} important?|What is often misunderstood about {}?"""
SUBJECTS = """a lighthouse|the water cycle|bicycles|baking bread|the Roman Empire|photosynthesis|chess|public libraries
solar panels|the printing press|migration of birds|a fishing village|coral reefs|the violin|learning a language
vaccines|a mountain railway|gardening|the telescope|trading in the Middle Ages|sleep|earthquakes|a detective in winter
recycling|the human heart|computers|a long sea voyage|honey bees|glass making|the moon|volcanoes|healthy food|maps
bridges|the theatre|clocks|rivers|dogs|a small bakery|democracy|paper|electric cars|weather forecasts|swimming|wool"""


def prompts(count: int, seed: int, file: Path | None) -> list[str]:
    if file is not None:
        given = [_prompt_of(document) for document in read_documents([file])]
        if not given:
            raise BadInput(f"{file}: no prompts in it")
        return (given * (count // len(given) + 1))[:count]
    pairs = [form.format(subject) for form in _words(ASKED) for subject in _words(SUBJECTS)]
    random.Random(seed).shuffle(pairs)
    return (pairs * (count // len(pairs) + 1))[:count]


def sample(model: Path, out: Path, count: int, seed: int, longest: int, batch: int, prompt_file: Path | None) -> None:
    """Writes `count` conversations of one turn, sampled at temperature 0.8."""
    files, tokens = CheckpointFiles(model), Tokens(model)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = transformers_model(files, torch.bfloat16 if device.type == "cuda" else torch.float32).to(device)
    asked = prompts(count, seed, prompt_file)
    with new_file(out) as partial, open(partial, "w", encoding="utf-8") as file:
        for start in range(0, count, batch):
            group = asked[start : start + batch]
            torch.manual_seed(seed_of(seed, "sample", start) % 2**32)
            for prompt, answer in zip(group, _answers(network, tokens, group, longest, device)):
                turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
                file.write(json.dumps({"messages": turns}) + "\n")
            print(f"{min(start + batch, count)}/{count} answers", file=sys.stderr)


@torch.no_grad()
def _answers(network, tokens: Tokens, group: list[str], longest: int, device) -> list[str]:
    rows = [tokens.encode(tokens.render([{"role": "user", "content": prompt}], True)) for prompt in group]
    width = max(map(len, rows))
    pad = tokens.separator
    ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows], device=device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device)
    written = network.generate(
        ids, attention_mask=mask, do_sample=True, temperature=0.8, top_p=0.95, max_new_tokens=longest, pad_token_id=pad
    )
    ends = network.generation_config.eos_token_id
    stops = {pad, *(ends if isinstance(ends, list) else [ends])}
    return [tokens.decode(_until(row[width:].tolist(), stops)).strip() for row in written]


def _until(ids: list[int], stops: set) -> list[int]:
    return ids[: next((place for place, token in enumerate(ids) if token in stops), len(ids))]


def _words(text: str) -> list[str]:
    return [word for line in text.splitlines() for word in line.split("|")]


def _prompt_of(document) -> str:
    return document.messages[0]["content"] if document.messages else document.text
