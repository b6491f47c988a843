"""Recipes: the shipped ones are valid, and a mistake is named instead of ignored."""

import pytest
import tiny
from conftest import ROOT

from retrofit.errors import BadInput
from retrofit.training.recipe import read_recipe, recipe_of

SHIPPED = sorted((ROOT / "retrofit/recipes").glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_recipes_are_valid(path):
    recipe = read_recipe(path)
    schedule = recipe.schedule
    ramp = schedule.zeroing_steps + schedule.steps_per_ratio * (schedule.final_ratio - schedule.first_ratio)
    assert recipe.training.steps > ramp, "the ratio reaches its end and holds"


@pytest.mark.parametrize(
    "content, message",
    [
        ({"trainning": {}}, "unknown key trainning"),
        ({"training": {"step": 3}}, "unknown key training.step; expected one of mode"),
        ({"training": {"steps": "many"}}, "training.steps is 'many', expected int"),
        ({"training": {"steps": True}}, "training.steps is True, expected int"),
        ({"training": {"steps": 0}}, "training.steps is 0, expected 1 or more"),
        ({"training": {"mode": "lora"}}, "training.mode is 'lora', expected one of low-rank, full"),
        ({"gates": {"form": "adapter", "lag": 0}}, "lag 0"),
        ({"gates": {"window": -1}}, "window -1"),
        ({"gates": {"tau": 0}}, "gates.tau is 0.0"),
        ({"gates": 3}, "gates must be a table"),
        ({"training": {"weights": "bfloat16", "mode": "full"}}, "weights bfloat16 needs low-rank mode"),
        ({"schedule": {"final_ratio": 0.5}}, "schedule.final_ratio is 0.5, expected 1 or more"),
        ({"schedule": {"first_ratio": 9}}, "schedule.final_ratio is 8.0, expected 9 or more"),
        ({"schedule": {"highest_threshold": -1}}, "schedule.highest_threshold is -1.0, expected 0 or more"),
        ({"schedule": {"ratio_at_highest": 0.5}}, "schedule.ratio_at_highest is 0.5, expected 1 or more"),
        ({"schedule": {"ratio_at_highest": 2}}, "ratio_at_highest is for a schedule.highest_threshold above 0"),
        ({"schedule": {"zeroing_steps": 5}}, "zeroing_steps is for a borrowed neuron"),
        ({"data": {"text": 0, "tasks": 0}}, "are all 0"),
        ({"data": {"repeated": 1.5}}, "data.repeated is 1.5, expected a share of at most 1"),
        ({"start": "g", "training": {"mode": "full"}}, "start takes gate adapters and low-rank updates"),
        ({"loss": {"pressure": float("nan")}}, "loss.pressure is nan"),
    ],
)
def test_a_mistake_is_named(content, message):
    with pytest.raises(BadInput, match=message):
        recipe_of(content, "r.toml")


def test_the_command_line_changes_single_keys(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text("[training]\nsteps = 5\n")
    recipe = read_recipe(path, ["training.steps=7", "gates.form=borrowed", "model=x/y", "loss.pressure=2"])
    assert (recipe.training.steps, recipe.gates.form, recipe.model, recipe.loss.pressure) == (7, "borrowed", "x/y", 2.0)
    with pytest.raises(BadInput, match="expected section.key=value"):
        read_recipe(path, ["training.steps"])
    with pytest.raises(BadInput, match="r.toml: not readable as TOML"):
        path.write_text("[training")
        read_recipe(path)


def test_what_changes_the_result_changes_the_fingerprint_and_nothing_else_does(tmp_path):
    base = tiny.recipe(tmp_path, tmp_path)
    same = tiny.recipe(tmp_path / "elsewhere", tmp_path, training={"steps": 99, "threads": 3})
    assert base.fingerprint() == same.fingerprint()
    others = [
        {"training": {"seed": 2}},
        {"gates": {"window": 5}},
        {"data": {"tasks": 0.4}},
        {"loss": {"pressure": 1.0}},
        {"start": "gates.safetensors"},
    ]
    assert len({base.fingerprint(), *(tiny.recipe(tmp_path, tmp_path, **other).fingerprint() for other in others)}) == 6
