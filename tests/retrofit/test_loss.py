"""Loss and schedule against numbers worked out by hand."""

import math

import pytest
import torch
from torch import nn

from retrofit.training import loss
from retrofit.training.schedule import Schedule


def head():
    """An output projection that leaves hidden states as they are: they are the logits."""
    linear = nn.Linear(2, 2, bias=False)
    nn.init.eye_(linear.weight)
    return linear


# Student (1/2, 1/2), teacher (3/4, 1/4).
STUDENT = torch.log(torch.tensor([[[0.5, 0.5], [0.5, 0.5]]]))
TEACHER = torch.log(torch.tensor([[[0.75, 0.25], [0.5, 0.5]]]))
FORWARD = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
REVERSE = 0.5 * math.log(2 / 3) + 0.5 * math.log(2)


@pytest.mark.parametrize("direction, expected", [("forward", FORWARD), ("reverse", REVERSE)])
def test_distillation_is_the_divergence_per_weighted_token(direction, expected):
    def value(weights):
        return loss.distillation(head(), head(), STUDENT, TEACHER, torch.tensor([weights]), direction).item()

    assert value([1.0, 1.0]) == pytest.approx(expected / 2, rel=1e-5)
    assert value([3.0, 1.0]) == pytest.approx(expected * 3 / 4, rel=1e-5)
    assert value([0.0, 1.0]) == pytest.approx(0.0, abs=1e-6)


def test_distillation_in_chunks_has_the_gradient_of_the_whole(monkeypatch):
    generator = torch.Generator().manual_seed(1)
    teacher = torch.randn(2, 5, 8, generator=generator)
    weights = torch.rand(2, 5, generator=generator)
    projection = nn.Linear(8, 11, bias=False)

    def gradient(chunk, recompute=True):
        monkeypatch.setattr(loss, "CHUNK_TOKENS", chunk)
        student = torch.linspace(-1, 1, 80).reshape(2, 5, 8).requires_grad_()
        projection.zero_grad()
        loss.distillation(projection, projection, student, teacher, weights, "forward", recompute).backward()
        return student.grad, projection.weight.grad.clone()

    for whole, parts, kept in zip(gradient(100), gradient(3), gradient(3, recompute=False)):
        torch.testing.assert_close(whole, parts)
        torch.testing.assert_close(whole, kept)


def test_the_pressure_is_one_sided_and_per_sequence():
    closed = torch.tensor([0.5, 0.9], requires_grad=True)
    shortfall = loss.one_sided_l1(closed, 0.75)
    shortfall.backward()
    assert shortfall.item() == pytest.approx(0.125)  # the sequence above the target does not pay for the other
    assert closed.grad.tolist() == [-0.5, 0.0]


def test_the_ratio_grows_by_one_every_hundred_steps_and_holds():
    schedule = Schedule(final_ratio=8, steps_per_ratio=100)
    assert [schedule.ratio(step) for step in (0, 50, 100, 300, 700, 5000)] == [1.0, 1.5, 2.0, 4.0, 8.0, 8.0]
    later = Schedule(first_ratio=7, final_ratio=8, steps_per_ratio=10)
    assert [later.ratio(step) for step in (0, 5, 10, 20)] == [7.0, 7.5, 8.0, 8.0]
    assert [schedule.target(step) for step in (0, 100, 300, 700)] == [0.0, 0.5, 0.75, 0.875]


def test_the_higher_the_threshold_the_less_is_asked_for():
    schedule = Schedule(first_ratio=8, final_ratio=8, highest_threshold=4, ratio_at_highest=2)
    assert [schedule.ratio(0, threshold) for threshold in (0, 2, 4)] == pytest.approx([8.0, 4.0, 2.0])
    assert schedule.target(0, 4.0) == pytest.approx(0.5)
    early = Schedule(highest_threshold=4, ratio_at_highest=2, steps_per_ratio=100)
    assert [early.ratio(50, threshold) for threshold in (0, 4)] == [1.5, 1.5], "never more than at threshold 0"
    drawn = [schedule.threshold(step, seed=1) for step in range(400)]
    assert all(0 <= threshold < 4 for threshold in drawn)
    assert sum(threshold < 1 for threshold in drawn) == pytest.approx(100, abs=40)
    assert sum(threshold < 3 for threshold in drawn) == pytest.approx(300, abs=40)
    assert drawn != [schedule.threshold(step, seed=2) for step in range(400)]
    assert Schedule().threshold(7, seed=1) == 0.0


def test_a_borrowed_channel_is_gone_before_the_gates_take_it():
    schedule = Schedule(zeroing_steps=4, steps_per_ratio=10)
    assert [schedule.channel_scale(step) for step in range(6)] == [0.75, 0.5, 0.25, 0.0, 0.0, 0.0]
    assert [schedule.zeroing(step) for step in (3, 4)] == [True, False]
    assert [schedule.ratio(step) for step in (0, 4, 14)] == [1.0, 1.0, 2.0]
