"""The sequences of a run. Each depends on (seed, step, micro-batch, process, row) alone: nothing to store, nothing to
skip when a run is resumed, and no two processes train on the same one."""

import random

import numpy as np
import torch

from retrofit.data.prepared import Prepared
from retrofit.data.task_tokens import TaskWriter
from retrofit.data.tokens import Tokens
from retrofit.model.noise import seed_of
from retrofit.training.recipe import Recipe


class Batches:
    def __init__(self, recipe: Recipe, prepared: Prepared, tokens: Tokens):
        self.length, self.rows = recipe.training.tokens, recipe.training.batch
        self.seed, self.answer_weight = recipe.training.seed, recipe.loss.answer_weight
        self.kinds = [kind for kind in ("text", "tasks", "answers") if getattr(recipe.data, kind) > 0]
        self.shares = [getattr(recipe.data, kind) for kind in self.kinds]
        needed = {"text": "text", "tasks": "text", "answers": "answers"}
        self.parts = {kind: prepared.part(f"{needed[kind]}.train", self.length) for kind in self.kinds}
        self.writer = TaskWriter(tokens, self.parts["tasks"], recipe.data.repeated) if "tasks" in self.kinds else None

    def batch(self, step: int, micro: int, process: int) -> tuple[torch.Tensor, torch.Tensor]:
        """ids int64 [rows, length] and the weight of each position's prediction, float32 [rows, length]."""
        drawn = [
            self._row(random.Random(seed_of(self.seed, "train", step, micro, process, row))) for row in range(self.rows)
        ]
        return torch.stack([ids for ids, _ in drawn]), torch.stack([weights for _, weights in drawn])

    def _row(self, rng: random.Random) -> tuple[torch.Tensor, torch.Tensor]:
        kind = rng.choices(self.kinds, self.shares)[0]
        if kind != "tasks":
            return _slice(self.parts[kind], self.length, rng), torch.ones(self.length)
        ids, answers = self.writer.sequence(rng, self.length)
        # The prediction made at t is of token t + 1.
        marks = torch.tensor([*answers[1:], False])
        return torch.tensor(ids), torch.where(marks, self.answer_weight, 1.0)


def text_sequence(part: np.ndarray, length: int, number: int) -> torch.Tensor:
    """Sequence `number` of held-out text, ids [1, length]: the same for every run, whatever its seed."""
    return _slice(part, length, random.Random(seed_of("text", number)))[None]


def _slice(part: np.ndarray, length: int, rng: random.Random) -> torch.Tensor:
    start = rng.randrange(len(part) - length)
    return torch.from_numpy(part[start : start + length].astype("int64"))
