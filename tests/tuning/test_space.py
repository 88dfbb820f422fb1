"""What a search may change: usual spaces, TOML files and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import floats

from fastbert.config import DataConfig, TrainConfig
from fastbert.errors import ConfigError
from fastbert.labels import Labels
from fastbert.tasks.base import Task
from fastbert.tasks.classification import SingleLabel
from fastbert.tasks.tagging import Tagging
from fastbert.tuning.space import Choice, Facts, Range, Scalar, Space, check_task, read_space, space_of, usual_space

TASK = SingleLabel(Labels(("bug", "praise")))
CHOSEN = TrainConfig(lr=1e-4, epochs=4, warmup=0.1, head_lr_factor=10)


def facts(task: Task = TASK, *, cut_share: float = 0.0, by_latency: bool = False, has_layers: bool = True) -> Facts:
    return Facts(task, DataConfig(), CHOSEN, cut_share, (12, 40), 64, has_layers, by_latency)


def test_the_usual_space_is_around_what_the_recipe_chooses() -> None:
    space = usual_space(facts(), ())

    assert list(space.parts) == [
        *("lr", "epochs", "batch_size", "schedule", "warmup", "layer_decay", "head_lr_factor", "weight_decay", "loss"),
        *("pooling", "dropout"),
    ]
    assert space.parts["batch_size"] == Choice((8, 16, 32))
    assert space.parts["loss"] == Choice(("default", "balanced", "focal", "resampled"))
    assert space.moved(space.usual(CHOSEN, DataConfig(), 64)) == []


@pytest.mark.parametrize(
    ("found", "name", "part"),
    [
        (facts(cut_share=0.2), "truncation", Choice(("head_tail", "head", "windows"))),
        (facts(cut_share=0.01), "truncation", None),
        (facts(by_latency=True), "max_tokens", Choice((12, 40, 64))),
        (facts(has_layers=False), "layer_decay", None),
        (facts(), "pooling", Choice(("default", "mean"))),
        (facts(), "dropout", Choice((None, 0.0, 0.2))),
    ],
)
def test_options_are_searched_where_they_can_matter(found: Facts, name: str, part: Choice | None) -> None:
    assert usual_space(found, ()).parts.get(name) == part


def test_what_the_user_has_set_is_not_searched_and_several_encoders_are() -> None:
    space = usual_space(facts(), ("lr", "loss"), ("./small", "./large"))

    assert "lr" not in space.parts and "loss" not in space.parts
    assert space.parts["encoder"] == Choice(("./small", "./large"))


def test_the_first_trial_is_the_usual_one_bit_for_bit() -> None:
    config = CHOSEN.changed(lr=1.2345678e-4)
    space = usual_space(facts(), ())
    usual = space.usual(config, DataConfig(), 64)
    drawn = space.first(usual)

    assert {name: part.value(drawn[name], usual[name]) for name, part in space.parts.items()} == usual


@given(floats(0.25, 4.0))
def test_factors_stay_on_the_recipes_choice(factor: float) -> None:
    value = Range(0.25, 4.0, log=True, times=True).value(factor, 7.1e-5)

    assert value == pytest.approx(factor * 7.1e-5, rel=5e-3)


def test_epochs_are_whole_from_one_on() -> None:
    part = Range(0.5, 1.5, times=True, whole=True)

    assert [part.value(0.7, 5.0), part.value(0.5, 1.0)] == [4, 0.5]


def test_a_usual_value_outside_the_space_moves_to_the_nearest_and_is_told() -> None:
    space = Space(
        {"lr": Range(1e-5, 5e-5), "schedule": Choice(("wsd", "one_cycle")), "epochs": Range(2, 3, whole=True)}
    )
    usual = space.usual(CHOSEN, DataConfig(), 64)

    assert space.first(usual) == {"lr": 5e-5, "schedule": "wsd", "epochs": 3}
    assert space.moved(usual)[0] == "lr: the usual 0.0001 is not in the space; the first trial takes 5e-05"


def test_a_space_survives_its_own_toml(tmp_path: Path) -> None:
    space = usual_space(facts(cut_share=0.5), (), ("a\\b", 'c"d'))
    (tmp_path / "space.toml").write_text(space.to_toml(), encoding="utf-8")

    assert read_space(tmp_path / "space.toml") == space


def test_a_file_names_all_that_is_searched(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text(
        'lr = {low = 1e-5, high = 1e-4, log = true}\nbatch_size = {low = 8, high = 64}\nloss = ["default"]\n'
    )

    assert read_space(path).parts == {
        "lr": Range(1e-5, 1e-4, log=True),
        "batch_size": Range(8, 64, whole=True),
        "loss": Choice(("default",)),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "the space is empty"),
        ({"lrr": [1e-4]}, "'lrr' is not an option"),
        ({"text": ["a"]}, "'text' is how the table is read, the same in all trials"),
        ({"seed": [1, 2]}, "seed cannot be searched: a search over seeds finds luck"),
        ({"lr": 1e-4}, "lr is 0.0001; expected a list of choices, or a range"),
        ({"lr": {"low": 1e-4, "hihg": 1e-3}}, "lr has the key 'hihg'"),
        ({"lr": {"low": 1e-4}}, "two numbers are needed"),
        ({"lr": {"low": 1e-3, "high": 1e-4}}, "goes from 0.001 to 0.0001"),
        ({"lr": {"low": -1.0, "high": 1e-4}}, "lr is -1.0; it must be above 0"),
        ({"warmup": {"low": 0, "high": 0.3, "log": True}}, "goes from 0 to 0.3, log scale"),
        ({"warmup": {"times": [0.5, 2]}}, "factors are above 0, and on what the recipe chooses: lr, epochs"),
        ({"lr": {"times": [0.5, 2], "low": 1}}, "Give low and high, or times"),
        ({"schedule": {"low": 1, "high": 2}}, "schedule is no number"),
        ({"schedule": ["warmup_liner"]}, "schedule: Schedule 'warmup_liner' is not known"),
        ({"optimizer": ["adam_w"]}, "optimizer: Optimizer 'adam_w' is not known"),
        ({"batch_size": [0]}, "batch_size is 0; it must be at least 1"),
        ({"batch_size": [8, 8]}, "names a choice twice"),
        ({"truncation": ["middle"]}, "truncation is 'middle'; expected head"),
    ],
)
def test_what_cannot_be_searched_is_refused(content: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        space_of(content, "space.toml")

    assert message in str(caught.value) and str(caught.value).startswith("space.toml: ")


def test_a_wrong_name_gets_the_closest_one() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'layer_decay'"):
        space_of({"layer_decy": [0.9]})


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("lr = ")

    with pytest.raises(ConfigError, match="not valid TOML"):
        read_space(tmp_path / "bad.toml")
    with pytest.raises(ConfigError, match="the space cannot be read"):
        read_space(tmp_path / "none.toml")


def test_a_task_refuses_what_it_does_not_have() -> None:
    with pytest.raises(ConfigError, match="loss 'huber' is in the space; the task 'single_label' does not have it"):
        check_task(space_of({"loss": ["default", "huber"]}), TASK)
    with pytest.raises(ConfigError, match="the task 'tagging' reads all of a text"):
        check_task(space_of({"truncation": ["head"]}), Tagging(Labels(("PER",))))


def test_the_combinations_of_choices_and_whole_numbers_can_be_counted_and_named() -> None:
    space = space_of({"loss": ["default", "focal"], "patience": {"low": 1, "high": 2}})
    tried: list[dict[str, Scalar]] = [
        {"loss": "default", "patience": 1},
        {"loss": "focal", "patience": 1},
        {"loss": "default", "patience": 2},
    ]

    assert (space.size, space.untried(tried)) == (4, {"loss": "focal", "patience": 2})
    assert space.untried([*tried, {"loss": "focal", "patience": 2}]) is None


@pytest.mark.parametrize("part", [{"low": 1e-5, "high": 1e-4}, {"times": [0.5, 2]}])
def test_other_ranges_have_no_end(part: dict[str, object]) -> None:
    space = space_of({"lr": part, "loss": ["default", "focal"]})

    assert space.size == float("inf") and space.untried([]) is None
    assert space.fixed({"lr": 1e-4, "loss": "focal"}).keys() == ({"loss"} if "times" in part else {"lr", "loss"})
