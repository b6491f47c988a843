"""What the fixtures are: tiny checkpoints of every architecture and gate form, and the runs whose results are stored.

Data only; make_fixtures.py turns it into files. Sizes are odd on purpose (widths that no vector length divides, groups
of 1, 2 and 3), windows are smaller than the texts so that marked tokens do leave, and every feature is the point of at
least one fixture.
"""

from dataclasses import dataclass, field

LLAMA3_ROPE = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 48,  # short, so that the stretching shows within the texts
}


@dataclass
class Run:
    """One stored result: command-line arguments and what they mean."""

    name: str
    arguments: list = field(default_factory=list)
    kind: str = "dense"  # policy
    window: int = 0
    threshold: float = 0.0
    sinks: int = 4
    tokens: int = 40


@dataclass
class Fixture:
    name: str  # also the checkpoint's folder
    config: dict
    runs: list
    dtype: str = "bfloat16"
    borrowed: bool = False  # the rows that become gates are scaled to give logits of usable size
    gate_spread: float = 8.0  # standard deviation of the decision logits
    spread_keys: bool = False  # key norms that differ widely between tokens
    shards: int = 1
    extra_files: dict = field(default_factory=dict)  # relative to the checkpoint's folder
    extra_tensors: tuple = ()
    wide_gate_dtype: bool = False  # gate tensors in float32 beside bfloat16 weights


def sizes(hidden, intermediate, layers, heads, kv_heads=None, head_dim=None, vocab=61):
    config = {
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "vocab_size": vocab,
        "max_position_embeddings": 512,
        "hidden_act": "silu",
    }
    if kv_heads is not None:
        config["num_key_value_heads"] = kv_heads
    if head_dim is not None:
        config["head_dim"] = head_dim
    return config


def llama(*args, **kwargs):
    extra = kwargs.pop("extra", {})
    base = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "rms_norm_eps": 1e-5}
    return base | sizes(*args, **kwargs) | extra


def qwen2(*args, **kwargs):
    extra = kwargs.pop("extra", {})
    base = {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "rms_norm_eps": 1e-6, "rope_theta": 1000000.0}
    return base | sizes(*args, **kwargs) | extra


def qwen3(*args, **kwargs):
    extra = kwargs.pop("extra", {})
    base = {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "rms_norm_eps": 1e-6, "rope_theta": 1000000.0}
    return base | sizes(*args, **kwargs) | extra


def without(config, *keys):
    return {key: value for key, value in config.items() if key not in keys}


def dms(window, **keywords):
    return Run(f"dms-w{window}", [], "dms", window, **keywords)


def dms_override(window, threshold=0.0):
    arguments = ["--policy", "dms", "--window", str(window), "--threshold", str(threshold)]
    return Run(f"dms-w{window}-theta{threshold:g}", arguments, "dms", window, threshold)


def sliding(window, sinks=None):
    arguments = ["--policy", "window", "--window", str(window)]
    arguments += [] if sinks is None else ["--sinks", str(sinks)]
    sinks = 4 if sinks is None else sinks
    return Run(f"window-w{window}-sinks{sinks}", arguments, "window", window, sinks=sinks)


def key_norm(window, threshold):
    arguments = ["--policy", "knorm", "--window", str(window), "--threshold", str(threshold)]
    return Run(f"knorm-w{window}", arguments, "knorm", window, threshold)


DENSE = Run("dense")
DENSE_NAMED = Run("dense", ["--policy", "dense"])
TIED = {"tie_word_embeddings": True}
# Fast enough a rotation of the last channel pair to show whether a borrowed channel is zeroed again after RoPE.
FAST_ROPE = {"rope_theta": 30.0}


def plain_fixtures():
    return [
        # As Llama 2 is published: no rope_theta, no KV-head count, an unused frequency table among the tensors.
        Fixture(
            "llama2",
            without(llama(24, 36, 2, 4, extra={"tie_word_embeddings": False}), "architectures"),
            [DENSE, sliding(5, 2)],
            dtype="float16",
            extra_tensors=("model.layers.0.self_attn.rotary_emb.inv_freq",),
        ),
        Fixture(
            "llama3",
            llama(24, 40, 2, 6, 3, extra=TIED | {"rope_theta": 500000.0, "rope_scaling": LLAMA3_ROPE}),
            [DENSE, sliding(8), sliding(0, 0)],
        ),
        Fixture(
            "llama3-rope-parameters",
            llama(42, 52, 3, 3, 1, 10, 97, extra=TIED | {"rope_parameters": LLAMA3_ROPE | {"rope_theta": 500.0}}),
            [DENSE],
        ),
        Fixture(
            "llama-bias",
            llama(20, 28, 2, 4, 2, 8, extra={"attention_bias": True, "mlp_bias": True, "rope_theta": 1000.0}),
            [DENSE, sliding(3)],
            dtype="float32",
        ),
        Fixture("qwen2", qwen2(24, 36, 2, 6, 2), [DENSE, sliding(6)]),
        Fixture("qwen2-sharded", qwen2(28, 44, 3, 2, 1, extra=TIED | {"rms_norm_eps": 0.02}), [DENSE], shards=3),
        Fixture("qwen3", qwen3(32, 44, 2, 4, 2, 12, extra=TIED | {"rms_norm_eps": 0.02}), [DENSE, sliding(2, 1)]),
        Fixture("qwen3-default-head-dim", qwen3(12, 20, 1, 2, 1, extra=TIED), [DENSE]),
        Fixture("qwen3-bias", qwen3(20, 28, 2, 3, 1, 10, extra={"attention_bias": True}), [DENSE], dtype="float16"),
        Fixture(
            "llama-keys",
            llama(24, 36, 2, 4, 2, extra=TIED),
            [key_norm(3, 12.0), key_norm(0, 12.0)],
            spread_keys=True,
        ),
        Fixture("qwen3-keys", qwen3(24, 36, 2, 4, 2, 10, extra=TIED), [key_norm(8, 8.0)], spread_keys=True),
    ]


