"""The choice between losses by the scores of their trials, and where there is nothing to choose."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.data.examples import TextExample
from fastbert.labels import Labels
from fastbert.tasks.classification import SingleLabel
from fastbert.tasks.label_prediction import LabelPrediction
from fastbert.training.loss_choice import LEAST_RATIO, LossChoice, announce, judge, trial_config, with_loss
from tests.feedback import feedback_rows

TASK = SingleLabel(Labels(("no", "yes")))


def choice_of(
    scores: dict[str, float], error: float = 0.0, collapsed: tuple[str, ...] = (), splits: int = 1
) -> LossChoice:
    errors = dict.fromkeys((name for name in scores if name != "default"), error)
    return LossChoice("f1_macro", 19.0, splits, 200, scores, errors, collapsed)


@pytest.mark.parametrize(
    ("scores", "error", "collapsed", "kept"),
    [
        ({"default": 0.5, "balanced": 0.75, "focal": 0.625}, 0.0625, (), "balanced"),
        ({"default": 0.5, "balanced": 0.75, "focal": 0.625}, 0.125, (), "default"),
        ({"default": 0.5, "balanced": 0.25, "focal": 0.5}, 0.0, (), "default"),
        ({"default": 0.5, "balanced": 0.75, "focal": 0.625}, 0.0, ("balanced",), "focal"),
        ({"default": 0.5, "balanced": 0.75}, 0.0, ("balanced",), "default"),
        ({"default": 0.5, "balanced": 0.625}, 0.25, ("default",), "balanced"),  # the default is no choice
        ({"default": 0.5, "balanced": 0.25, "focal": 0.375}, 0.0, ("default",), "focal"),  # it says nothing of a text
        ({"default": 0.5, "balanced": 0.5}, 0.0, ("default", "balanced"), "default"),
        ({"default": 0.5}, 0.0, (), "default"),
        ({"balanced": 0.5}, 0.0, (), "default"),
    ],
)
def test_another_loss_has_to_gain_more_than_chance_and_must_not_collapse(
    scores: dict[str, float], error: float, collapsed: tuple[str, ...], kept: str
) -> None:
    assert choice_of(scores, error, collapsed).kept == kept


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (
            choice_of({"default": 0.5, "balanced": 0.75}, 0.0625, splits=4),
            "loss balanced: its gain exceeds two standard errors of the difference, 0.1250; "
            "f1_macro of the trials on 200 rows held out in 4 splits: default 0.5000, balanced 0.7500",
        ),
        (
            choice_of({"default": 0.5, "balanced": 0.75}, 0.125),
            "loss default: no other gains more than two standard errors of the difference; "
            "f1_macro of the trials on 200 rows held out: default 0.5000, balanced 0.7500",
        ),
        (
            choice_of({"default": 0.5, "balanced": 0.75}, 0.0, ("default",)),
            "loss balanced: by default all rows got the same answer; f1_macro",
        ),
        (
            choice_of({"default": 0.5, "balanced": 0.5}, 0.0, ("default", "balanced")),
            "loss default: none of the trials told the rows apart; f1_macro",
        ),
    ],
)
def test_the_verdict_says_why(choice: LossChoice, sentence: str) -> None:
    assert choice.describe().startswith(sentence)


def test_all_trials_are_shown_with_their_gains() -> None:
    shown = repr(choice_of({"default": 0.5, "balanced": 0.75, "focal": 0.5}, 0.0625, ("focal",)).view())
    lines = [line.split() for line in shown.splitlines()]

    assert ["default", "0.5000"] in lines
    assert ["balanced", "0.7500", "0.2500", "0.1250", "kept"] in lines
    assert ["focal", "0.5000", "0.0000", "0.1250", *"the same answer for all rows".split()] in lines


def answers_of(yes: Sequence[bool]) -> list[LabelPrediction]:
    return [LabelPrediction(("yes",) if one else ("no",), {"no": 1.0 - one, "yes": float(one)}) for one in yes]


def test_answers_are_judged_by_the_monitored_score_and_the_paired_error() -> None:
    truth = [place % 4 == 0 for place in range(80)]
    rows = [TextExample("x", labels=("yes" if one else "no",)) for one in truth]
    answers = {"default": answers_of([False] * 80), "balanced": answers_of(truth), "focal": answers_of([False] * 80)}

    choice = judge(TASK, 3.0, 1, answers, rows)

    assert choice.scores == pytest.approx({"default": 3 / 7, "balanced": 1.0, "focal": 3 / 7})
    assert choice.errors["focal"] == 0.0 < choice.errors["balanced"]
    assert choice.collapsed == ("default", "focal") and choice.kept == "balanced"
    assert choice.to_json()["verdict"] == choice.describe()


# --- before any trial -----------------------------------------------------------------------------------------


def imbalanced(count: int) -> DataBunch:
    """Return 24 rows of bugs and so many of praise, in both splits."""
    rows = feedback_rows(48)
    few = [row for row in rows if row["label"] == "bug"] + [row for row in rows if row["label"] == "praise"][:count]
    return DataBunch.from_files(few, few)


def test_even_labels_and_other_tasks_have_the_default_at_no_cost() -> None:
    auto = TrainConfig(loss="auto")
    stars = [{"text": f"row {place}", "stars": place / 7} for place in range(60)]

    even = with_loss(imbalanced(12), auto)
    number = with_loss(DataBunch.from_files(stars, labels=("stars",)), auto)

    assert (even[1].loss, number[1].loss) == ("default", "default")
    assert even[2] == ("loss default: the rarest label is 2.0 times as rare; from 5 on auto compares losses",)
    assert number[2] == ("loss default: the task 'regression' has no rare labels to choose a loss for",)


def test_rare_labels_leave_the_choice_open() -> None:
    data = imbalanced(4)
    assert data.task.imbalance(data.examples("train")) >= LEAST_RATIO

    found, config, reasons = with_loss(data, TrainConfig(loss="auto"))

    assert found.task == data.task and config.loss == "auto" and reasons == ()
    assert announce(data.task, 6.0, 4) == (
        "loss auto: the rarest label is 6 times as rare; default, balanced, focal and resampled are tried first, in a "
        "third of the epochs on each of 4 splits, and the estimate holds that"
    )


def test_a_loss_by_name_is_given_to_the_task() -> None:
    data, config, reasons = with_loss(imbalanced(4), TrainConfig(loss="resampled"))

    assert data.task.to_json()["loss"] == "resampled" == config.loss
    assert reasons == (
        "loss resampled: rows of rare labels come up to 1.9 times an epoch, which has 32 rows instead of 28",
    )
    assert trial_config(config, "focal", 6.0).changed() == config.changed(loss="focal", epochs=2.0)
