"""The hard-gated forward pass against the oracle's stored results, in every architecture and gate form."""

import json

import numpy as np
import pytest
import torch
from conftest import FIXTURES, oracle_cases

from retrofit.errors import BadInput
from retrofit.model.gate_form import GateForm
from retrofit.model.load import load_dms, load_plain
from retrofit.model.score import score
from retrofit.model.state import Mode, PassState


def runs_as_stored(case):
    return not case["arguments"] and (case["gates"] or case["name"].endswith(".dense"))


def stored(case, name):
    return np.load(FIXTURES / case["expected"] / f"{name}.npy")


def ids_of(case):
    text = (FIXTURES / case["expected"] / "ids.txt").read_text()
    return torch.tensor([[int(word) for word in text.split()]])


@pytest.mark.parametrize("case", oracle_cases(lambda case: runs_as_stored(case) and case["gates"]))
def test_hard_gates_evict_what_the_oracle_evicts(case):
    model, _ = load_dms(FIXTURES / case["model"])
    logits, gates, live = score(model, ids_of(case), case.get("threshold", 0.0) or 0.0)
    expected = stored(case, "logits")
    assert np.abs(logits[0].numpy() - expected).max() <= 2e-4 * np.abs(expected).max()
    np.testing.assert_allclose(gates[0].numpy(), stored(case, "gates"), atol=2e-3, equal_nan=True)
    np.testing.assert_array_equal(live[0].numpy(), stored(case, "live"))


@pytest.mark.parametrize("case", oracle_cases(lambda case: case["name"].endswith(".dense") and not case["gates"]))
@pytest.mark.parametrize("form", [GateForm(window=1), GateForm(adapter=False, window=1)], ids=["adapter", "borrowed"])
def test_the_teacher_is_the_original_model(case, form):
    model = load_plain(FIXTURES / case["model"], form)
    with torch.no_grad():
        logits = model(input_ids=ids_of(case), use_cache=False, dms=PassState(Mode.TEACHER)).logits
    expected = stored(case, "logits")
    assert np.abs(logits[0].numpy() - expected).max() <= 2e-4 * np.abs(expected).max()


def test_a_plain_checkpoint_has_no_hard_gates():
    with pytest.raises(BadInput, match="plain checkpoint"):
        load_dms(FIXTURES / "checkpoints/llama2")


def test_a_checkpoint_with_gates_is_not_retrofitted_again():
    with pytest.raises(BadInput, match="has DMS gates already"):
        load_plain(FIXTURES / "checkpoints/llama-adapter", GateForm())


@pytest.mark.parametrize(
    "change, message",
    [
        ({"model_type": "mamba"}, "model_type is 'mamba', expected one of llama"),
        ({"use_sliding_window": True}, "use_sliding_window is true"),
    ],
)
def test_other_architectures_are_refused_by_name(tmp_path, change, message):
    config = json.loads((FIXTURES / "checkpoints/qwen2/config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(BadInput, match=message):
        load_plain(tmp_path, GateForm())


def test_missing_and_truncated_weights_are_refused_with_the_file_s_name(tmp_path):
    source = FIXTURES / "checkpoints/llama2"
    (tmp_path / "config.json").write_text((source / "config.json").read_text())
    with pytest.raises(BadInput, match="model.safetensors: no such file"):
        load_plain(tmp_path, GateForm())
    (tmp_path / "model.safetensors").write_bytes((source / "model.safetensors").read_bytes()[:-9])
    with pytest.raises(BadInput, match="model.safetensors: not a complete safetensors file"):
        load_plain(tmp_path, GateForm())
