"""The semantics of DMScope as one masked float32 forward pass in PyTorch.

Purpose: an oracle for the engine that shares no code with it. Everything is written for reading: one sequence, no
cache, the whole [T, T] visibility mask at once. Contract: with nothing evicted and no channel zeroed the logits equal
those of transformers on the same folder (make_fixtures.py checks this for every fixture).
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file


@dataclass
class GateForm:
    """How a checkpoint expresses its decision logits, and the properties that come with that form."""

    adapter: bool  # separate projection of the layer input, else a borrowed query channel
    lag: int  # the logit computed at token t judges token t - lag
    zero_after_rope: bool  # a borrowed channel is zeroed before RoPE always, after it only in NVIDIA's form
    per_layer: bool
    window: int
    scale: float
    offset: float
    disabled: bool


@dataclass
class Policy:
    """dense | dms | window | knorm with its parameters; window and threshold are those of the run."""

    kind: str
    window: int = 0
    threshold: float = 0.0
    sinks: int = 4


@dataclass
class Checkpoint:
    config: dict
    tensors: dict  # name -> float32 tensor
    gates: GateForm | None


@dataclass
class Result:
    logits: torch.Tensor  # [T, vocab]
    gates: torch.Tensor | None  # [L, H_kv, T], NaN where undecided
    live: torch.Tensor  # [L, H_kv, T] int32


def load_checkpoint(folder):
    folder = Path(folder)
    config = json.loads((folder / "config.json").read_text())
    tensors = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors.update({name: t.float() for name, t in load_file(file).items()})
    return Checkpoint(config, tensors, read_gate_form(folder, config))


def read_gate_form(folder, config):
    """FastDMS metadata wins over dms_* keys; neither means a plain checkpoint."""
    metadata = None
    if (folder / "dms_metadata.json").exists():
        metadata = json.loads((folder / "dms_metadata.json").read_text())
        metadata = metadata.get("config", metadata)
    elif (folder.parent / "training_log.json").exists():
        metadata = json.loads((folder.parent / "training_log.json").read_text()).get("config", {})
    if metadata is not None:
        return GateForm(
            adapter=False,
            lag=0,
            zero_after_rope=False,
            per_layer=False,
            window=metadata.get("window_size", 256),
            scale=metadata.get("alpha_scale", 100.0),
            offset=metadata.get("alpha_offset", 5.0),
            disabled=False,
        )
    if not any(key.startswith("dms_") for key in config):
        return None
    return GateForm(
        adapter=config.get("dms_separate_alpha", False),
        lag=1,
        zero_after_rope=True,
        per_layer=config.get("dms_alpha_per", "head") == "layer",
        window=config.get("dms_window_size", 512),
        scale=config.get("dms_alpha_scale", 100.0),
        offset=config.get("dms_initial_alpha_offset", 5.0),
        disabled=config.get("dms_disable_eviction", False),
    )


def head_shape(config):
    """(query heads, KV heads, head dimension) with the defaults of each architecture's configuration class."""
    heads = config["num_attention_heads"]
    kv_heads = config.get("num_key_value_heads", heads)
    default_dim = 128 if config["model_type"] == "qwen3" else config["hidden_size"] // heads
    return heads, kv_heads, config.get("head_dim", default_dim)


def rms_norm(x, weight, eps):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


def linear(x, tensors, name):
    y = x @ tensors[name + ".weight"].T
    bias = tensors.get(name + ".bias")
    return y if bias is None else y + bias


