"""What callbacks see of a run, and what a history keeps of it."""

from __future__ import annotations

import dataclasses
import json

import pytest

from fastbert.training.state import EvaluationRecord, History, RunState, Stage, StepRecord, StopSwitch, together


def make_state(**changes: object) -> RunState:
    state = RunState(
        step=4, total_steps=10, epoch=0.4, total_epochs=1.0, loss=0.5, lr=1e-4, gradient_norm=2.0,
        examples=40, tokens=400, padded_tokens=500, seconds=2.0, monitor="f1_macro", stop=StopSwitch(),
    )  # fmt: skip
    return dataclasses.replace(state, **changes)  # type: ignore[arg-type]  # any field


def test_nobody_asks_to_stop_at_first() -> None:
    assert StopSwitch().reason is None


def test_the_first_reason_to_stop_is_kept() -> None:
    stop = StopSwitch()

    stop.ask("no better score")
    stop.ask("out of time")

    assert stop.reason == "no better score"


def test_a_callback_cannot_change_a_state() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_state().step = 5  # type: ignore[misc]


def test_rates_are_per_second_of_training() -> None:
    state = make_state()

    assert (state.examples_per_second, state.tokens_per_second) == (20.0, 200.0)


def test_rates_are_zero_before_the_first_step() -> None:
    state = make_state(seconds=0.0)

    assert (state.examples_per_second, state.tokens_per_second) == (0.0, 0.0)


def test_history_is_written_as_plain_values() -> None:
    history = History(
        steps=[StepRecord(1, 0.5, 0.123456789, 1e-4)],
        evaluations=[EvaluationRecord(1, 0.55555, 0.123456789, {"f1_macro": 0.75}, best=True)],
        examples=8, tokens=75, padded_tokens=100, seconds=1.23456, flop=2e9, product_rate=3e9,
    )  # fmt: skip

    assert history.to_json() == {
        "steps": [[1, 0.12346, 1e-4]],
        "evaluations": [
            {
                "step": 1, "epoch": 0.556, "train_loss": 0.12346, "scores": {"f1_macro": 0.75},
                "best": True, "averaged": False, "kept": False,
            }
        ],
        "examples": 8,
        "tokens": 75,
        "padding_share": 0.25,
        "seconds": 1.235,
        "flop": 2e9,
        "product_rate": 3e9,
        "mfu": 0.54,
    }  # fmt: skip


def test_utilisation_is_the_work_done_by_the_work_possible() -> None:
    history = History(tokens=300, padded_tokens=400, seconds=2.0, flop=3e9, product_rate=5e9)

    assert history.mfu == 3e9 / (2.0 * 5e9)
    assert history.describe_speed() == (
        "150 tokens/s, 25.0 % padding, MFU 30 % (of the 5 GFLOP/s that a matrix product reaches here)"
    )


def test_a_history_without_steps_has_no_speed() -> None:
    assert (History().mfu, History().tokens_per_second, History().padding_share) == (0.0, 0.0, 0.0)


def test_an_empty_history_is_valid_json() -> None:
    assert json.loads(json.dumps(History().to_json()))["padding_share"] == 0.0


@pytest.mark.parametrize(
    ("num_steps", "kept", "second"), [(500, 500, 2), (501, 251, 3), (999, 500, 3), (1000, 500, 3), (1001, 334, 4)]
)
def test_steps_are_thinned_to_at_most_500(num_steps: int, kept: int, second: int) -> None:
    history = History(steps=[StepRecord(number, 0.0, 1.0, 1e-4) for number in range(1, num_steps + 1)])

    steps = history.to_json()["steps"]

    assert isinstance(steps, list)
    assert (len(steps), steps[0][0], steps[1][0]) == (kept, 1, second)


def test_stages_are_written_as_they_ran() -> None:
    folds = together("models of 2 folds", [Stage("pairs of rows", 8, 1.0), Stage("training", 2, 0.25, in_history=True)])

    written = History(stages=[folds, Stage("training", 3, 0.12345, in_history=True)]).to_json()["stages"]

    assert written == [
        {"name": "models of 2 folds", "steps": 10, "seconds": 1.25, "in_history": False},
        {"name": "training", "steps": 3, "seconds": 0.123, "in_history": True},
    ]
