"""Training runs of a tiny random model: the ratio follows its schedule, and nothing that goes wrong costs the work."""

import csv
import dataclasses
import os
import signal
import subprocess
import sys

import pytest
import tiny
import torch
from conftest import ROOT

from retrofit.errors import BadInput, TrainingFailed
from retrofit.model.state import Mode
from retrofit.output.compact import write_compact
from retrofit.training import memory, snapshot
from retrofit.training.processes import Processes
from retrofit.training.run import Run


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    model = tiny.write_model(folder / "model")
    return model, tiny.write_data(folder / "data", model)


def train(recipe, folder, **keywords):
    return Run(recipe, folder, Processes("cpu")).train(**keywords)


def newest(folder):
    return snapshot.read_snapshot(snapshot.snapshots(folder)[-1])


def compact_gates(recipe, folder):
    path = folder / "gates.safetensors"
    write_compact(path, newest(folder).trained, recipe.gates.gate_form(), "tiny", {})
    return path


def log_rows(folder):
    with open(folder / "log.csv", newline="") as file:
        return list(csv.DictReader(file))


FORMS = [
    {"gates": {"window": 4}},
    {"gates": {"window": 4, "form": "borrowed"}, "schedule": {"zeroing_steps": 3}},
    {"gates": {"window": 4, "form": "borrowed", "lag": 0}},
    {"training": {"mode": "full", "full_rate": 1e-3, "gradient_checkpointing": False}},
]


@pytest.mark.parametrize("sections", FORMS, ids=["adapter", "borrowed", "fastdms", "full"])
def test_twenty_steps_move_the_ratio_as_scheduled(inputs, tmp_path, sections):
    assert train(tiny.recipe(*inputs, **sections), tmp_path / "run") == 0
    rows = log_rows(tmp_path / "run")
    assert [int(row["step"]) for row in rows] == list(range(1, 21))
    zeroing = sections.get("schedule", {}).get("zeroing_steps", 0)
    targets = [min(4.0, 1 + max(step - zeroing, 0) / 5) for step in range(20)]
    assert [float(row["target_ratio"]) for row in rows] == pytest.approx(targets)
    assert float(rows[zeroing]["closed"]) < 0.05, "gates start open"
    last = rows[-1]
    assert float(last["closed"]) > 0.6, f"asked for {last['target_closed']} of the tokens, {last['closed']} are marked"
    assert all(float(row["shortfall"]) <= 0.35 for row in rows), "the decision never falls far behind the schedule"
    assert float(last["heldout_ratio"]) > 1.5
    assert (tmp_path / "run" / "tensorboard").is_dir()


def test_a_threshold_shifts_the_decisions_of_its_step(inputs, tmp_path):
    first = tiny.recipe(*inputs)
    train(first, tmp_path / "first")
    gates = compact_gates(first, tmp_path / "first")
    schedule = {"first_ratio": 4.0, "final_ratio": 4.0, "highest_threshold": 60.0, "ratio_at_highest": 1.5}
    training = {"seed": 2, "steps": 8, "gate_rate": 0.0, "low_rank_rate": 0.0}
    later = dataclasses.replace(tiny.recipe(*inputs, schedule=schedule, training=training), start=str(gates))
    train(later, tmp_path / "later")
    rows = log_rows(tmp_path / "later")
    by_threshold = sorted((float(row["threshold"]), float(row["closed"]), float(row["target_ratio"])) for row in rows)
    assert by_threshold[-1][0] - by_threshold[0][0] > 30
    assert by_threshold[-1][1] < by_threshold[0][1] - 0.3, "the same gates, compared with more, mark less"
    assert [ratio for _, _, ratio in by_threshold] == sorted((ratio for _, _, ratio in by_threshold), reverse=True)


