"""Validation by folds: whose answers the scores are of, what is trained on, and for whom it is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.errors import ConfigError
from fastbert.inference.predictor import Predictor
from fastbert.insight.linear_check import LinearCheck
from fastbert.models.loading import open_encoder
from fastbert.training.learner import Learner
from fastbert.training.valid_folds import with_few_rows
from tests.feedback import FAST, Recorder, differing, feedback_rows, make_learner, tagged_rows, weights
from tests.training.test_contrastive import Parts

FEW = 32  # 16 of each label


def few(**options: object) -> DataBunch:
    return DataBunch.from_files(feedback_rows(FEW), **options)


def folded(**options: object) -> DataBunch:
    return DataBunch.from_files(feedback_rows(24), valid_folds=3, **options)


# -- for whom ---------------------------------------------------------------------------------------------------------


def test_few_rows_are_all_trained_on_and_the_reason_counts_them_all(encoder: str) -> None:
    data, config, reasons = with_few_rows(few(), TrainConfig(), open_encoder(encoder), None)

    assert (data.folded, data.config.valid_folds, config.start) == (True, 3, "contrastive")
    assert "16 rows a label" in reasons[0]


@pytest.mark.parametrize("options", [{"start": "plain"}, {"patience": 2}, {"time_budget": "1h"}, {"epochs": 2}])
def test_other_trainings_hold_a_share_out(options: Mapping[str, object], encoder: str) -> None:
    data, _, _ = with_few_rows(few(), TrainConfig().changed(**options), open_encoder(encoder), None)

    assert (data.folded, len(data.splits["valid"])) == (False, 3)


@pytest.mark.parametrize(
    "data",
    [
        few(valid_folds=0),
        DataBunch.from_files(feedback_rows(FEW), feedback_rows(40)[FEW:]),
        DataBunch.from_files(feedback_rows(34)),
    ],
    ids=["not wanted", "a table of its own", "more rows"],
)
def test_other_data_stay_as_they_are(data: DataBunch, encoder: str) -> None:
    found, _, _ = with_few_rows(data, TrainConfig(), open_encoder(encoder), None)

    assert found is data


def test_rows_that_no_fold_could_learn_pairs_from_hold_a_share_out(encoder: str) -> None:
    rows = [{"text": f"the {row['text']}", "label": row["label"]} for row in feedback_rows(4)]
    data = DataBunch.from_files(rows, valid_share=0.25)

    found, _, _ = with_few_rows(data, TrainConfig(start="contrastive"), open_encoder(encoder), None)

    assert not found.folded


# -- what is trained and answered -------------------------------------------------------------------------------------


def test_the_saved_weights_are_those_of_a_training_on_all_rows(encoder: str) -> None:
    config = TrainConfig().changed(**FAST)
    every = replace(folded(), valid_chooses=True, config=few(valid_folds=0).config)  # the same, scored on itself

    found, plain = (Learner(data, encoder, config=config).fit() for data in (folded(), every))

    assert differing(weights(found.model), weights(plain.model)) == []


def test_each_row_is_answered_by_the_model_of_the_others(encoder: str) -> None:
    learner = Learner(folded(), encoder, config=TrainConfig().changed(**FAST)).fit()
    part = learner.data.valid_folds(learner.config.seed)[1]

    alone = Learner(part.data, encoder, config=learner.config).fit()

    expected = [prediction.scores for prediction in alone.raw_predictions("valid")]
    said = learner.raw_predictions("valid")
    assert [said[row].scores for row in part.rows] == expected
    own = learner.predict([learner.data.examples("valid")[row].text for row in part.rows])
    assert [prediction.scores for prediction in own] != expected


def test_the_rule_is_fitted_to_these_answers_and_saved_with_them(encoder: str, tmp_path: Path) -> None:
    learner = Learner(folded(), encoder, config=TrainConfig().changed(**FAST)).fit()

    bundle = Predictor.load(learner.save(tmp_path / "model")).bundle

    examples = learner.data.examples("valid")
    assert bundle.scores["valid"] == learner.data.task.score(learner.predictions("valid"), examples)
    assert bundle.decisions == learner.data.task.fit_rule(learner.raw_predictions(), examples, learner.deciding)
    page = (tmp_path / "model" / "report.html").read_text(encoding="utf-8")
    assert "Measured on 24 out-of-fold rows" in page and "none held out" in page


def test_a_second_fit_goes_on_in_the_folds_too(encoder: str) -> None:
    learner = Learner(folded(), encoder, config=TrainConfig().changed(**FAST)).fit(epochs=1).fit(epochs=1, lr=1e-4)
    part = learner.data.valid_folds(learner.config.seed)[0]

    alone = Learner(part.data, encoder, config=learner.config).fit(epochs=1).fit(epochs=1, lr=1e-4)

    said = learner.raw_predictions("valid")
    assert [said[row].scores for row in part.rows] == [one.scores for one in alone.raw_predictions("valid")]


def test_layers_that_were_frozen_by_hand_are_frozen_in_the_folds(encoder: str) -> None:
    learner = Learner(folded(), encoder, config=TrainConfig().changed(**FAST))
    learner.freeze()
    learner.fit()
    part = learner.data.valid_folds(learner.config.seed)[0]
    alone = Learner(part.data, encoder, config=learner.config)
    alone.freeze()

    said, expected = learner.raw_predictions("valid"), alone.fit().raw_predictions("valid")
    assert [said[row].scores for row in part.rows] == [one.scores for one in expected]


def test_the_answers_of_folds_choose_nothing(encoder: str) -> None:
    """The latest weights are kept, however well earlier ones did on the rows of the fold."""
    watch = Recorder()
    learner = Learner(folded(), encoder, config=TrainConfig().changed(**{**FAST, "average": 3}), callbacks=[watch])

    learner.fit()

    kept = [state.kept_steps for event, state in zip(watch.events, watch.states, strict=True) if event == "finish"]
    assert kept == [(4,), (4,), (4,), (6,)]


def test_every_training_has_a_name(encoder: str) -> None:
    watch = Parts()
    Learner(few(), encoder, precision="fp32", callbacks=[watch]).fit()

    first = ["fold 1 of 3", "fold 1 of 3, pairs of rows", "fold 1 of 3, training"]
    assert watch.parts[:3] == first
    assert watch.parts[-3:] == ["all rows", "pairs of rows", "training"]


NUMBERS: list[dict[str, object]] = [{"text": row["text"], "n": len(row["text"]) / 7} for row in feedback_rows(24)]


@pytest.mark.parametrize("rows", [tagged_rows(24), NUMBERS])
def test_other_tasks_are_validated_by_folds_where_asked(rows: list[dict[str, object]], encoder: str) -> None:
    data = DataBunch.from_files(rows, valid_folds=2)

    learner = Learner(data, encoder, config=TrainConfig().changed(**FAST)).fit()

    assert len(learner.predictions("valid")) == 24
    assert learner.evaluate() == data.task.score(learner.predictions(), data.examples("valid"))


def test_losses_are_tried_by_folds(encoder: str) -> None:
    rows = [row for place, row in enumerate(feedback_rows(48)) if row["label"] == "bug" or place in (1, 3)]
    data = DataBunch.from_files(rows, valid_folds=2)

    learner = Learner(data, encoder, config=TrainConfig().changed(**{**FAST, "loss": "auto", "epochs": 1})).fit()

    choice = learner.facts["loss_choice"]
    assert isinstance(choice, dict) and choice["rows"] == len(rows)


# -- what it cannot go with -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "value"), [("patience", 2), ("time_budget", "1h")])
def test_what_ends_a_training_by_rows_held_out_is_refused(name: str, value: object, encoder: str) -> None:
    learner = Learner(folded(), encoder, config=TrainConfig().changed(**{**FAST, name: value}))

    with pytest.raises(ConfigError, match=f"valid_folds is 3 and {name} is {value}"):
        learner.fit()


def test_there_is_no_answer_before_the_first_fit(encoder: str) -> None:
    with pytest.raises(ConfigError, match="none is trained yet"):
        make_learner(encoder, folded()).evaluate()


def test_the_estimate_counts_the_folds(encoder: str) -> None:
    plan = Learner(folded(), encoder, config=TrainConfig().changed(**FAST)).plan()
    alone = Learner(few(valid_folds=0), encoder, config=TrainConfig().changed(**FAST)).plan()

    assert plan.memory_bytes > alone.memory_bytes
    assert plan.view().blocks[0].lines[1] == "rows       train 24, valid the same, by 3 folds"


def test_the_linear_model_answers_by_folds_too() -> None:
    data = DataBunch.from_files(feedback_rows(40), None, feedback_rows(48)[40:], valid_folds=4)

    check = LinearCheck.of(data)

    assert check is not None and check.baseline.trained_rows == 36  # a share was held out from it, to choose it by
    assert len(check.answers["valid"]) == 40 and len(check.answers["test"]) == 8
    own = check.baseline.answer(data.examples("valid"))
    assert not np.allclose(
        [one.scores["bug"] for one in check.answers["valid"]],  # type: ignore[attr-defined]  # they are of labels
        [one.scores["bug"] for one in own],  # type: ignore[attr-defined]
    )
