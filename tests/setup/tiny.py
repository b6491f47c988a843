"""Tiny stand-ins for the default model: a GGUF file, a plain checkpoint and a compact file of gates."""

import json

import numpy as np
from gguf import GGUFWriter

import safetensors_file
from bf16 import to_bf16

LAYERS, HIDDEN, INTERMEDIATE, QUERY_HEADS, KV_HEADS, VOCAB = 2, 8, 12, 4, 2, 6
KV_ROWS = HIDDEN // QUERY_HEADS * KV_HEADS
TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "a", "b", "ab"]
METADATA = {
    "dms_alpha_per": "head",
    "dms_alpha_scale": "100",
    "dms_initial_alpha_offset": "5",
    "dms_separate_alpha": "true",
    "dms_window_size": "64",
    "lag": "1",
    "merge": "W + B @ A",
}


def interleave(weight, heads):
    """The row order GGUF gives q and k: within a head, rows i and i + head_dim/2 become neighbours."""
    rows = []
    head_dim = weight.shape[0] // heads
    for head in range(heads):
        for i in range(head_dim // 2):
            rows += [head * head_dim + i, head * head_dim + i + head_dim // 2]
    return weight[rows]


def weights(seed=1):
    """Hugging Face names and float32 values that bfloat16 holds exactly."""
    random = np.random.default_rng(seed)

    def some(*shape):
        return random.integers(-128, 128, shape).astype(np.float32) / 64

    values = {"model.embed_tokens.weight": some(VOCAB, HIDDEN), "model.norm.weight": some(HIDDEN)}
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."
        values |= {
            prefix + "input_layernorm.weight": some(HIDDEN),
            prefix + "self_attn.q_proj.weight": some(HIDDEN, HIDDEN),
            prefix + "self_attn.k_proj.weight": some(KV_ROWS, HIDDEN),
            prefix + "self_attn.v_proj.weight": some(KV_ROWS, HIDDEN),
            prefix + "self_attn.o_proj.weight": some(HIDDEN, HIDDEN),
            prefix + "post_attention_layernorm.weight": some(HIDDEN),
            prefix + "mlp.gate_proj.weight": some(INTERMEDIATE, HIDDEN),
            prefix + "mlp.up_proj.weight": some(INTERMEDIATE, HIDDEN),
            prefix + "mlp.down_proj.weight": some(HIDDEN, INTERMEDIATE),
        }
    return values


def gguf_name(name):
    names = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}
    if name in names:
        return names[name]
    parts = {
        "input_layernorm": "attn_norm",
        "q_proj": "attn_q",
        "k_proj": "attn_k",
        "v_proj": "attn_v",
        "o_proj": "attn_output",
        "post_attention_layernorm": "ffn_norm",
        "gate_proj": "ffn_gate",
        "up_proj": "ffn_up",
        "down_proj": "ffn_down",
    }
    fields = name.split(".")
    return f"blk.{fields[2]}.{parts[fields[-2]]}.weight"


def write_gguf(path, values, pre_tokenizer="smollm"):
    writer = GGUFWriter(str(path), "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(32)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INTERMEDIATE)
    writer.add_head_count(QUERY_HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(100000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCAB)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer)
    writer.add_token_list(TOKENS)
    writer.add_token_types([3, 3, 3, 1, 1, 1])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_chat_template("{{ messages }}")
    for name, value in values.items():
        heads = {"q_proj": QUERY_HEADS, "k_proj": KV_HEADS}.get(name.split(".")[-2])
        writer.add_tensor(gguf_name(name), interleave(value, heads) if heads else value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_tensors(path, values, metadata=None):
    tensors = [(name, value.shape, lambda value=value: to_bf16(value)) for name, value in values.items()]
    safetensors_file.write(path, tensors, metadata or {"format": "pt"})


def write_plain(folder, values):
    folder.mkdir()
    write_tensors(folder / "model.safetensors", values)
    config = {"hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_key_value_heads": KV_HEADS}
    (folder / "config.json").write_text(json.dumps(config))
    for name in ("generation_config.json", "tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_text("{}")


def compact_values(rank=2, seed=2):
    random = np.random.default_rng(seed)

    def some(*shape):
        return random.integers(-128, 128, shape).astype(np.float32) / 64

    values = {}
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}.self_attn."
        values[prefix + "dms_proj_alpha_norm.weight"] = some(HIDDEN)
        values[prefix + "dms_proj_alpha.weight"] = some(KV_HEADS, HIDDEN)
        values[prefix + "k_proj.lora_A.weight"] = some(rank, HIDDEN)
        values[prefix + "k_proj.lora_B.weight"] = some(KV_ROWS, rank)
    return values