def nvidia_fixtures():
    """dms_* keys in config.json: lag 1, a borrowed channel zeroed before and after RoPE."""
    return [
        # Everything but the window left to its default.
        Fixture(
            "qwen3-borrowed",
            qwen3(
                24, 36, 2, 4, 2, 10,
                extra=TIED | FAST_ROPE | {"architectures": ["Qwen3ForCausalLMDMS"], "dms_window_size": 8},
            ),
            [dms(8), dms_override(0), dms_override(3, -4.0), DENSE_NAMED, sliding(4)],
            borrowed=True,
        ),
        Fixture(
            "llama-borrowed",
            llama(
                24, 36, 2, 6, 2, 8,
                extra=TIED | {"dms_window_size": 3, "dms_alpha_scale": 10.0, "dms_initial_alpha_offset": 0.5,
                              "dms_separate_alpha": False, "dms_alpha_per": "head", "dms_disable_eviction": False,
                              "rope_theta": 20.0, "rope_scaling": LLAMA3_ROPE},
            ),
            [dms(3)],
            borrowed=True,
        ),
        # Longer than a prefill chunk is likely to be, so that decisions cross its border.
        Fixture(
            "llama-borrowed-long",
            llama(16, 24, 2, 2, 1, vocab=31, extra=TIED | {"dms_window_size": 40, "rope_theta": 300.0}),
            [dms(40, tokens=200)],
            borrowed=True,
            gate_spread=12.0,
        ),
        Fixture(
            "qwen2-borrowed",
            qwen2(24, 36, 2, 2, 2, extra=FAST_ROPE | {"dms_window_size": 1}),
            [dms(1)],
            borrowed=True,
        ),
        Fixture(
            "llama-adapter",
            llama(24, 36, 2, 6, 3, extra=TIED | {"dms_separate_alpha": True, "dms_window_size": 8}),
            [dms(8), dms_override(1, -3.0), DENSE_NAMED],
            wide_gate_dtype=True,
        ),
        # The bias is inside the scaling. A large epsilon shows which one the adapter's norm uses.
        Fixture(
            "llama-adapter-bias",
            llama(
                24, 36, 2, 4, 2,
                extra=TIED | {"dms_separate_alpha": True, "attention_bias": True, "dms_window_size": 3,
                              "dms_alpha_scale": 20.0, "dms_initial_alpha_offset": 2.0, "rms_norm_eps": 0.05},
            ),
            [dms(3)],
            dtype="float32",
        ),
        Fixture(
            "qwen3-adapter-layer",
            qwen3(
                20, 28, 2, 6, 3, 8,
                extra=TIED | {"dms_separate_alpha": True, "dms_alpha_per": "layer", "dms_window_size": 3},
            ),
            [dms(3)],
        ),
        Fixture(
            "llama-borrowed-layer",
            llama(24, 36, 2, 4, 2, extra=TIED | FAST_ROPE | {"dms_alpha_per": "layer", "dms_window_size": 5}),
            [dms(5)],
            borrowed=True,
        ),
        Fixture(
            "qwen3-disabled",
            qwen3(20, 28, 2, 4, 2, 8, extra=TIED | FAST_ROPE | {"dms_disable_eviction": True, "dms_window_size": 3}),
            [dms(3)],
            borrowed=True,
        ),
    ]


def fastdms_fixtures():
    """Metadata beside or above the weights: lag 0, a borrowed channel zeroed before RoPE only."""
    conflicting = {"dms_window_size": 16, "dms_alpha_scale": 1.0, "dms_initial_alpha_offset": 0.0}
    return [
        Fixture(
            "llama-fastdms",
            llama(24, 36, 2, 4, 2, extra=TIED | FAST_ROPE | conflicting),
            [dms(3), dms_override(0), DENSE_NAMED],
            borrowed=True,
            extra_files={
                "dms_metadata.json": {"window_size": 3, "alpha_scale": 100.0, "alpha_offset": 4.25, "target_cr": 8}
            },
        ),
        Fixture(
            "qwen3-fastdms-nested",
            qwen3(20, 28, 2, 6, 2, 8, extra=TIED | FAST_ROPE),
            [dms(8)],
            borrowed=True,
            extra_files={"dms_metadata.json": {"config": {"window_size": 8}, "created": "2026"}},
        ),
        Fixture(
            "llama-fastdms-log/final",
            llama(21, 28, 2, 3, 1, 8, extra=TIED | FAST_ROPE),
            [dms(1)],
            borrowed=True,
            extra_files={
                "../training_log.json": {
                    "config": {"window_size": 1, "alpha_scale": 50.0, "alpha_offset": 2.0, "target_cr": 4},
                    "log": [],
                }
            },
        ),
    ]


def all_fixtures():
    return plain_fixtures() + nvidia_fixtures() + fastdms_fixtures()
