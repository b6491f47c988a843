"""The command line from text to checkpoint, and its refusals: one line first, and the right exit status."""

import json
import os
import subprocess
import sys

import pytest
import tiny
from conftest import FIXTURES, ROOT
from safetensors import safe_open

from retrofit.__main__ import main
from retrofit.model.load import load_dms

RECIPE = """
[gates]
window = 4
[schedule]
final_ratio = 4.0
steps_per_ratio = 2
[training]
steps = 6
tokens = 48
rank = 2
compute = "float32"
device = "cpu"
checkpoint_every = 3
evaluate_every = 6
evaluate_sequences = 1
"""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    model = tiny.write_model(folder / "model")
    return model, tiny.write_data(folder / "data", model)


def run(*arguments):
    return main([str(argument) for argument in arguments])


def test_from_text_to_a_checkpoint_and_its_quality(tmp_path, recipe, capsys):
    model, text = tiny.write_model(tmp_path / "model"), tiny.write_text(tmp_path / "t.jsonl")
    data, out, dms = tmp_path / "data", tmp_path / "run", tmp_path / "dms"
    assert run("data", "--model", model, "--text", text, "--heldout", "0.2", "--out", data) == 0
    assert run("train", "--config", recipe, "--model", model, "--data", data, "--out", out) == 0
    assert run("export", "--run", out, "--out", dms, "--compact", tmp_path / "c.safetensors") == 0
    assert run("merge", "--model", model, "--compact", tmp_path / "c.safetensors", "--out", tmp_path / "merged") == 0
    assert load_dms(dms)[1] == load_dms(tmp_path / "merged")[1]
    assert json.loads((dms / "config.json").read_text())["dms_window_size"] == 4
    assert (dms / "tokenizer.json").exists()
    with safe_open(tmp_path / "c.safetensors", framework="pt") as file:
        assert file.metadata()["trained_steps"] == "6" and file.metadata()["base_model"] == "model"
    capsys.readouterr()
    check = ["check", "--model", dms, "--plain", model, "--data", data, "--tokens", "40", "--sequences", "2"]
    assert run(*check, "--threshold", "-1000000", "1000000") == 0
    header, everything, nothing = capsys.readouterr().out.splitlines()
    rows = [dict(zip(header.split(","), map(float, row.split(",")))) for row in (everything, nothing)]
    assert rows[0]["heldout_ratio"] > 5 and rows[1]["heldout_ratio"] == 1.0


def test_answers_are_sampled_and_trained_on(tmp_path, recipe):
    model, text = tiny.write_model(tmp_path / "model"), tiny.write_text(tmp_path / "t.jsonl")
    answers, data = tmp_path / "answers.jsonl", tmp_path / "data"
    assert run("sample", "--model", model, "--out", answers, "--count", "5", "--longest", "30", "--batch", "2") == 0
    conversations = [json.loads(line)["messages"] for line in answers.read_text().splitlines()]
    assert len(conversations) == 5 and all(turns[1]["role"] == "assistant" for turns in conversations)
    prepared = ["data", "--model", model, "--heldout", "0.3"]
    assert run(*prepared, "--text", text, "--out", tmp_path / "text") == 0
    assert run(*prepared, "--reuse", tmp_path / "text", "--answers", answers, "--out", data) == 0
    assert (data / "text.train.bin").read_bytes() == (tmp_path / "text" / "text.train.bin").read_bytes()
    trained = ["train", "--config", recipe, "--model", model, "--data", data, "--out", tmp_path / "run"]
    assert run(*trained, "--set", "data.answers=1.0", "--set", "training.steps=1") == 0


def refused(capsys, status, *arguments):
    assert run(*arguments) == status
    return capsys.readouterr().err.splitlines()[0]


def test_mistakes_end_with_status_two_and_one_line(tmp_path, recipe, inputs, capsys):
    model, data = inputs
    train = ["train", "--config", recipe, "--out", tmp_path / "run"]
    cases = [
        ([*train, "--data", data], "no model is given"),
        ([*train, "--model", "no-such-model", "--data", data], "neither a folder nor a model"),
        ([*train, "--model", model], "no data is given"),
        ([*train, "--model", model, "--data", tmp_path / "none"], "no data.json in it"),
        ([*train, "--model", tmp_path, "--data", data], "config.json: no such file"),
        ([*train, "--model", FIXTURES / "checkpoints/llama-adapter", "--data", data], "tokenizer.json: no such file"),
        ([*train, "--model", model, "--data", data, "--set", "training.tokens=90000"], "the model has 512 positions"),
        ([*train, "--model", model, "--data", data, "--set", "data.answers=1"], "answers.train has 0 tokens"),
        (["export", "--run", tmp_path, "--out", tmp_path / "x"], "recipe.json: no such file"),
        (["export", "--run", tmp_path], "nothing to write"),
        (["merge", "--model", model, "--compact", tmp_path / "none", "--out", tmp_path / "x"], "none: no such file"),
        (["merge", "--model", model, "--compact", recipe, "--out", tmp_path / "x"], "not a complete safetensors file"),
        (["data", "--model", model, "--out", tmp_path / "x"], "no text to train on"),
        (["data", "--model", model, "--out", tmp_path / "x", "--text", tmp_path / "no"], "no: No such file"),
        (["sample", "--model", model, "--out", tmp_path / "x", "--count", "0"], "--count 0: expected 1 or more"),
    ]
    for arguments, message in cases:
        line = refused(capsys, 2, *arguments)
        assert line.startswith("error: ") and message in line, (arguments, line)
    assert not (tmp_path / "run").exists()


def test_a_model_without_tokenizer_or_of_another_architecture_is_refused(tmp_path, recipe, inputs, capsys):
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    arguments = ["train", "--config", recipe, "--out", tmp_path / "run", "--model", tmp_path, "--data", inputs[1]]
    assert "model_type is 'gpt2', expected one of llama, qwen2, qwen3" in refused(capsys, 2, *arguments)


def test_help_explains_every_command():
    def text(*arguments):
        command = [sys.executable, "-m", "retrofit", *arguments, "--help"]
        done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True)
        return done.stdout

    assert "learned KV-cache eviction" in text()
    for command in ("data", "sample", "train", "check", "export", "merge"):
        assert command in text()
        assert "--" in text(command)
