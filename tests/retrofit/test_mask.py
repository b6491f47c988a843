"""The mask on a case worked out by hand: one head, six tokens, window 1, tokens 0 and 2 marked."""

import math

import pytest
import torch

from retrofit.model import attend, mask
from retrofit.model.noise import logistic_noise, seed_of

MARKED = torch.tensor([[[True, False, True, False, False, False]]])
# Row s: what query s sees. Token 0 leaves at step 2, token 2 at step 4: one step more than the window.
SEEN = torch.tensor(
    [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [0, 1, 1, 0, 0, 0],
        [0, 1, 1, 1, 0, 0],
        [0, 1, 0, 1, 1, 0],
        [0, 1, 0, 1, 1, 1],
    ],
    dtype=torch.bool,
)


def test_a_marked_token_is_seen_through_the_window_and_then_gone():
    assert torch.equal(mask.visible(MARKED, 1)[0, 0], SEEN)


def test_live_slots_count_what_each_query_sees():
    assert mask.live_slots(MARKED, 1)[0, 0].tolist() == [1, 2, 2, 3, 3, 4]
    for window in (0, 1, 2, 5, 6, 100):
        assert torch.equal(mask.live_slots(MARKED, window), mask.visible(MARKED, window).sum(-1, dtype=torch.int32))


def test_with_lag_one_a_logit_judges_the_token_before_it():
    computed = torch.tensor([[[9.0, 1.0, 2.0, 3.0]]])
    assert mask.judged(computed, 1, -7.0).tolist() == [[[1.0, 2.0, 3.0, -7.0]]]
    assert torch.equal(mask.judged(computed, 0, -7.0), computed)


def test_the_relaxed_bias_adds_log_one_minus_p_outside_the_window_only():
    keep = torch.log(torch.tensor([[[0.25, 0.5, 1.0]]]))
    bias = mask.relaxed_bias(keep, 0)[0, 0]
    expected = torch.tensor([[0.0, -math.inf, -math.inf], [math.log(0.25), 0.0, -math.inf]])
    assert torch.equal(bias[:2], expected)
    assert bias[2].tolist() == pytest.approx([math.log(0.25), math.log(0.5), 0.0])


def test_the_relaxed_softmax_weighs_a_key_by_one_minus_p():
    # Equal scores, values 1 and 0, so the result is the weight of key 0: (1 - p) / (1 - p + 1).
    q = k = torch.zeros(1, 1, 2, 1)
    v = torch.tensor([[[[1.0], [0.0]]]])
    keep = torch.log(torch.tensor([[[0.25, 1.0]]]))
    assert attend.masked(q, k, v, keep, 0, 1.0, "sdpa")[0, 1].item() == pytest.approx(0.25 / 1.25)
    assert attend.masked(q, k, v, keep, 1, 1.0, "sdpa")[0, 1].item() == pytest.approx(0.5)


def test_a_decision_that_is_certain_has_a_gradient_and_no_infinity():
    logits = torch.tensor([-400.0, 0.0, 400.0], requires_grad=True)
    keep = mask.log_keep(logits, torch.zeros(3), 0.1)
    keep.sum().backward()
    assert keep.tolist() == pytest.approx([0.0, math.log(0.5), -4000.0])
    assert logits.grad.tolist() == pytest.approx([0.0, -5.0, -10.0])  # -p / tau


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")  # what there is on a CPU
def test_both_kernels_compute_the_same_attention_for_groups_of_heads():
    generator = torch.Generator().manual_seed(3)
    q = torch.randn(2, 6, 20, 16, generator=generator)
    k, v = (torch.randn(2, 2, 20, 16, generator=generator) for _ in range(2))
    keep = torch.nn.functional.logsigmoid(torch.randn(2, 2, 20, generator=generator) * 5)
    fused, flex = (attend.masked(q, k, v, keep, 3, 0.25, kernel) for kernel in ("sdpa", "flex"))
    torch.testing.assert_close(fused, flex, atol=1e-5, rtol=1e-5)


def test_noise_is_logistic_and_depends_on_every_part_of_its_seed():
    noise = logistic_noise((2, 1, 4, 20000), seed_of(1, "noise", 7), torch.device("cpu"))
    assert torch.equal(noise, logistic_noise((2, 1, 4, 20000), seed_of(1, "noise", 7), torch.device("cpu")))
    assert noise.mean().item() == pytest.approx(0.0, abs=0.02)
    assert noise.std().item() == pytest.approx(math.pi / math.sqrt(3), rel=0.02)  # the logistic distribution's
    assert len({seed_of(1, 23), seed_of(12, 3), seed_of(1, 2, 3), seed_of(2, 23)}) == 4
