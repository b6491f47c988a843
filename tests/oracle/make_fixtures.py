#!/usr/bin/env python3
"""Writes tests/oracle/fixtures: tiny random checkpoints and what transformers and the masked oracle compute on them.

Usage:   python make_fixtures.py [--only NAME]        (needs torch, transformers, safetensors, numpy)
Output:  fixtures/checkpoints/<name>/   a Hugging Face folder
         fixtures/expected/<case>/      ids.txt; npy 1.0 in C order: logits <f4 [T, vocab], gates <f4 [L, H_kv, T] (NaN
                                        where undecided), live <i4 [L, H_kv, T]
         fixtures/cases.json            one entry per case: model, ids, arguments, threshold, which files to compare
Everything is seeded by name: the same library versions write the same bytes. Plain dense results come from transformers
(float32, eager attention); the others from masked_model.py, which is first shown to equal transformers on that
checkpoint when nothing is evicted. The ids of a case are searched until every decision logit is farther from the
threshold than the fast path's tolerance (0.25 + 1 %), so that live counts are exact whatever the rounding.
"""

import argparse
import json
import math
import shutil
import zlib
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

import fixture_specs
import masked_model

ROOT = Path(__file__).parent / "fixtures"
MARKED_SHARE = (0.25, 0.7)
WANTED_MARGIN = 0.05  # in logit units, beyond the fast path's tolerance
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class RandomTensors:
    """Seeded weights of a size that makes attention peaked and logits spread, so that mistakes show."""

    def __init__(self, fixture):
        self.fixture = fixture
        self.random = torch.Generator().manual_seed(zlib.crc32(fixture.name.encode()))
        self.tensors = {}

    def normal(self, *shape, spread):
        return torch.randn(*shape, generator=self.random) * spread

    def matrix(self, name, rows, columns, spread=1.0, bias=False):
        self.tensors[name + ".weight"] = self.normal(rows, columns, spread=spread / math.sqrt(columns))
        if bias:
            self.tensors[name + ".bias"] = self.normal(rows, spread=0.3 * spread)

    def norm(self, name, size):
        self.tensors[name + ".weight"] = 1.0 + self.normal(size, spread=0.25)


def make_tensors(fixture):
    config = fixture.config
    make = RandomTensors(fixture)
    hidden, vocab = config["hidden_size"], config["vocab_size"]
    make.tensors["model.embed_tokens.weight"] = make.normal(vocab, hidden, spread=0.6)
    for layer in range(config["num_hidden_layers"]):
        make_attention(make, f"model.layers.{layer}.")
        make_feed_forward(make, f"model.layers.{layer}.")
    make.norm("model.norm", hidden)
    if not config.get("tie_word_embeddings", False):
        make.matrix("lm_head", vocab, hidden, spread=3.0)
    for name in fixture.extra_tensors:
        make.tensors[name] = make.normal(5, spread=1.0)
    return make.tensors


def make_attention(make, prefix):
    config, fixture = make.fixture.config, make.fixture
    heads, kv_heads, dim = masked_model.head_shape(config)
    hidden, block = config["hidden_size"], prefix + "self_attn."
    biased = config.get("attention_bias", False)
    qkv_bias = biased or config["model_type"] == "qwen2"
    make.norm(prefix + "input_layernorm", hidden)
    make.matrix(block + "q_proj", heads * dim, hidden, 1.4, qkv_bias)
    make.matrix(block + "k_proj", kv_heads * dim, hidden, 1.4, qkv_bias)
    make.matrix(block + "v_proj", kv_heads * dim, hidden, 1.0, qkv_bias)
    make.matrix(block + "o_proj", hidden, heads * dim, 1.0, biased)
    if config["model_type"] == "qwen3":
        make.norm(block + "q_norm", dim)
        make.norm(block + "k_norm", dim)
    if config.get("dms_separate_alpha", False):
        make.norm(block + "dms_proj_alpha_norm", hidden)
        spread = fixture.gate_spread / config.get("dms_alpha_scale", 100.0)
        make.matrix(block + "dms_proj_alpha", kv_heads, hidden, spread, biased)
    if fixture.borrowed:
        shrink_borrowed_channel(make, block)
    if fixture.spread_keys:
        spread_key_norms(make, block)