def inverse_frequencies(config, head_dim):
    """Rotation speed of each channel pair, radians per position, with Llama 3's piecewise stretching."""
    rope = dict(config.get("rope_scaling") or {}) | dict(config.get("rope_parameters") or {})
    theta = rope.get("rope_theta", config.get("rope_theta", 10000.0))
    speed = 1.0 / theta ** (torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
    if rope.get("rope_type", rope.get("type", "default")) == "default":
        return speed
    assert rope.get("rope_type", rope.get("type")) == "llama3"
    trained = rope["original_max_position_embeddings"]
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    turns = trained * speed / (2 * math.pi)  # full turns within the trained length
    blend = ((turns - low) / (high - low)).clamp(0.0, 1.0)  # 0: fully stretched, 1: untouched
    return (1.0 - blend) * speed / rope["factor"] + blend * speed


def rotate(x, angles):
    """RoPE in the rotate-half layout; x is [heads, T, head_dim], angles [T, head_dim / 2]."""
    first, second = x.chunk(2, dim=-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def judged(computed, lag):
    """Move logits from the token that computed them to the token they judge; the newest ones are undecided."""
    if lag == 0:
        return computed
    undecided = torch.full_like(computed[:, :lag], math.nan)
    return torch.cat([computed[:, lag:], undecided], dim=1)


def visibility(policy, form, gates, kv_heads, tokens):
    """[H_kv, T query, T key] booleans: what each query sees."""
    age = torch.arange(tokens)[:, None] - torch.arange(tokens)[None, :]
    causal = (age >= 0).expand(kv_heads, tokens, tokens)
    recent = age <= policy.window
    if policy.kind == "dense" or (policy.kind == "dms" and form.disabled):
        return causal
    if policy.kind == "window":
        return causal & (recent | (torch.arange(tokens) < policy.sinks))
    marked = gates > policy.threshold  # NaN (undecided) compares false
    return causal & (recent | ~marked[:, None, :])


def attention(checkpoint, policy, layer, x, angles, zeroing=True):
    """One attention block on the layer input x [T, hidden]; returns (output, gates or None, live)."""
    config, tensors, form = checkpoint.config, checkpoint.tensors, checkpoint.gates
    heads, kv_heads, dim = head_shape(config)
    group = heads // kv_heads
    tokens = x.shape[0]
    prefix = f"model.layers.{layer}."
    block = prefix + "self_attn."
    eps = config.get("rms_norm_eps", 1e-6)

    normed = rms_norm(x, tensors[prefix + "input_layernorm.weight"], eps)
    q, k, v = (
        linear(normed, tensors, block + name).view(tokens, -1, dim).transpose(0, 1)
        for name in ("q_proj", "k_proj", "v_proj")
    )
    if block + "q_norm.weight" in tensors:
        q = rms_norm(q, tensors[block + "q_norm.weight"], eps)
        k = rms_norm(k, tensors[block + "k_norm.weight"], eps)

    gates = None
    borrowed = form is not None and not form.adapter
    if form is not None:
        if form.adapter:
            adapter_input = rms_norm(x, tensors[block + "dms_proj_alpha_norm.weight"], eps)
            raw = linear(adapter_input, tensors, block + "dms_proj_alpha").T
        else:
            raw = q[::group, :, -1].clone()
        if form.per_layer:
            raw = raw[:1].expand(kv_heads, tokens)
        gates = judged(raw * form.scale - form.offset, form.lag)

    if borrowed and zeroing:
        q[::group, :, -1] = 0.0
    q, k = rotate(q, angles), rotate(k, angles)
    if borrowed and zeroing and form.zero_after_rope:
        q[::group, :, -1] = 0.0
    if policy.kind == "knorm":
        gates = k.norm(dim=-1)

    visible = visibility(policy, form, gates, kv_heads, tokens)
    scores = q.view(kv_heads, group, tokens, dim) @ k[:, None].transpose(-1, -2) * dim**-0.5
    weights = scores.masked_fill(~visible[:, None], -math.inf).softmax(-1)
    mixed = (weights @ v[:, None]).reshape(heads, tokens, dim).transpose(0, 1).reshape(tokens, heads * dim)
    return linear(mixed, tensors, block + "o_proj"), gates, visible.sum(-1, dtype=torch.int32)


def feed_forward(checkpoint, layer, x):
    tensors, prefix = checkpoint.tensors, f"model.layers.{layer}."
    weight = tensors[prefix + "post_attention_layernorm.weight"]
    normed = rms_norm(x, weight, checkpoint.config.get("rms_norm_eps", 1e-6))
    gate = torch.nn.functional.silu(linear(normed, tensors, prefix + "mlp.gate_proj"))
    return linear(gate * linear(normed, tensors, prefix + "mlp.up_proj"), tensors, prefix + "mlp.down_proj")


@torch.no_grad()
def forward(checkpoint, ids, policy, zeroing=True):
    """Teacher-forced pass over ids. zeroing=False leaves a borrowed channel in place, to compare with transformers."""
    config, tensors = checkpoint.config, checkpoint.tensors
    head_dim = head_shape(config)[2]
    angles = torch.arange(len(ids), dtype=torch.float32)[:, None] * inverse_frequencies(config, head_dim)
    x = tensors["model.embed_tokens.weight"][torch.tensor(ids)]
    gates, live = [], []
    for layer in range(config["num_hidden_layers"]):
        mixed, layer_gates, layer_live = attention(checkpoint, policy, layer, x, angles, zeroing)
        x = x + mixed
        x = x + feed_forward(checkpoint, layer, x)
        gates.append(layer_gates)
        live.append(layer_live)
    x = rms_norm(x, tensors["model.norm.weight"], config.get("rms_norm_eps", 1e-6))
    tied = config.get("tie_word_embeddings", False)
    head = tensors["model.embed_tokens.weight" if tied else "lm_head.weight"]
    return Result(x @ head.T, None if gates[0] is None else torch.stack(gates), torch.stack(live))
