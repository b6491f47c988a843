"""What is written is what was trained: through retrofit itself, through the set-up's merge, and through `dmscope`."""

import os
import subprocess
from pathlib import Path

import merge as setup_merge
import numpy as np
import pytest
import torch
from conftest import FIXTURES, ROOT
from safetensors.torch import load_file, save_file

from retrofit.errors import BadInput
from retrofit.model.gate_form import GateForm
from retrofit.model.load import attention_blocks, load_dms, load_plain
from retrofit.model.score import score
from retrofit.output.compact import read_compact, write_compact
from retrofit.output.export import export

DMSCOPE = Path(os.environ.get("DMSCOPE", ROOT / "build/release/dmscope"))
ADAPTER = GateForm(window=5)
BORROWED = GateForm(adapter=False, window=5)
FASTDMS = GateForm(adapter=False, lag=0, window=4)
PER_LAYER = GateForm(per_layer=True, window=3)
FORMS = {"adapter": ADAPTER, "borrowed": BORROWED, "fastdms": FASTDMS, "per-layer": PER_LAYER}
IDS = torch.randint(0, 61, (1, 48), generator=torch.Generator().manual_seed(5))


def trained_student(source, form, rank=4):
    """A student whose gates and updates are random, as after some training; and its trained tensors."""
    generator = torch.Generator().manual_seed(11)
    student = load_plain(source, form)
    for block in attention_blocks(student):
        block.add_updates(rank, generator)
    trained = {}
    for name, parameter in student.named_parameters():
        if "updates" in name or "dms_proj" in name or "borrowed" in name:
            # z spreads over some units around its offset: about half of the tokens are marked
            spread, shift = (0.02, 1.0) if "norm" in name else (0.05, 0.0)
            if "borrowed" in name or "alpha.bias" in name:
                spread, shift = 0.1, 0.02
            parameter.data = shift + spread * torch.randn(parameter.shape, generator=generator)
            trained[name] = parameter.data
    return student, trained


def as_bf16_values(trained):
    return {name: tensor.bfloat16().float() for name, tensor in trained.items()}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("source", ["llama2", "qwen2", "qwen3", "qwen3-bias", "qwen2-sharded"])
def test_an_exported_checkpoint_computes_what_the_student_computes(tmp_path, source, form):
    student, trained = trained_student(FIXTURES / "checkpoints" / source, form)
    export(FIXTURES / "checkpoints" / source, trained, form, tmp_path / "dms")
    exported, read = load_dms(tmp_path / "dms")
    assert read == form
    expected, gates, _ = score(student, IDS)
    logits, read_gates, _ = score(exported, IDS)
    marked = (gates > 0).float().mean().item()
    assert 0.05 < marked < 0.95, "the case must evict some tokens and keep some"
    if all(tensor.dtype == torch.float32 for tensor in first_file(tmp_path / "dms").values()):
        torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(read_gates, gates, atol=1e-3, rtol=1e-4, equal_nan=True)


def first_file(folder):
    return load_file(sorted(folder.glob("*.safetensors"))[0])


def dmscope_score(folder, out):
    """Gates and live slots as the program computes them on its reference path."""
    if not DMSCOPE.exists():
        pytest.skip(f"{DMSCOPE} is not built")
    (out / "ids.txt").write_text(" ".join(map(str, IDS[0].tolist())))
    command = [DMSCOPE, "score", "--model", folder, "--ids", out / "ids.txt", "--reference"]
    for name in ("logits", "gates", "live"):
        command += [f"--{name}", out / f"{name}.npy"]
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    return tuple(np.load(out / f"{name}.npy") for name in ("logits", "gates", "live"))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("source", ["llama2", "llama3", "qwen2", "qwen3"])
def test_dmscope_evicts_from_it_what_the_hard_gated_forward_evicts(tmp_path, source, form):
    _, trained = trained_student(FIXTURES / "checkpoints" / source, form)
    export(FIXTURES / "checkpoints" / source, trained, form, tmp_path / "dms", target_ratio=8)
    exported, _ = load_dms(tmp_path / "dms")
    logits, gates, live = score(exported, IDS)
    got_logits, got_gates, got_live = dmscope_score(tmp_path / "dms", tmp_path)
    assert np.abs(got_logits - logits[0].numpy()).max() <= 2e-4 * logits.abs().max().item()
    np.testing.assert_allclose(got_gates, gates[0].numpy(), atol=2e-3, equal_nan=True)
    np.testing.assert_array_equal(got_live, live[0].numpy())


