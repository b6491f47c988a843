"""What is asked of the model at each step.

The target ratio grows by one every `steps_per_ratio` steps from `first_ratio` up to `final_ratio`, and holds. The mean decision it
asks for is 1 - 1 / ratio: of the tokens outside the window, which is left out of account as in the paper.

With `highest_threshold` above 0 every step decides at a threshold of its own, drawn evenly from 0 to that one. It asks for
less the higher it is, down to `ratio_at_highest`, evenly in the ratio's logarithm. The gates so learn an order of tokens
that serves at any threshold, and the low-rank updates see every ratio.
"""

from dataclasses import dataclass

from retrofit.model.noise import uniform


@dataclass(frozen=True)
class Schedule:
    first_ratio: float = 1.0
    final_ratio: float = 8.0
    steps_per_ratio: int = 100
    zeroing_steps: int = 0  # before the gates: a borrowed channel fades out
    highest_threshold: float = 0.0  # in logit units; 0: every step decides at threshold 0
    ratio_at_highest: float = 1.0  # asked for where the threshold is the highest

    def zeroing(self, step: int) -> bool:
        return step < self.zeroing_steps

    def channel_scale(self, step: int) -> float:
        """What is left of a borrowed channel: nothing at the last zeroing step, so that gates take it over."""
        return max(0.0, 1.0 - (step + 1) / self.zeroing_steps) if self.zeroing(step) else 0.0

    def threshold(self, step: int, seed: int) -> float:
        """What the step's logits are compared with."""
        return self.highest_threshold * uniform(seed, "threshold", step) if self.highest_threshold else 0.0

    def ratio(self, step: int, threshold: float = 0.0) -> float:
        """Asked for at a threshold."""
        ratio = min(self.final_ratio, self.first_ratio + max(step - self.zeroing_steps, 0) / self.steps_per_ratio)
        if threshold == 0:
            return ratio
        return ratio * min(1.0, self.ratio_at_highest / ratio) ** (threshold / self.highest_threshold)

    def target(self, step: int, threshold: float = 0.0) -> float:
        """The mean decision asked for."""
        return 1.0 - 1.0 / self.ratio(step, threshold)
