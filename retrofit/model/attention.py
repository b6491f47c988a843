"""Attention with DMS gates, in the place of transformers' own attention module of Llama, Qwen2 and Qwen3.

It holds the original's projections under their names, so that weights keep their names, and adds: the adapter
(`dms_proj_alpha_norm`, `dms_proj_alpha`, names of NVIDIA's layout) or the rows of the borrowed neurons, and the
low-rank updates. In Mode.TEACHER it computes what the original computes: one copy of the weights serves as both.
"""

import torch
from torch import nn
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from retrofit.model import attend, mask
from retrofit.model.gate_form import GateForm
from retrofit.model.low_rank import LowRankUpdate
from retrofit.model.state import Mode, PassState

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj")


class AdapterNorm(nn.Module):
    """RMSNorm with statistics in float32, as the decoder layers' own."""

    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.float()
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


class DmsAttention(nn.Module):
    def __init__(self, original: nn.Module, form: GateForm, kernel: str):
        super().__init__()
        self.layer_idx = original.layer_idx
        self.head_dim = original.head_dim
        self.group = original.num_key_value_groups
        self.scaling = original.scaling
        self.form, self.kernel = form, kernel
        for name in PROJECTIONS:
            setattr(self, name, getattr(original, name))
        self.q_norm = getattr(original, "q_norm", nn.Identity())
        self.k_norm = getattr(original, "k_norm", nn.Identity())
        hidden = original.q_proj.in_features
        self.kv_heads = original.k_proj.out_features // self.head_dim
        if form.adapter:
            # Zero: at first every z is -offset, and nothing is evicted.
            self.dms_proj_alpha_norm = AdapterNorm(hidden, original.config.rms_norm_eps)
            self.dms_proj_alpha = nn.Linear(
                hidden, self.kv_heads, bias=getattr(original.config, "attention_bias", False)
            )
            nn.init.zeros_(self.dms_proj_alpha.weight)
            if self.dms_proj_alpha.bias is not None:
                nn.init.zeros_(self.dms_proj_alpha.bias)
        else:
            # What the borrowed rows of q_proj become; q_proj keeps the teacher's.
            self.borrowed_rows = nn.Parameter(torch.zeros(self.kv_heads, hidden))
            self.borrowed_bias = None
            if self.q_proj.bias is not None:
                self.borrowed_bias = nn.Parameter(torch.zeros(self.kv_heads))
        self.updates = nn.ModuleDict()
        self.layer_input: torch.Tensor | None = None  # set as the decoder layer is called, see load.py

    def add_updates(self, rank: int, generator: torch.Generator) -> None:
        for name in PROJECTIONS:
            self.updates[name] = LowRankUpdate(getattr(self, name), rank, generator)

    def borrowed_row_indices(self) -> list[int]:
        """Rows of q_proj that hold the borrowed neurons: the last channel of the first query head of each group."""
        return [(head * self.group + 1) * self.head_dim - 1 for head in range(self.kv_heads)]

    def forward(self, hidden_states, position_embeddings, attention_mask=None, dms: PassState | None = None, **_):
        """The decoder layer's call. attention_mask is ignored: sequences are packed, without padding."""
        if dms is None:
            raise TypeError("a model with DMS gates is called with dms=PassState(...)")
        layer_input, self.layer_input = self.layer_input, None
        q, k, v = self._projected(hidden_states, dms)
        logits = self._logits(q, layer_input, dms)
        q, k = self._rotated(q, k, position_embeddings, dms)
        mixed = self._attended(q, k, v, logits, dms)
        return self._project("o_proj", mixed, dms), None

    def _project(self, name: str, x: torch.Tensor, dms: PassState) -> torch.Tensor:
        y = getattr(self, name)(x)
        return y + self.updates[name](x) if name in self.updates and dms.mode is not Mode.TEACHER else y

    def _projected(self, x: torch.Tensor, dms: PassState) -> tuple[torch.Tensor, ...]:
        """q [B, H_q, T, d], k, v [B, H, T, d] before RoPE."""
        q, k, v = (self._heads(self._project(name, x, dms)) for name in PROJECTIONS[:3])
        if not self.form.adapter and dms.mode is not Mode.TEACHER:
            q = self._with_borrowed_channel(q, x, dms)
        return self.q_norm(q).transpose(1, 2), self.k_norm(k).transpose(1, 2), v.transpose(1, 2)

    def _heads(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(-1, (-1, self.head_dim))

    def _with_borrowed_channel(self, q: torch.Tensor, x: torch.Tensor, dms: PassState) -> torch.Tensor:
        """q [B, T, H_q, d] whose borrowed channels come from the rows that are trained, or fade out before that."""
        if dms.mode is Mode.ZEROING:
            return self._scale_borrowed(q, dms.channel_scale)
        with torch.autocast(x.device.type, enabled=False):  # times 100 it decides: bfloat16 is too coarse
            channel = nn.functional.linear(x.float(), self.borrowed_rows, self.borrowed_bias)
        # The first head of each group, then the rest; the query norm sees the new channel, as inference does.
        first = q[:, :, :: self.group]
        first = torch.cat([first[..., :-1], channel[..., None].to(q.dtype)], -1)
        return self._replace_first_heads(q, first)

    def _scale_borrowed(self, q: torch.Tensor, factor: float) -> torch.Tensor:
        first = q[:, :, :: self.group]
        return self._replace_first_heads(q, torch.cat([first[..., :-1], first[..., -1:] * factor], -1))

    def _replace_first_heads(self, q: torch.Tensor, first: torch.Tensor) -> torch.Tensor:
        grouped = q.unflatten(2, (self.kv_heads, self.group))
        return torch.cat([first[:, :, :, None], grouped[:, :, :, 1:]], 3).flatten(2, 3)

    def _logits(self, q: torch.Tensor, layer_input: torch.Tensor | None, dms: PassState) -> torch.Tensor | None:
        """z [B, H, T] in float32 at the token that computes it."""
        if dms.mode in (Mode.TEACHER, Mode.ZEROING):
            return None
        if self.form.adapter:
            with torch.autocast(q.device.type, enabled=False):
                raw = self.dms_proj_alpha(self.dms_proj_alpha_norm(layer_input)).transpose(1, 2)
        else:
            raw = q[:, :: self.group, :, -1].float()
        if self.form.per_layer:
            raw = raw[:, :1].expand(-1, self.kv_heads, -1)
        return raw * self.form.scale - self.form.offset

    def _rotated(self, q, k, position_embeddings, dms: PassState) -> tuple[torch.Tensor, torch.Tensor]:
        if self.form.adapter or dms.mode is Mode.TEACHER:
            return apply_rotary_pos_emb(q, k, *position_embeddings)
        factor = dms.channel_scale if dms.mode is Mode.ZEROING else 0.0
        if dms.mode is not Mode.ZEROING:  # there it is scaled already, before the query norm
            q = self._scale_borrowed(q.transpose(1, 2), 0.0).transpose(1, 2)
        q, k = apply_rotary_pos_emb(q, k, *position_embeddings)
        if self.form.zero_after_rope:
            q = self._scale_borrowed(q.transpose(1, 2), factor).transpose(1, 2)
        return q, k

    def _attended(self, q, k, v, logits: torch.Tensor | None, dms: PassState) -> torch.Tensor:
        if logits is None:
            return attend.causal(q, k, v, self.scaling)
        if dms.mode is Mode.HARD:
            return self._attended_hard(q, k, v, logits, dms)
        log_keep = mask.log_keep(logits - dms.threshold, dms.noise[self.layer_idx], dms.tau)
        decided = log_keep[..., self.form.lag :]
        dms.closed[self.layer_idx] = -torch.expm1(decided).mean((1, 2))
        log_keep = mask.judged(log_keep, self.form.lag, 0.0)  # log 1: the undecided are kept
        return attend.masked(q, k, v, log_keep, self.form.window, self.scaling, self.kernel)

    def _attended_hard(self, q, k, v, logits: torch.Tensor, dms: PassState) -> torch.Tensor:
        gates = mask.judged(logits, self.form.lag, torch.nan)
        marked = (gates > dms.threshold) & (not self.form.disabled)  # NaN, undecided, compares false
        dms.gates[self.layer_idx] = gates
        dms.live[self.layer_idx] = mask.live_slots(marked, self.form.window)
        log_keep = torch.zeros_like(gates).masked_fill(marked, -torch.inf)
        return attend.masked(q, k, v, log_keep, self.form.window, self.scaling, self.kernel)
