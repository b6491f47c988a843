#!/usr/bin/env python3
"""Writes the tokenizer fixtures: small tokenizers of each family and what Hugging Face makes of hard texts.

For every family a few hundred merges are trained, with exactly the normalizer, pre-tokenizer, decoder and model
options of the published checkpoints. Each becomes fixtures/NAME.json (the tokenizer) and fixtures/NAME.expected.json
(ids and decoded text of every text in corpus.py, and decodings of arbitrary id lists).

    python3 -m venv venv && venv/bin/pip install tokenizers sentencepiece transformers protobuf
    venv/bin/python make_fixtures.py
"""

import io
import json
import pathlib
import random
import tempfile

import corpus
import sentencepiece
import transformers
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

FOLDER = pathlib.Path(__file__).parent / "fixtures"

LLAMA3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2_PATTERN = LLAMA3_PATTERN.replace(r"\p{N}{1,3}", r"\p{N}")

ADDED = [
    AddedToken("<tool>", normalized=False),
    AddedToken("<lstrip>", lstrip=True, normalized=False),
    AddedToken("<rstrip>", rstrip=True, normalized=False, special=True),
    AddedToken("<both>", lstrip=True, rstrip=True, normalized=False),
    AddedToken("word", single_word=True, normalized=False),
    AddedToken("<nörm>", normalized=True),
    AddedToken("<aa>", normalized=False),
    AddedToken("<aab", normalized=False),
    AddedToken("<aabc", normalized=False),
]


def special(*names):
    return [AddedToken(name, special=True, normalized=False) for name in names]


def byte_level_trainer(merges, special_tokens=()):
    return trainers.BpeTrainer(
        vocab_size=256 + len(special_tokens) + merges,
        special_tokens=list(special_tokens),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )


def smollm2():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel(add_prefix_space=True, trim_offsets=True, use_regex=True)
    tokenizer.train_from_iterator(
        corpus.TRAINING, byte_level_trainer(350, special("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
    )
    tokenizer.add_tokens(ADDED)
    return tokenizer


def gpt2():
    tokenizer = Tokenizer(models.BPE(unk_token="<|endoftext|>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(corpus.TRAINING, byte_level_trainer(200, special("<|endoftext|>")))
    return tokenizer


def split_then_bytes(pattern, normalizer, ignore_merges, names):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel(add_prefix_space=True, trim_offsets=True, use_regex=True)
    tokenizer.train_from_iterator(corpus.TRAINING, byte_level_trainer(400))
    tokenizer.add_special_tokens(special(*names))
    tokenizer.add_tokens(ADDED)
    return tokenizer


def llama3():
    tokenizer = split_then_bytes(LLAMA3_PATTERN, None, True, ["<|begin_of_text|>", "<|eot_id|>", "<|im_end|>"])
    # ignore_merges shows where a whole word is in the vocabulary but merging does not reach it.
    return drop_merges(tokenizer, 40)


def qwen2():
    return split_then_bytes(
        QWEN2_PATTERN, normalizers.NFC(), False, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    )


def drop_merges(tokenizer, every):
    """Without some of its merges, which words are in the vocabulary and which are reached by merging differs."""
    data = json.loads(tokenizer.to_str())
    data["model"]["merges"] = [merge for i, merge in enumerate(data["model"]["merges"]) if i % every != 7]
    return Tokenizer.from_str(json.dumps(data))


def llama2_model():
    """A BPE over characters with byte tokens first, like the conversion of Llama 2's SentencePiece model."""
    trained = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    trained.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=3 + 256 + 110 + 350,
        special_tokens=["<unk>", "<s>", "</s>", *byte_tokens],
        limit_alphabet=110,
        show_progress=False,
    )
    words = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="never", split=True)
    trained.pre_tokenizer = words
    trained.train_from_iterator(corpus.TRAINING, trainer)
    data = json.loads(trained.to_str())
    data["pre_tokenizer"] = None
    # Byte tokens are ordinary vocabulary, only the first three are added tokens.
    data["added_tokens"] = [
        {**token, "content": token["content"], "normalized": False, "special": True}
        for token in data["added_tokens"][:3]
    ]
    return data


LLAMA2_DECODER = {
    "type": "Sequence",
    "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
    ],
}


def llama2_prepend():
    data = llama2_model()
    data["decoder"] = LLAMA2_DECODER
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.add_tokens(ADDED)
    return tokenizer


def llama2_metaspace():
    data = llama2_model()
    data["decoder"] = LLAMA2_DECODER
    data["normalizer"] = None
    data["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.add_tokens(ADDED)
    return tokenizer


def metaspace_words():
    """The other options: an unk token that does not fuse, always a prefix, words split, Metaspace's own decoder."""
    data = llama2_model()
    data["normalizer"] = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
    data["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    data["decoder"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    data["model"]["byte_fallback"] = False
    data["model"]["fuse_unk"] = False
    return Tokenizer.from_str(json.dumps(data))


def splitters():
    """Behaviors of Split that no published family uses, in a row; no decoder, so tokens join with spaces."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split("-", behavior="removed"),
            pre_tokenizers.Split(Regex(r"[,.!?]"), behavior="merged_with_previous"),
            pre_tokenizers.Split(Regex(r"[(\[]"), behavior="merged_with_next"),
            pre_tokenizers.Split(Regex(r"(?=[A-Z])"), behavior="isolated"),
            pre_tokenizers.Split(Regex(r"[\w ]+"), behavior="contiguous", invert=True),
            pre_tokenizers.Digits(individual_digits=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.train_from_iterator(corpus.TRAINING, byte_level_trainer(150))
    return tokenizer


def expected(tokenizer, seed):
    cases = []
    for name, text in corpus.TEXTS.items():
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        cases.append({"name": name, "text": text, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False)})
    # Decoding arbitrary ids: invalid UTF-8, cut characters, special tokens anywhere.
    generator = random.Random(seed)
    vocabulary = sorted(tokenizer.get_vocab(with_added_tokens=True).values())
    low = vocabulary[: 3 + 256 + 3]
    decodings = []
    for i in range(60):
        pool = low if i % 2 else vocabulary
        ids = [generator.choice(pool) for _ in range(generator.randrange(1, 12))]
        decodings.append({"ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False)})
    return {"texts": cases, "decodings": decodings}


def write(name, tokenizer, seed):
    data = json.loads(tokenizer.to_str())
    if name == "llama2_prepend":  # the older spelling
        data["model"]["merges"] = [" ".join(merge) for merge in data["model"]["merges"]]
    (FOLDER / f"{name}.json").write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n")
    text = json.dumps(expected(tokenizer, seed), ensure_ascii=True, separators=(",", ":"))
    (FOLDER / f"{name}.expected.json").write_text(text + "\n")


def sentencepiece_model():
    """Llama 2's kind of model, trained with its options; small."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(line for text in corpus.TRAINING for line in text.split("\n")),
        model_writer=model,
        vocab_size=620,
        model_type="bpe",
        byte_fallback=True,
        character_coverage=0.98,
        normalization_rule_name="identity",
        split_digits=True,
        allow_whitespace_only_pieces=True,
        remove_extra_whitespaces=False,
        user_defined_symbols=["<tool>"],
        unk_surface=" \u2047 ",
        minloglevel=2,
    )
    return model.getvalue()


def write_sentencepiece(seed):
    """fixtures/sentencepiece.model, and what transformers' LlamaTokenizer makes of it.

    SentencePiece itself differs from it: it puts a space before a text that already starts with one, and does not
    recognise <s> in a text.
    """
    model = sentencepiece_model()
    (FOLDER / "sentencepiece.model").write_bytes(model)
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "tokenizer.model").write_bytes(model)
        tokenizer = transformers.LlamaTokenizer.from_pretrained(folder).backend_tokenizer
    tokenizer.post_processor = processors.TemplateProcessing(single="$A", special_tokens=[])
    text = json.dumps(expected(tokenizer, seed), ensure_ascii=True, separators=(",", ":"))
    (FOLDER / "sentencepiece.expected.json").write_text(text + "\n")


FAMILIES = [smollm2, gpt2, llama3, qwen2, llama2_prepend, llama2_metaspace, metaspace_words, splitters]


def main():
    FOLDER.mkdir(exist_ok=True)
    for seed, family in enumerate(FAMILIES):
        write(family.__name__, family(), seed)
    write_sentencepiece(len(FAMILIES))


if __name__ == "__main__":
    main()