def shrink_borrowed_channel(make, block):
    """Give the borrowed query channels decision logits of the wanted spread."""
    config = make.fixture.config
    heads, kv_heads, dim = masked_model.head_shape(config)
    scale = gate_scale(make.fixture)
    factor = make.fixture.gate_spread / scale
    if block + "q_norm.weight" in make.tensors:
        make.tensors[block + "q_norm.weight"][-1] = factor
        return
    rows = torch.arange(kv_heads) * (heads // kv_heads) * dim + dim - 1
    make.tensors[block + "q_proj.weight"][rows] *= factor / 1.4
    if block + "q_proj.bias" in make.tensors:
        make.tensors[block + "q_proj.bias"][rows] *= factor / 1.4


def gate_scale(fixture):
    for name, content in fixture.extra_files.items():
        if name.endswith("dms_metadata.json") or name.endswith("training_log.json"):
            return content.get("config", content).get("alpha_scale", 100.0)
    return fixture.config.get("dms_alpha_scale", 100.0)


def spread_key_norms(make, block):
    """One large key channel makes norms differ widely; the queries shrink there, so that attention stays soft."""
    heads, kv_heads, dim = masked_model.head_shape(make.fixture.config)
    pair = [0, dim // 2]  # RoPE mixes these two
    large = 14.0
    if block + "k_norm.weight" in make.tensors:
        make.tensors[block + "k_norm.weight"][0] = large
        make.tensors[block + "q_norm.weight"][pair] /= large
        return
    make.tensors[block + "k_proj.weight"].view(kv_heads, dim, -1)[:, 0] *= large
    make.tensors[block + "q_proj.weight"].view(heads, dim, -1)[:, pair] /= large


def make_feed_forward(make, prefix):
    config = make.fixture.config
    hidden, inner, bias = config["hidden_size"], config["intermediate_size"], config.get("mlp_bias", False)
    make.norm(prefix + "post_attention_layernorm", hidden)
    make.matrix(prefix + "mlp.gate_proj", inner, hidden, 1.0, bias)
    make.matrix(prefix + "mlp.up_proj", inner, hidden, 1.0, bias)
    make.matrix(prefix + "mlp.down_proj", hidden, inner, 1.0, bias)


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")


def write_checkpoint(fixture):
    folder = ROOT / "checkpoints" / fixture.name
    shutil.rmtree(folder, ignore_errors=True)
    write_json(folder / "config.json", fixture.config | {"torch_dtype": fixture.dtype})
    for name, content in fixture.extra_files.items():
        write_json((folder / name).resolve(), content)
    tensors = {name: stored(fixture, name, t) for name, t in make_tensors(fixture).items()}
    if fixture.shards == 1:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    else:
        write_shards(folder, tensors, fixture.shards)
    return folder


def stored(fixture, name, tensor):
    wide = fixture.wide_gate_dtype and "dms_proj_alpha" in name
    return tensor.to(torch.float32 if wide else DTYPES[fixture.dtype]).contiguous()


def write_shards(folder, tensors, shards):
    """Deal the tensors out in turn, so that the tensors of one layer lie in different files."""
    places = {name: f"model-{i % shards + 1:05d}-of-{shards:05d}.safetensors" for i, name in enumerate(tensors)}
    for file in sorted(set(places.values())):
        part = {name: t for name, t in tensors.items() if places[name] == file}
        save_file(part, folder / file, metadata={"format": "pt"})
    total = sum(t.numel() * t.element_size() for t in tensors.values())
    write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": places})


def transformers_logits(folder, ids):
    """Dense float32 logits; the folder's own gates, where it has some, are unknown to transformers and ignored."""
    config = AutoConfig.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(
        folder, config=config, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0]


def choose_ids(checkpoint, run, case):
    """Random ids for which no decision hangs on rounding, and a fair share of tokens is marked."""
    best, best_margin = None, -math.inf
    for attempt in range(4000):
        random = torch.Generator().manual_seed(zlib.crc32(f"{case}:{attempt}".encode()))
        ids = torch.randint(checkpoint.config["vocab_size"], (run.tokens,), generator=random).tolist()
        result = masked_model.forward(checkpoint, ids, policy_of(run))
        if result.gates is None or run.kind not in ("dms", "knorm"):
            return ids, result, None
        z = result.gates[~result.gates.isnan()]
        share = (z > run.threshold).float().mean().item()
        margin = ((z - run.threshold).abs() - (0.25 + 0.01 * z.abs())).min().item()
        if MARKED_SHARE[0] <= share <= MARKED_SHARE[1] and margin > best_margin:
            best, best_margin = (ids, result, share), margin
            if margin > WANTED_MARGIN:
                break
    if best is None:
        raise SystemExit(f"{case}: no ids with a marked share within {MARKED_SHARE}")
    ids, result, share = best
    if ((result.gates - run.threshold).abs() < 1e-2).any():
        raise SystemExit(f"{case}: a decision is too close to the threshold")
    print(f"{case}: marked {share:.2f}, margin {best_margin:.3f} after {attempt + 1} texts")
    return ids, result, best_margin


def policy_of(run):
    return masked_model.Policy(run.kind, run.window, run.threshold, run.sinks)


def check_against_transformers(fixture, checkpoint, folder, ids):
    """The oracle is worth nothing unless it is the same model; returns transformers' logits."""
    expected = transformers_logits(folder, ids)
    dense = masked_model.forward(checkpoint, ids, masked_model.Policy("dense"), zeroing=False).logits
    error = ((dense - expected).abs().max() / expected.abs().max()).item()
    if not error < 1e-5:
        raise SystemExit(f"{fixture.name}: the oracle is off by {error:.2e} of the largest logit")
    return expected


def write_case(fixture, checkpoint, folder, run):
    case = fixture.name.replace("/", "-") + "." + run.name
    ids, result, margin = choose_ids(checkpoint, run, case)
    dense = check_against_transformers(fixture, checkpoint, folder, ids)
    plain = checkpoint.gates is None
    logits = dense if plain and run.kind == "dense" else result.logits
    target = ROOT / "expected" / case
    target.mkdir(parents=True)
    (target / "ids.txt").write_text(" ".join(map(str, ids)) + "\n")
    save_array(target / "logits.npy", logits, np.float32)
    save_array(target / "live.npy", result.live, np.int32)
    has_gates = result.gates is not None and run.kind != "window"
    if has_gates:
        save_array(target / "gates.npy", result.gates.contiguous(), np.float32)
    return {
        "name": case,
        "model": f"checkpoints/{fixture.name}",
        "expected": f"expected/{case}",
        "arguments": run.arguments,
        "threshold": run.threshold,
        "gates": has_gates,
        # Decisions that the fast path's rounding cannot flip; null where nothing is decided.
        "decision_margin": None if margin is None else round(margin, 4),
    }


def save_array(path, tensor, dtype):
    np.save(path, np.ascontiguousarray(tensor.numpy().astype(dtype)))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", help="make one fixture, for development; the index then lists only its cases")
    only = options.parse_args().only
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()  # it reports gate tensors as unexpected
    transformers.logging.disable_progress_bar()
    shutil.rmtree(ROOT, ignore_errors=True)
    cases = []
    for fixture in fixture_specs.all_fixtures():
        if only in (None, fixture.name):
            folder = write_checkpoint(fixture)
            checkpoint = masked_model.load_checkpoint(folder)
            cases += [write_case(fixture, checkpoint, folder, run) for run in fixture.runs]
    write_json(ROOT / "cases.json", cases)
    print(f"{len(cases)} cases, {sum(f.stat().st_size for f in ROOT.rglob('*') if f.is_file())} bytes")


if __name__ == "__main__":
    main()
