"""A tiny random Llama with a byte-level tokenizer and a chat template, and text to train it on."""

import json
import random
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from retrofit.data.documents import read_documents
from retrofit.data.prepared import prepare
from retrofit.data.tokens import Tokens
from retrofit.training.recipe import recipe_of

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SIZES = {
    "vocab_size": 259,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "eos_token_id": 2,
}


def write_model(folder: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(**SIZES, tie_word_embeddings=True, initializer_range=0.3)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    bytes_as_text = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {word: number for number, word in enumerate(SPECIAL + bytes_as_text)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": TEMPLATE}))
    return folder


def write_text(path: Path, documents: int = 60) -> Path:
    words = "the cat sat on a mat and saw that every dog in town ran to the old mill near the river".split()
    rng = random.Random(4)
    texts = (" ".join(rng.choices(words, k=60)) + "." for _ in range(documents))
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


def write_data(folder: Path, model: Path) -> Path:
    documents = read_documents([write_text(folder.parent / "text.jsonl")])
    prepare(folder, Tokens(model), {"text": documents}, heldout=0.2, seed=1, limit=10**6)
    return folder


def recipe(model: Path, data: Path, /, **sections):
    """A recipe of 20 short steps; `sections` change its tables."""
    content = {
        "model": str(model),
        "gates": {"window": 4},
        "schedule": {"final_ratio": 4.0, "steps_per_ratio": 5},
        "training": {
            "steps": 20,
            "tokens": 48,
            "batch": 2,
            "rank": 2,
            "compute": "float32",
            "device": "cpu",
            "gate_rate": 4e-3,
            "low_rank_rate": 1e-3,
            "checkpoint_every": 10,
            "evaluate_every": 20,
            "evaluate_sequences": 2,
        },
        "data": {"folder": str(data), "text": 0.7, "tasks": 0.3},
    }
    for section, changes in sections.items():
        content[section] = content.get(section, {}) | changes if isinstance(changes, dict) else changes
    return recipe_of(content, "test")