def test_a_run_goes_on_from_the_compact_gates_of_another(inputs, tmp_path):
    first = tiny.recipe(*inputs)
    train(first, tmp_path / "first")
    gates = compact_gates(first, tmp_path / "first")
    schedule = {"first_ratio": 4.0, "final_ratio": 4.0}
    later = tiny.recipe(*inputs, schedule=schedule, training={"seed": 2, "steps": 2, "checkpoint_every": 1})
    later = dataclasses.replace(later, start=str(gates))
    train(later, tmp_path / "later")
    before, after = log_rows(tmp_path / "first"), log_rows(tmp_path / "later")
    assert float(after[0]["closed"]) == pytest.approx(float(before[-1]["closed"]), abs=0.1), "not from the beginning"
    # Resumed, it goes on from its own checkpoint and no longer needs the gates it started from.
    gates.unlink()
    train(dataclasses.replace(later, training=dataclasses.replace(later.training, steps=3)), tmp_path / "later")
    assert newest(tmp_path / "later").step == 3


@pytest.mark.parametrize(
    "sections, message",
    [
        ({"training": {"rank": 3}}, r"\[2, 32\] of model.layers.0.self_attn.updates.q_proj.lora_A, expected \[3, 32\]"),
        ({"gates": {"window": 4, "offset": 4.0}}, "gates with scale 100, offset 5, per head; the recipe has others"),
    ],
)
def test_gates_of_another_form_or_size_are_not_started_from(inputs, tmp_path, sections, message):
    first = tiny.recipe(*inputs, training={"steps": 1})
    train(first, tmp_path / "first")
    gates = compact_gates(first, tmp_path / "first")
    recipe = dataclasses.replace(tiny.recipe(*inputs, **sections), start=str(gates))
    with pytest.raises(BadInput, match=message):
        Run(recipe, tmp_path / "later", Processes("cpu"))


def test_gates_without_pressure_stay_open(inputs, tmp_path):
    train(tiny.recipe(*inputs, loss={"pressure": 0.0}), tmp_path / "run")
    assert float(log_rows(tmp_path / "run")[-1]["closed"]) < 0.1


@pytest.mark.parametrize("mode", ["low-rank", "full"])
def test_an_interrupted_run_ends_as_an_uninterrupted_one(inputs, tmp_path, mode):
    recipe = tiny.recipe(*inputs, training={"mode": mode, "accumulate": 2, "batch": 1, "warmup_steps": 3})
    train(recipe, tmp_path / "whole")

    class InterruptedRun(Run):
        def _one_step(self):
            if self.step == 12:
                os.kill(os.getpid(), signal.SIGINT)
            return super()._one_step()

    assert InterruptedRun(recipe, tmp_path / "parts", Processes("cpu")).train() == 130
    assert newest(tmp_path / "parts").step == 13
    assert train(recipe, tmp_path / "parts") == 0
    whole, parts = newest(tmp_path / "whole"), newest(tmp_path / "parts")
    assert whole.step == parts.step == 20
    assert all(torch.equal(whole.trained[name], parts.trained[name]) for name in whole.trained)
    for name, state in whole.optimizer.items():
        assert torch.equal(state["exp_avg_sq"], parts.optimizer[name]["exp_avg_sq"])

    def timeless(rows):
        return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]

    assert timeless(log_rows(tmp_path / "whole")) == timeless(log_rows(tmp_path / "parts"))


def test_a_run_stops_when_its_time_is_up_and_goes_on_from_there(inputs, tmp_path):
    recipe = tiny.recipe(*inputs)
    assert train(recipe, tmp_path / "run", stop_after_seconds=0.0) == 0
    assert newest(tmp_path / "run").step == 1
    assert train(recipe, tmp_path / "run") == 0
    assert newest(tmp_path / "run").step == 20


def test_a_loss_that_is_not_a_number_stops_before_it_does_harm(inputs, tmp_path):
    class PoisonedRun(Run):
        def _state(self, ids, micro, threshold):
            state = super()._state(ids, micro, threshold)
            if self.step == 13:
                state.noise[0, 0, 0, 5] = torch.nan
            return state

    recipe = tiny.recipe(*inputs)
    with pytest.raises(TrainingFailed, match=r"the loss is nan.*at step 14; .*step-000010 is intact"):
        PoisonedRun(recipe, tmp_path / "run", Processes("cpu")).train()
    intact = newest(tmp_path / "run")
    assert intact.step == 10
    assert all(tensor.isfinite().all() for tensor in intact.trained.values())
    assert train(recipe, tmp_path / "run") == 0


