"""The choice between two encoders: on which rows, by which score, and what is handed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch

from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.training.encoder_choice import ENOUGH_ROWS, MOST_SPLITS, SPLIT_SHARE, EncoderChoice, choose_encoder
from tests.feedback import feedback_rows
from tests.helpers import DEFAULT_WORDS, tiny_encoder


def choice_of(plain: float, adapted: float, error: float = 0.0) -> EncoderChoice:
    scores: Mapping[str, float] = {"f1_macro": plain}
    return EncoderChoice(
        "f1_macro",
        ("f1_macro",),
        4,
        120,
        error,
        {"plain": scores, "adapted": {"f1_macro": adapted}},
        {"plain": {"bug": {"f1": plain}}, "adapted": {"bug": {"f1": adapted}}},
    )


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return an encoder that knows each word by another vector than the fixture `encoder`."""
    return str(tiny_encoder(tmp_path_factory.mktemp("other") / "encoder", words=DEFAULT_WORDS[::-1]))


def config_for(encoder: str) -> TrainConfig:
    return TrainConfig().changed(encoder=encoder, epochs=1, lr=1e-3, batch_size=8, precision="fp32")


@pytest.mark.parametrize(
    ("plain", "adapted", "error", "kept"),
    [
        (0.5, 0.625, 0.0, "adapted"),
        (0.5, 0.625, 0.06, "adapted"),
        (0.5, 0.625, 0.07, "plain"),
        (0.625, 0.5, 0.0, "plain"),
        (0.5, 0.5, 0.0, "plain"),
        (0.5, float("nan"), 0.0, "plain"),
    ],
)
def test_the_adapted_encoder_has_to_be_better_by_more_than_chance(
    plain: float, adapted: float, error: float, kept: str
) -> None:
    assert choice_of(plain, adapted, error).kept == kept


def test_a_choice_of_which_one_score_is_unknown_takes_the_known_one() -> None:
    known = choice_of(0.5, 0.6)

    assert replace(known, scores={"plain": {}, "adapted": known.scores["adapted"]}).kept == "adapted"
    assert replace(known, scores={"plain": known.scores["plain"], "adapted": {}}).kept == "plain"


def test_a_gain_that_may_be_chance_is_said() -> None:
    assert choice_of(0.5, 0.625, 0.25).describe() == (
        "the adapted encoder is left out, its gain does not exceed two standard errors of the difference, 0.5000: "
        "f1_macro 0.6250, without adaptation 0.5000, on 120 rows held out in 4 splits"
    )
    assert "is not better and is left out: f1_macro 0.5000" in choice_of(0.5, 0.5, 0.25).describe()


def test_both_results_are_said_per_label() -> None:
    shown = repr(choice_of(0.5, 0.625, 0.03125).view())

    assert (
        "the adapted encoder is kept, its gain exceeds two standard errors of the difference, 0.0625: "
        "f1_macro 0.6250, without adaptation 0.5000, on 120 rows held out in 4 splits" in shown
    )
    assert [line.split() for line in shown.splitlines() if line.strip().startswith("bug")] == [
        ["bug", "0.5000", "0.6250"]
    ]
    assert choice_of(0.5, 0.6).to_json()["kept"] == "adapted"


def test_few_rows_are_split_several_times_and_the_winner_learns_from_all(encoder: str, other: str) -> None:
    data = DataBunch.from_files(feedback_rows(40))
    told: list[str] = []

    choice, learner = choose_encoder(data, config_for(encoder), other, on_fit=told.append)

    assert len(data.splits["valid"]) < ENOUGH_ROWS and choice.num_splits == MOST_SPLITS
    assert len(told) == 2 * MOST_SPLITS + 1 and told[-1] == f"{choice.kept} encoder, all training rows"
    assert choice.num_rows == MOST_SPLITS * SPLIT_SHARE * 40
    assert learner.data.splits == data.splits
    assert learner.config.encoder == (encoder if choice.kept == "plain" else other)
    assert [(one.name, one.steps) for one in learner.history.stages] == [
        ("trials of encoders", 2 * MOST_SPLITS * 4),
        ("training", learner.history.steps[-1].step),
    ]


def test_rows_of_the_users_own_file_are_used_as_they_are(encoder: str, other: str) -> None:
    rows = feedback_rows(40)
    data = DataBunch.from_files(rows[:30], rows[30:])

    choice, learner = choose_encoder(data, config_for(encoder), other)

    assert (choice.num_splits, choice.num_rows) == (1, 10)
    assert learner.evaluate("valid") == choice.scores[choice.kept]
    assert [one.steps for one in learner.history.stages] == [4, 4]  # of the other one, and its own


def test_the_model_is_that_of_the_encoder_alone(encoder: str, other: str) -> None:
    """What is shipped must be what training from the kept encoder gives, bit for bit."""
    from fastbert.training.learner import Learner

    data = DataBunch.from_files(feedback_rows(40))
    choice, learner = choose_encoder(data, config_for(encoder), other)
    kept = encoder if choice.kept == "plain" else other

    alone = Learner(data, config=config_for(kept)).fit()

    ours, others = learner.model.state_dict(), alone.model.state_dict()
    assert all(torch.equal(ours[name], others[name]) for name in others)
