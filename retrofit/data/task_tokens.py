"""A task as token ids of a given length: its facts spread over other text, its answers marked."""

import random
from functools import cached_property

import numpy as np

from retrofit.data.tasks import Task, make_task, monotony
from retrofit.data.tokens import Tokens


class TaskWriter:
    """Writes tasks into slices of `text`, token ids [N] of ordinary prose, or, a share `repeated` of them, into a few
    sentences over and over."""

    def __init__(self, tokens: Tokens, text: np.ndarray, repeated: float = 0.0):
        self.tokens, self.text, self.repeated = tokens, text, repeated
        self.first, self.later = tokens.chat_frame(first=True), tokens.chat_frame(first=False)

    def sequence(self, rng: random.Random, length: int) -> tuple[list[int], list[bool]]:
        """`length` ids, and for each whether it belongs to an answer; tasks of several lengths, one after the other."""
        ids: list[int] = []
        answers: list[bool] = []
        wanted = rng.choice([length, length, length // 2, length // 4])
        while len(ids) < length:
            part, marks = self.task(rng, make_task(rng), min(wanted, length - len(ids)))
            ids += part
            answers += marks
        return ids[:length], answers[:length]

    def task(self, rng: random.Random, task: Task, length: int) -> tuple[list[int], list[bool]]:
        """About `length` ids; more where the task alone is longer, fewer where it has no text to be hidden in."""
        turns, marks = self._turns(task)
        opening = self.first.user + self.tokens.encode(task.opening)
        edges = ("\n", "\n") if not self.repeated or rng.random() < 0.5 else (" ", "")  # own lines, or in the flow
        facts = [self.tokens.encode(fact.join(edges)) for fact in task.facts]
        room = length - len(opening) - len(turns) - sum(map(len, facts))
        body = self._hidden(rng, facts, room) if task.haystack and room > 0 else sum(facts, [])
        return opening + body + turns, [False] * (len(opening) + len(body)) + marks

    def _turns(self, task: Task) -> tuple[list[int], list[bool]]:
        ids: list[int] = []
        marks: list[bool] = []
        for number, (question, answer) in enumerate(task.turns):
            frame = self.first if number == 0 else self.later
            asked = ([] if number == 0 else frame.user) + self.tokens.encode(("\n" if number == 0 else "") + question)
            answered = self.tokens.encode(answer)
            ids += asked + frame.assistant + answered + frame.end
            marks += [False] * (len(asked) + len(frame.assistant)) + [True] * len(answered) + [False] * len(frame.end)
        return ids, marks

    def _hidden(self, rng: random.Random, facts: list[list[int]], room: int) -> list[int]:
        """Facts at random depths of a random slice of text, after the end of a sentence where one is near."""
        hay = self._haystack(rng, room)
        cuts = sorted(self._sentence_end(hay, rng.randint(0, len(hay))) for _ in facts)
        body, previous = [], 0
        for cut, fact in zip(cuts, facts):
            body += hay[previous:cut] + fact
            previous = cut
        return body + hay[previous:]

    def _haystack(self, rng: random.Random, room: int) -> list[int]:
        if self.repeated and rng.random() < self.repeated:
            paragraph = self.tokens.encode(monotony(rng))
            return (paragraph * (room // len(paragraph) + 1))[:room]
        start = rng.randrange(max(1, len(self.text) - room))
        return self.text[start : start + room].tolist()

    def _sentence_end(self, hay: list[int], position: int) -> int:
        for place in range(position, min(position + 40, len(hay))):
            if hay[place] in self._ends:
                return place + 1
        return position

    @cached_property
    def _ends(self) -> set[int]:
        """Tokens that end a sentence or a line."""
        words = ((token, self.tokens.text_of(token)) for token in range(self.tokens.vocabulary))
        return {token for token, word in words if word.rstrip(" ").endswith((".", "!", "?", "\n"))}
