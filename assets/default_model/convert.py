"""The GGUF file of SmolLM2-135M-Instruct as a Hugging Face directory in bfloat16."""

import json

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize

import safetensors_file
from bf16 import to_bf16

LAYER_TENSORS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
CONTROL_TOKEN = 3  # GGUF's token type of special tokens


def rows_to_rotate_half(weight, heads):
    """Undoes the row order GGUF uses for q and k of Llama models.

    GGUF interleaves each head's rows, so that RoPE turns neighbouring channels: [heads, head_dim/2, 2, in].
    Hugging Face's rotate-half form pairs channel i with i + head_dim/2: [heads, 2, head_dim/2, in].
    """
    rows, columns = weight.shape
    pairs = rows // heads // 2
    return weight.reshape(heads, pairs, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def convert(gguf_path, folder, progress=lambda done, total: None):
    """Writes model.safetensors and the JSON files into `folder`."""
    reader = GGUFReader(gguf_path)
    config = model_config(reader)
    sources = {tensor.name: tensor for tensor in reader.tensors}
    names = tensor_names(config["num_hidden_layers"])
    if set(sources) != {gguf_name for gguf_name, _ in names}:
        odd = sorted(set(sources) ^ {gguf_name for gguf_name, _ in names})
        raise ValueError(f"{gguf_path}: tensors missing or unexpected: {', '.join(odd[:5])}")

    done = 0

    def load(gguf_name):
        nonlocal done
        source = sources[gguf_name]
        weight = dequantize(source.data, source.tensor_type).reshape(hf_shape(source))
        if gguf_name.endswith("attn_q.weight"):
            weight = rows_to_rotate_half(weight, config["num_attention_heads"])
        if gguf_name.endswith("attn_k.weight"):
            weight = rows_to_rotate_half(weight, config["num_key_value_heads"])
        done += 1
        progress(done, len(names))
        return to_bf16(weight)

    tensors = [(hf, hf_shape(sources[name]), lambda name=name: load(name)) for name, hf in names]
    safetensors_file.write(folder / "model.safetensors", tensors, {"format": "pt"})
    write_json(folder / "config.json", config)
    write_json(folder / "generation_config.json", generation_config(config))
    write_json(folder / "tokenizer.json", tokenizer(reader))
    write_json(folder / "tokenizer_config.json", tokenizer_config(reader, config))


def tensor_names(layers):
    """(GGUF name, Hugging Face name) of every tensor, in the order of the model."""
    names = [("token_embd.weight", "model.embed_tokens.weight")]
    for layer in range(layers):
        for gguf_name, hf_name in LAYER_TENSORS.items():
            names.append((f"blk.{layer}.{gguf_name}.weight", f"model.layers.{layer}.{hf_name}.weight"))
    return names + [("output_norm.weight", "model.norm.weight")]


def hf_shape(tensor):
    return tuple(int(n) for n in reversed(tensor.shape))  # GGUF lists the fastest axis first


def field(reader, name):
    if name not in reader.fields:
        raise ValueError(f"the GGUF file lacks {name}")
    return reader.fields[name].contents()


def model_config(reader):
    def value(name):
        return field(reader, f"llama.{name}")

    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "bos_token_id": field(reader, "tokenizer.ggml.bos_token_id"),
        "eos_token_id": field(reader, "tokenizer.ggml.eos_token_id"),
        "pad_token_id": field(reader, "tokenizer.ggml.padding_token_id"),
        "hidden_act": "silu",
        "hidden_size": value("embedding_length"),
        "intermediate_size": value("feed_forward_length"),
        "max_position_embeddings": value("context_length"),
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": value("attention.head_count"),
        "num_hidden_layers": value("block_count"),
        "num_key_value_heads": value("attention.head_count_kv"),
        # stored as float32: its shortest decimal form is the number that was meant
        "rms_norm_eps": float(str(np.float32(value("attention.layer_norm_rms_epsilon")))),
        "rope_scaling": None,
        "rope_theta": value("rope.freq_base"),
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "vocab_size": value("vocab_size"),
    }


def generation_config(config):
    return {key: config[key] for key in ("bos_token_id", "eos_token_id", "pad_token_id")}


def added_token(token):
    return {"content": token, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}


def special_tokens(reader):
    """(id, token) of every special token."""
    tokens = field(reader, "tokenizer.ggml.tokens")
    types = field(reader, "tokenizer.ggml.token_type")
    return [(i, token) for i, (token, kind) in enumerate(zip(tokens, types)) if kind == CONTROL_TOKEN]


def tokenizer(reader):
    """tokenizer.json: GPT-2's byte-level BPE behind a split of numbers into single digits."""
    expected = {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "smollm"}
    for name, value in expected.items():
        if field(reader, name) != value:
            raise ValueError(f"{name} is {field(reader, name)!r}, expected {value!r}")
    tokens = field(reader, "tokenizer.ggml.tokens")
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i} | added_token(token) | {"special": True} for i, token in special_tokens(reader)],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level],
        },
        "post_processor": None,
        "decoder": byte_level | {"add_prefix_space": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": field(reader, "tokenizer.ggml.merges"),
        },
    }


def tokenizer_config(reader, config):
    tokens = field(reader, "tokenizer.ggml.tokens")
    specials = special_tokens(reader)
    return {
        "add_prefix_space": False,
        "added_tokens_decoder": {str(i): added_token(token) | {"special": True} for i, token in specials},
        "bos_token": tokens[config["bos_token_id"]],
        "chat_template": field(reader, "tokenizer.chat_template"),
        "clean_up_tokenization_spaces": False,
        "eos_token": tokens[config["eos_token_id"]],
        "model_max_length": config["max_position_embeddings"],
        "pad_token": tokens[config["pad_token_id"]],
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": tokens[field(reader, "tokenizer.ggml.unknown_token_id")],
    }


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
