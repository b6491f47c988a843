"""Attention under a relaxed mask that is learned, with its gradients, on a CPU.

PyTorch's fused CPU attention has no gradient for its mask and falls back to whole [T, T] matrices. Here queries come in
blocks that meet only the keys before their end, which halves the work, and the query heads of a group share their keys
without copies. Shapes: q [B, H_q, T, d], k and v [B, H, T, d], log_keep [B, H, T]; the result is like q. Computed in
float32 whatever autocast says.
"""

import torch

from retrofit.model import mask

BLOCK_QUERIES = 128


def blocked(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, log_keep: torch.Tensor, window: int, scale: float
) -> torch.Tensor:
    """A key more than `window` steps older than the query gets its log_keep added to its score."""
    return _Blocked.apply(q, k, v, log_keep, window, scale)


class _Blocked(torch.autograd.Function):
    """N = B * H pairs of a sequence and a KV head; the G query heads of a group share a pair's keys."""

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    def forward(ctx, q, k, v, log_keep, window: int, scale: float):
        ctx.window, ctx.scale, ctx.shapes = window, scale, (q.shape, k.shape)
        group = q.shape[1] // k.shape[1]
        k, v, log_keep = (x.flatten(0, 1) for x in (k, v, log_keep))
        q = (q * scale).reshape(len(k), group, *q.shape[2:])
        mixed, probabilities = torch.empty_like(q), []
        for block in _blocks(q.shape[2]):
            seen = slice(0, block.stop)
            scores = _grouped(torch.bmm(_rows(q[:, :, block]), k[:, seen].transpose(1, 2)), group)
            scores += mask.relaxed_bias(log_keep[:, seen], window, block.start)[:, None]
            probability = torch.softmax(scores, -1)
            mixed[:, :, block] = _grouped(torch.bmm(_rows(probability), v[:, seen]), group)
            probabilities.append(probability)
        ctx.save_for_backward(q, k, v, mixed, *probabilities)
        return mixed.reshape(ctx.shapes[0])

    @staticmethod
    @torch.amp.custom_bwd(device_type="cpu")
    def backward(ctx, gradient):
        q, k, v, mixed, *probabilities = ctx.saved_tensors
        group = q.shape[1]
        gradient = gradient.float().reshape(q.shape)
        # The softmax's gradient is p * (dp - sum over keys of p * dp), and that sum is the output times its gradient.
        mean = (gradient * mixed).sum(-1, keepdim=True)
        dq, dk, dv = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        dkeep = k.new_zeros(k.shape[:2])
        for block, probability in zip(_blocks(q.shape[2]), probabilities):
            seen = slice(0, block.stop)
            arriving = _rows(gradient[:, :, block])
            dv[:, seen] += torch.bmm(_rows(probability).transpose(1, 2), arriving)
            dscores = _grouped(torch.bmm(arriving, v[:, seen].transpose(1, 2)), group)
            dscores = dscores.sub_(mean[:, :, block]).mul_(probability)
            outside = mask.ages(block.stop, q.device, block.start) > ctx.window
            dkeep[:, seen] += (dscores.sum(1) * outside).sum(1)
            dq[:, :, block] = _grouped(torch.bmm(_rows(dscores), k[:, seen]), group)
            dk[:, seen] += torch.bmm(_rows(dscores).transpose(1, 2), _rows(q[:, :, block]))
        queries, keys = ctx.shapes
        return (dq * ctx.scale).reshape(queries), dk.reshape(keys), dv.reshape(keys), dkeep.reshape(keys[:3]), None, None


def _blocks(tokens: int) -> list[slice]:
    return [slice(begin, min(begin + BLOCK_QUERIES, tokens)) for begin in range(0, tokens, BLOCK_QUERIES)]


def _rows(x: torch.Tensor) -> torch.Tensor:
    """[N, G, T, n] to [N, G * T, n]: one matrix for all query heads of a group."""
    return x.flatten(1, 2)


def _grouped(x: torch.Tensor, group: int) -> torch.Tensor:
    return x.unflatten(1, (group, -1))
