"""What is asked of the model at each step.

The target ratio grows by one every `steps_per_ratio` steps from `first_ratio` up to `final_ratio`, and holds. The mean decision it
asks for is 1 - 1 / ratio: of the tokens outside the window, which is left out of account as in the paper.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    first_ratio: float = 1.0
    final_ratio: float = 8.0
    steps_per_ratio: int = 100
    zeroing_steps: int = 0  # before the gates: a borrowed channel fades out

    def zeroing(self, step: int) -> bool:
        return step < self.zeroing_steps

    def channel_scale(self, step: int) -> float:
        """What is left of a borrowed channel: nothing at the last zeroing step, so that gates take it over."""
        return max(0.0, 1.0 - (step + 1) / self.zeroing_steps) if self.zeroing(step) else 0.0

    def ratio(self, step: int) -> float:
        return min(self.final_ratio, self.first_ratio + max(step - self.zeroing_steps, 0) / self.steps_per_ratio)

    def target(self, step: int) -> float:
        """The mean decision asked for."""
        return 1.0 - 1.0 / self.ratio(step)
