"""Which trial is the result, and how that is told."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastbert.config import DataConfig, DecisionConfig, TrainConfig, read_options, split_options, take_decisions
from fastbert.errors import TrainingError
from fastbert.tuning.evidence import Evidence
from fastbert.tuning.result import TuneResult, choose, options_toml, show_options
from fastbert.tuning.space import Choice as Choices
from fastbert.tuning.space import Space
from fastbert.tuning.study import Record
from tests.tuning.small import record


def evidence(level: float, noise: float, seed: int) -> dict[str, list[float | None]]:
    rng = np.random.default_rng(seed)
    return Evidence(level + noise * rng.standard_normal(50), level + noise * rng.standard_normal(50)).to_json()


def trial(number: int, value: float, noise: float = 0.01, **more: Any) -> Record:  # noqa: ANN401
    options = {"lr": 1e-4 * (number + 1), "loss": "default"}
    return record(number, value, options=options, evidence=evidence(value, noise, number), seconds=9.0, **more)


def result(records: Sequence[Record], limit_s: float | None = None, **more: object) -> TuneResult:
    values: dict[str, object] = {
        "bundle": None, "records": records, "space": Space({"lr": Choices((1e-4,))}), "monitor": "f1_macro",
        "importances": {"lr": 0.75, "loss": 0.25}, "seconds": 60.0, "reason": "3 trials were asked for",
        "data": DataConfig(), "config": TrainConfig(), "folder": Path("model-tune"),
    }  # fmt: skip
    return TuneResult(choice=choose(records, limit_s, 200), limit_s=limit_s, **{**values, **more})  # type: ignore[arg-type]


def test_a_clear_gain_wins() -> None:
    found = result([trial(0, 0.5), trial(1, 0.8), trial(2, 0.6)])

    assert (found.choice.winner.number, found.choice.best.number) == (1, 1)
    assert found.sentences()[0].startswith("Trial 1 is the result: f1_macro +0.3000 against the defaults")
    assert "the best of 3 trials looks better than it is" in found.sentences()[1]


def test_a_gain_that_is_chance_leaves_the_defaults() -> None:
    chance = evidence(0.5, 0.0, 0)  # outside the draws it was chosen on, the best is no better
    best = record(1, 0.51, options={"lr": 1.0}, evidence={"inside": [0.51] * 50, "outside": [0.49] * 50})
    found = result([record(0, 0.5, options={"lr": 2.0}, evidence=chance), best])

    assert (found.choice.winner.number, found.choice.best.number) == (0, 1)
    assert found.sentences()[0].startswith(
        "The defaults are the result. Trial 1 scored higher, which may well be chance"
    )


def test_nothing_better_leaves_the_defaults() -> None:
    found = result([trial(0, 0.8), trial(1, 0.7), record(2, 0.9, "pruned"), record(3, None, "failed")])

    assert found.choice.winner.number == 0 and found.choice.verdict is None
    assert found.sentences() == ["No trial is better than the defaults, which are the result."]


def test_a_first_trial_cut_short_gives_way_to_a_later_one() -> None:
    again = record(2, 0.7, options={"lr": 1.0}, evidence=evidence(0.7, 0.01, 5))
    found = result([trial(0, 0.4), trial(1, 0.6), Record(**{**vars(again), "first": True})])

    assert found.choice.first.number == 2


def test_a_draw_of_options_that_were_tried_is_no_candidate() -> None:
    again = trial(3, 0.8, like=1)
    found = result([trial(0, 0.5), trial(1, 0.8), trial(2, 0.6), again])

    assert found.choice.verdict is not None and found.choice.verdict.num_trials == 3
    assert not again.counts and " 3  0.8000" not in repr(found.view())
    assert "The search ended: 3 trials were asked for." in repr(found.view())


def test_while_the_defaults_are_trained_elsewhere_the_best_so_far_is_told() -> None:
    running = record(0, None, "running")
    found, begun = result([running, trial(1, 0.6), trial(2, 0.7)]), result([running], limit_s=0.02)

    assert (found.choice.first.number, found.choice.winner.number, found.choice.verdict) == (0, 2, None)
    assert found.sentences() == [
        "The defaults are still trained by another process; of the other trials trial 2 is the best so far."
    ]
    assert begun.sentences() == ["The defaults are still trained by another process; of the other trials none is done."]
    assert "Best trials" in repr(found.view()) and "Best trials" in repr(begun.view())
    assert json.loads(json.dumps(found.to_json()))["first"]["state"] == "running"


def test_without_the_defaults_there_is_no_result() -> None:
    with pytest.raises(TrainingError, match="The trial with the defaults is not done") as caught:
        result([record(0, None, "failed"), trial(1, 0.6)])

    assert caught.value.hint is not None and "with a longer --timeout" in caught.value.hint


def test_the_best_within_a_latency_wins_and_defaults_that_are_too_slow_do_not_count() -> None:
    found = result([trial(0, 0.9, latency_s=(0.0, 0.05)), trial(1, 0.7, latency_s=(0.0, 0.01))], limit_s=0.02)

    assert (found.choice.winner.number, found.choice.fits) == (1, True)
    assert found.sentences() == ["Trial 1 is the result; the defaults are too slow."]
    assert [one.number for one in found.front] == [1, 0]
    assert "Front: nothing is both better and quicker" in repr(found.view())


def test_where_none_is_quick_enough_the_closest_is_told() -> None:
    found = result([trial(0, 0.9, latency_s=(0.0, 0.05)), trial(1, 0.7, latency_s=(0.0, 0.03))], limit_s=0.02)

    assert found.choice.winner.number == 1 and not found.choice.fits
    assert found.sentences()[0] == "No trial is within 20 ms; trial 1 is closest with 30.0 ms."


def test_the_view_shows_trials_by_score_and_what_they_change() -> None:
    text = repr(result([trial(0, 0.5), trial(1, 0.8), trial(2, 0.6)]).view())

    lines = [line.split() for line in text.splitlines() if "lr=" in line or "the defaults" in line.split("s  ")[-1:]]
    assert lines[0][:2] == ["1", "0.8000"] and "lr=0.0002" in lines[0]
    assert "loss=" not in text and "lr    75 %" in text


def test_many_trials_are_cut_to_the_best_and_the_defaults() -> None:
    text = repr(result([trial(0, 0.1), *(trial(number, 0.5 + number / 100) for number in range(1, 20))]).view())

    assert sum("lr=" in line for line in text.splitlines()) == 10
    assert "the defaults" in text.split("Best trials")[1]


def test_json_is_plain() -> None:
    values = json.loads(json.dumps(result([trial(0, 0.5), trial(1, 0.8)]).to_json()))

    assert (values["winner"], values["changed"], values["ended"]) == (1, {"lr": 2e-4}, "3 trials were asked for")
    assert values["verdict"]["pays"] is True and len(values["trials"]) == 2


def test_options_are_read_by_train(tmp_path: Path) -> None:
    data = DataConfig(text=("a", 'b"c'), header=True, max_tokens=64)
    config = TrainConfig(lr=3.3e-5, schedule="wsd", encoder="C:\\models\\tiny", epochs=4.0)
    (tmp_path / "best.toml").write_text(options_toml(data, config), encoding="utf-8")

    assert split_options(read_options(tmp_path / "best.toml")) == (data, config)
    assert tomllib.loads(options_toml(DataConfig(), TrainConfig())) == {}


def test_options_of_the_decision_rule_are_read_by_train(tmp_path: Path) -> None:
    rule = DecisionConfig(goal="recall>=0.9@bug", abstain="0.8", outside=0.05)
    (tmp_path / "best.toml").write_text(options_toml(DataConfig(), TrainConfig(lr=1e-4), rule), encoding="utf-8")

    assert take_decisions(read_options(tmp_path / "best.toml")) == (rule, {"lr": 1e-4})


@pytest.mark.parametrize(
    ("options", "shown"), [({}, "as the defaults"), ({"lr": 1e-5, "loss": "x"}, "lr=1e-05 loss=x")]
)
def test_options_are_shown_as_set_takes_them(options: dict[str, str | float], shown: str) -> None:
    assert show_options(options) == shown