def test_what_an_interrupted_checkpoint_left_is_no_checkpoint(inputs, tmp_path, monkeypatch):
    recipe = tiny.recipe(*inputs)
    train(recipe, tmp_path / "run", stop_after_seconds=0.0)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(snapshot.torch, "save", fail)
    with pytest.raises(OSError, match="No space left"):
        train(recipe, tmp_path / "run")
    assert [path.name for path in snapshot.snapshots(tmp_path / "run")] == ["step-000001"]
    assert newest(tmp_path / "run").step == 1


def test_only_the_newest_checkpoints_are_kept(inputs, tmp_path):
    train(tiny.recipe(*inputs, training={"checkpoint_every": 5, "keep_checkpoints": 3}), tmp_path / "run")
    assert [path.name for path in snapshot.snapshots(tmp_path / "run")] == ["step-000010", "step-000015", "step-000020"]


def test_a_folder_of_another_recipe_is_not_continued(inputs, tmp_path):
    train(tiny.recipe(*inputs), tmp_path / "run", stop_after_seconds=0.0)
    with pytest.raises(BadInput, match="holds a run of another recipe"):
        train(tiny.recipe(*inputs, loss={"pressure": 1.0}), tmp_path / "run")


def test_the_number_of_steps_may_grow_when_a_run_is_resumed(inputs, tmp_path):
    train(tiny.recipe(*inputs, training={"steps": 10}), tmp_path / "run")
    train(tiny.recipe(*inputs, training={"steps": 12}), tmp_path / "run")
    assert newest(tmp_path / "run").step == 12


def test_too_little_memory_is_said_before_the_run_starts(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_free_bytes", lambda device: 10_000)
    with pytest.raises(BadInput, match=r"needs at least .* GB of memory, 0.0 GB are free; lower training.tokens"):
        train(tiny.recipe(*inputs), tmp_path / "run")


def test_memory_that_runs_out_on_the_way_is_said_with_what_to_change(inputs, tmp_path):
    class GreedyRun(Run):
        def _one_step(self):
            if self.step == 11:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super()._one_step()

    with pytest.raises(TrainingFailed, match="out of memory at step 12; lower .*step-000010 is intact"):
        GreedyRun(tiny.recipe(*inputs), tmp_path / "run", Processes("cpu")).train()


def test_the_zeroing_phase_starts_from_the_original_and_ends_without_the_channel(inputs, tmp_path):
    recipe = tiny.recipe(*inputs, gates={"form": "borrowed"}, schedule={"zeroing_steps": 4})
    run = Run(recipe, tmp_path / "run", Processes("cpu"))
    ids, weights = run.batches.batch(0, 0, 0)

    def kl(channel_scale):
        state = run._state(ids, 0, 0.0)
        state.channel_scale = channel_scale
        assert state.mode is Mode.ZEROING
        return run.distiller(ids, weights, state, 0.0)["kl"].item()

    assert kl(1.0) == pytest.approx(0.0, abs=1e-6)
    assert kl(0.0) > 1e-4


def test_two_processes_train_one_model(inputs, tmp_path):
    """Under torchrun the weights are sharded; the checkpoint is whole, and another number of processes resumes it."""
    config = tmp_path / "recipe.toml"
    config.write_text(
        "[gates]\nwindow = 4\n[schedule]\nfinal_ratio = 4.0\nsteps_per_ratio = 2\n"
        '[training]\nmode = "full"\ncompute = "float32"\ndevice = "cpu"\nsteps = 4\ntokens = 48\n'
        "checkpoint_every = 2\nevaluate_every = 2\nevaluate_sequences = 1\n[data]\ntext = 1.0\n"
    )
    arguments = ["-m", "retrofit", "train", "--config", config, "--out", tmp_path / "run"]
    arguments += ["--model", inputs[0], "--data", inputs[1]]
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        list(map(str, launch)), env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    taken = newest(tmp_path / "run")
    assert taken.step == 4
    assert taken.trained["model.embed_tokens.weight"].shape == (259, 32)
    alone = [sys.executable, *map(str, arguments), "--set", "training.steps=5"]
    done = subprocess.run(alone, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert newest(tmp_path / "run").step == 5