def compact_file(tmp_path, source, form=ADAPTER):
    _, trained = trained_student(source, form)
    write_compact(tmp_path / "compact.safetensors", trained, form, "tiny", {"steps": "20"})
    return tmp_path / "compact.safetensors", trained


def test_the_compact_form_gives_back_what_was_trained_in_bfloat16(tmp_path):
    path, trained = compact_file(tmp_path, FIXTURES / "checkpoints/llama2")
    (tmp_path / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode, "as readable as any new file"
    read, form = read_compact(path)
    assert form == ADAPTER
    assert {name: tensor.float().tolist() for name, tensor in read.items()} == {
        name: tensor.tolist() for name, tensor in as_bf16_values(trained).items()
    }


def test_set_up_merges_the_compact_form_to_the_same_weights(tmp_path):
    source = tmp_path / "plain"
    source.mkdir()
    for path in (FIXTURES / "checkpoints/llama3").iterdir():
        if path.suffix == ".safetensors":
            tensors = {name: tensor.bfloat16() for name, tensor in load_file(path).items()}
            save_file(tensors, source / path.name, {"format": "pt"})
        else:
            (source / path.name).write_bytes(path.read_bytes())
    for name in setup_merge.COPIED_FILES:
        (source / name).touch()
    path, _ = compact_file(tmp_path, source)
    (tmp_path / "by-set-up").mkdir()
    setup_merge.merge(source, path, tmp_path / "by-set-up")
    export(source, *read_compact(path), tmp_path / "by-retrofit")
    ours, theirs = first_file(tmp_path / "by-retrofit"), first_file(tmp_path / "by-set-up")
    assert ours.keys() == theirs.keys()
    # One rounding to bfloat16 each; summation order may move a value across a tie.
    assert sum((ours[name] != theirs[name]).sum().item() for name in ours) <= 2


def test_the_compact_form_refuses_what_it_cannot_hold(tmp_path):
    _, trained = trained_student(FIXTURES / "checkpoints/llama2", BORROWED)
    with pytest.raises(BadInput, match="borrowed neuron is written with `export`"):
        write_compact(tmp_path / "c", trained, BORROWED, "tiny", {})
    _, trained = trained_student(FIXTURES / "checkpoints/llama2", ADAPTER)
    with pytest.raises(BadInput, match="model.norm.weight is trained"):
        write_compact(tmp_path / "c", trained | {"model.norm.weight": torch.ones(3)}, ADAPTER, "tiny", {})
    assert not list(tmp_path.iterdir()), "nothing half-written is left"


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda t: t.pop("model.layers.1.self_attn.dms_proj_alpha.weight"), "lack model.layers.1.self_attn.dms_proj"),
        (lambda t: t.update({"model.layers.9.self_attn.updates.q_proj.lora_A": torch.ones(1)}), "lacks model.layers.9"),
        (lambda t: t["model.layers.0.self_attn.updates.q_proj.lora_B"].fill_(torch.nan), "not a finite number"),
    ],
)
def test_an_export_that_cannot_be_complete_leaves_nothing(tmp_path, change, message):
    _, trained = trained_student(FIXTURES / "checkpoints/llama2", ADAPTER)
    change(trained)
    with pytest.raises(BadInput, match=message):
        export(FIXTURES / "checkpoints/llama2", trained, ADAPTER, tmp_path / "dms")
    assert not list(tmp_path.iterdir())


def test_an_export_does_not_overwrite(tmp_path):
    (tmp_path / "dms").mkdir()
    (tmp_path / "dms" / "precious").touch()
    _, trained = trained_student(FIXTURES / "checkpoints/llama2", ADAPTER)
    with pytest.raises(BadInput, match="exists and is not an empty folder"):
        export(FIXTURES / "checkpoints/llama2", trained, ADAPTER, tmp_path / "dms")
