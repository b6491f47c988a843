"""Attention in blocks of queries against whole matrices."""

import pytest
import torch

from retrofit.model import attend, blocked_attention, mask


def gradients(attention, inputs):
    leaves = [x.clone().requires_grad_() for x in inputs]
    mixed = attention(*leaves)
    mixed.backward(torch.linspace(-1, 1, mixed.numel()).reshape(mixed.shape))
    return [mixed.detach(), *(leaf.grad for leaf in leaves)]


@pytest.mark.parametrize("tokens", [1, 4, 11])
@pytest.mark.parametrize("window", [0, 3, 20])
@pytest.mark.parametrize("group", [1, 3])
def test_blocks_have_the_result_and_the_gradients_of_the_whole(monkeypatch, tokens, window, group):
    monkeypatch.setattr(blocked_attention, "BLOCK_QUERIES", 4)
    generator = torch.Generator().manual_seed(1)
    batch, heads, dim = 2, 2, 8
    q = torch.randn(batch, heads * group, tokens, dim, generator=generator)
    k, v = torch.randn(2, batch, heads, tokens, dim, generator=generator)
    log_keep = torch.nn.functional.logsigmoid(10 * torch.randn(batch, heads, tokens, generator=generator))

    def whole(q, k, v, log_keep):
        bias = mask.relaxed_bias(log_keep, window).repeat_interleave(group, 1)
        k, v = (x.repeat_interleave(group, 1) for x in (k, v))
        scores = q @ k.transpose(-1, -2) * 0.3 + bias
        return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)

    def blocks(q, k, v, log_keep):
        return attend.masked(q, k, v, log_keep, window, 0.3, "sdpa")

    for expected, found in zip(gradients(whole, (q, k, v, log_keep)), gradients(blocks, (q, k, v, log_keep))):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_blocks_compute_in_float32_under_autocast():
    inputs = torch.linspace(-2, 2, 4 * 16 * 8).reshape(4, 1, 1, 16, 8)[:3]
    log_keep = torch.full((1, 1, 16), -0.5)
    exact = gradients(lambda *x: blocked_attention.blocked(*x, 2, 0.3), (*inputs, log_keep))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = gradients(lambda *x: blocked_attention.blocked(*x, 2, 0.3), (*inputs, log_keep))
    for expected, found in zip(exact, mixed):
        torch.testing.assert_close(found, expected, rtol=0, atol=0)
