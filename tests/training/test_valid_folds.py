"""Validation by folds: whose answers the scores are of, what is trained on, and for whom it is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fastbert import api
from fastbert.config import DataConfig, TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.errors import ConfigError
from fastbert.inference.predictor import Predictor
from fastbert.insight.linear_check import LinearCheck
from fastbert.training.callbacks import EarlyStopping
from fastbert.training.learner import Learner
from fastbert.training.state import RunState
from fastbert.training.valid_folds import fold_few_rows
from tests.feedback import FAST, Recorder, differing, feedback_rows, make_learner, tagged_rows, weights
from tests.training.test_contrastive import Parts

FEW = 32  # 16 of each label


def few(**options: object) -> DataBunch:
    return DataBunch.from_files(feedback_rows(FEW), config=DataConfig().changed(**options))


def folded() -> DataBunch:
    return DataBunch.from_files(feedback_rows(24), valid_folds=3)


# -- for whom ---------------------------------------------------------------------------------------------------------


def test_few_rows_are_all_trained_on(encoder: str) -> None:
    data = fold_few_rows(few(), TrainConfig(encoder=encoder))

    assert (data.folded, data.config.valid_folds) == (True, 3)
    assert "16 rows a label" in Learner(data, encoder).reasons[0]


def test_few_rows_with_several_labels_are_all_trained_on_without_pairs(encoder: str) -> None:
    """Pairs need one label a row; two rows held out of 24 tell as little of several labels as of one."""
    data = fold_few_rows(DataBunch.from_files(tagged_rows(24)), TrainConfig(encoder=encoder, epochs=2))

    assert (data.task.name, data.config.valid_folds, len(data.splits["train"])) == ("multi_label", 3, 24)
    assert Learner(data, encoder).plan(estimate=False).config.start == "plain"


def test_many_labels_with_few_rows_each_are_no_small_table(encoder: str) -> None:
    """Of 22 labels with 16 rows each a tenth is 35 rows: a scale, and folds would be thrice the work."""
    rows = [{"text": f"row {row} works", "labels": f"a{row % 22}|a{(row + 1) % 22}"} for row in range(352)]
    data = DataBunch.from_files(rows)

    assert (data.task.name, len(data.labels)) == ("multi_label", 22)
    assert fold_few_rows(data, TrainConfig(encoder=encoder)) is data
    assert fold_few_rows(DataBunch.from_files(rows[:336]), TrainConfig(encoder=encoder)).folded


def test_a_callback_that_waits_holds_a_share_out(encoder: str) -> None:
    learner = api.prepare(
        api.Tables(feedback_rows(FEW)), config=TrainConfig(encoder=encoder), callbacks=[EarlyStopping(2)]
    )

    assert not learner.data.folded


@pytest.mark.parametrize("options", [{"start": "plain"}, {"patience": 2}, {"time_budget": "1h"}, {"epochs": 2}])
def test_other_trainings_hold_a_share_out(options: Mapping[str, object], encoder: str) -> None:
    data = fold_few_rows(few(), TrainConfig(encoder=encoder).changed(**options))

    assert (data.folded, len(data.splits["valid"])) == (False, 3)


@pytest.mark.parametrize(
    "data",
    [
        few(valid_folds=0),
        few(valid_share=0.2),
        DataBunch.from_files(feedback_rows(FEW), feedback_rows(40)[FEW:]),
        DataBunch.from_files(feedback_rows(34)),
        DataBunch.from_files(tagged_rows(60)),
        DataBunch.from_files(
            [{"text": row["text"], "label": place / 3} for place, row in enumerate(feedback_rows(24))]
        ),
    ],
    ids=["not wanted", "a share of one's own", "a table of its own", "more rows", "more of several labels", "numbers"],
)
def test_other_data_stay_as_they_are(data: DataBunch, encoder: str) -> None:
    assert fold_few_rows(data, TrainConfig(encoder=encoder)) is data


def test_rows_that_some_fold_could_not_learn_pairs_from_hold_a_share_out(encoder: str) -> None:
    data = DataBunch.from_files(feedback_rows(4))

    assert not fold_few_rows(data, TrainConfig(encoder=encoder, start="contrastive")).folded


def test_a_learner_trains_on_the_split_that_its_data_show(encoder: str) -> None:
    """Who made the data saw which rows are held out; only a command that makes them divides them so."""
    data = few()

    assert Learner(data, encoder).data.splits == data.splits
    assert api.prepare(api.Tables(feedback_rows(FEW)), config=TrainConfig(encoder=encoder)).data.folded


# -- what is trained and answered -------------------------------------------------------------------------------------


def test_the_saved_weights_are_those_of_a_training_on_all_rows(encoder: str) -> None:
    config = TrainConfig().changed(**FAST)
    every = replace(folded(), valid_chooses=True, config=few(valid_folds=0).config)  # the same, scored on itself

    found, plain = (Learner(data, encoder, config=config).fit() for data in (folded(), every))

    assert differing(weights(found.model), weights(plain.model)) == []


def test_each_row_is_answered_by_the_model_of_the_others(encoder: str) -> None:
    learner = Learner(folded(), encoder, config=TrainConfig().changed(**FAST)).fit()
    part = learner.data.valid_folds()[1]

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
    page, card = ((tmp_path / "model" / name).read_text(encoding="utf-8") for name in ("report.html", "README.md"))
    assert "Measured on 24 out-of-fold rows" in page and "none held out" in page
    assert "| score | out-of-fold |" in card and "Rows: 24 train." in card
    assert "scores are those of 3 other models, trained as this one but on fewer rows" in card
    assert "which also chose the weights" not in card


def test_a_second_fit_goes_on_in_the_folds_too(encoder: str) -> None:
    learner = Learner(folded(), encoder, config=TrainConfig().changed(**FAST)).fit(epochs=1).fit(epochs=1, lr=1e-4)
    part = learner.data.valid_folds()[0]

    alone = Learner(part.data, encoder, config=learner.config).fit(epochs=1).fit(epochs=1, lr=1e-4)

    said = learner.raw_predictions("valid")
    assert [said[row].scores for row in part.rows] == [one.scores for one in alone.raw_predictions("valid")]


def test_layers_that_were_frozen_by_hand_are_frozen_in_the_folds(encoder: str) -> None:
    learner = Learner(folded(), encoder, config=TrainConfig().changed(**FAST))
    learner.freeze()
    learner.fit()
    part = learner.data.valid_folds()[0]
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
    learner = Learner(folded(), encoder, precision="fp32", callbacks=[watch]).fit()

    first = ["fold 1 of 3", "fold 1 of 3, pairs of rows", "fold 1 of 3, training"]
    assert watch.parts[:3] == first
    assert watch.parts[-3:] == ["all rows", "pairs of rows", "training"]
    folds, pairs, last = learner.history.stages
    assert (folds.name, pairs.name, last.name) == ("models of 3 folds", "pairs of rows", "training")
    assert (pairs.steps, last.steps) == (60, len(learner.history.steps))
    assert folds.steps == 3 * (40 + 1) and min(folds.seconds, pairs.seconds, last.seconds) > 0


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


def test_the_head_is_trained_first_in_the_folds_too_and_once(encoder: str) -> None:
    watch = Parts()
    config = TrainConfig().changed(**{**FAST, "start": "probe"})
    learner = Learner(folded(), encoder, config=config, callbacks=[watch]).fit()
    part = learner.data.valid_folds()[0]

    alone = Learner(part.data, encoder, config=config).fit()

    said = learner.raw_predictions("valid")
    assert [said[row].scores for row in part.rows] == [one.scores for one in alone.raw_predictions("valid")]
    assert watch.parts[-3:] == ["all rows", "the head alone", "training"]
    assert len(watch.parts) == 3 * 3 + 3


def test_a_fit_that_fails_leaves_the_answers_of_those_before(encoder: str) -> None:
    class Failing(Parts):
        def on_start(self, state: RunState) -> None:
            if self.parts[-1:] == ["all rows"] and len(self.parts) > 5:
                raise RuntimeError("no more")

    learner = Learner(folded(), encoder, config=TrainConfig().changed(**FAST), callbacks=[Failing()]).fit()
    before = learner.fold_answers

    with pytest.raises(RuntimeError, match="no more"):
        learner.fit()

    assert learner.fold_answers is before and len(before.fits) == 1


def test_the_choices_of_the_recipe_are_those_of_all_rows(encoder: str) -> None:
    watch = Recorder()
    config = TrainConfig(encoder=encoder, precision="fp32", start="plain")
    learner = Learner(folded(), config=config, callbacks=[watch]).fit()

    epochs = {state.total_epochs for event, state in zip(watch.events, watch.states, strict=True) if event == "finish"}
    assert epochs == {learner.last_plan.config.epochs}


def test_what_auto_chose_for_all_rows_is_done_with_those_of_a_fold(encoder: str) -> None:
    """20 rows a label are not few, but the 13 of a fold would be."""
    watch = Parts()
    data = DataBunch.from_files(feedback_rows(40), valid_folds=3)

    Learner(data, encoder, precision="fp32", callbacks=[watch]).fit()

    assert watch.parts == ["fold 1 of 3", "fold 2 of 3", "fold 3 of 3", "all rows"]


def test_a_warm_up_in_steps_is_as_long_a_part_of_a_fold(encoder: str) -> None:
    config = TrainConfig().changed(**{**FAST, "epochs": 1, "warmup": 2})

    learner = Learner(folded(), encoder, config=config).fit()  # 3 steps, 2 in a fold

    assert learner.fold_answers.fits[0][0]["warmup"] == 2 / 3


def test_a_rule_that_cannot_be_fitted_leaves_the_answers_to_fit_another(encoder: str) -> None:
    learner = Learner(folded(), encoder, config=TrainConfig().changed(**FAST), abstain="risk<=0.0001")

    with pytest.raises(ConfigError, match="risk"):
        learner.fit()

    assert len(learner.decide(abstain="none").predictions("valid")) == 24


def test_a_second_fit_may_freeze_what_learned_from_pairs(encoder: str) -> None:
    learner = Learner(folded(), encoder, precision="fp32").fit()

    assert learner.config.start == "contrastive"
    assert learner.fit(epochs=1, freeze="gradual").last_plan.config.freeze == "gradual"


def test_a_label_of_one_row_is_said_to_be_unknown_to_a_fold() -> None:
    rows = [*feedback_rows(24), {"text": "hello , you and me", "label": "greeting"}]

    data = DataBunch.from_files(rows, valid_folds=3)

    assert any("will not have seen greeting: all rows" in warning for warning in data.warnings)
    assert not any("will not have seen" in warning for warning in folded().warnings)


# -- what it cannot go with -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "value"), [("patience", 2), ("time_budget", "1h")])
def test_what_ends_a_training_by_rows_held_out_is_refused(name: str, value: object, encoder: str) -> None:
    learner = Learner(folded(), encoder, config=TrainConfig().changed(**{**FAST, name: value}))

    with pytest.raises(ConfigError, match=f"{name} ends a training by rows held out, and none are: valid_folds is 3"):
        learner.fit()


def test_a_callback_that_waits_for_a_better_score_is_refused(encoder: str) -> None:
    learner = Learner(folded(), encoder, config=TrainConfig().changed(**FAST), callbacks=[EarlyStopping(2)])

    with pytest.raises(ConfigError, match="EarlyStopping ends a training by rows held out"):
        learner.plan()


def test_pairs_that_a_fold_has_not_are_refused_before_training(encoder: str) -> None:
    data = DataBunch.from_files(feedback_rows(4), valid_folds=2)
    learner = Learner(data, encoder, start="contrastive")

    with pytest.raises(ConfigError, match="in one of 2 folds the training rows have no two of one label"):
        learner.fit()


def test_there_is_no_answer_before_the_first_fit(encoder: str) -> None:
    with pytest.raises(ConfigError, match="none is trained yet"):
        make_learner(encoder, folded()).evaluate()


def test_the_plan_counts_the_models_of_the_folds(encoder: str) -> None:
    plan = Learner(folded(), encoder, config=TrainConfig().changed(**FAST)).plan()
    alone = Learner(few(valid_folds=0), encoder, config=TrainConfig().changed(**FAST)).plan()

    assert plan.memory_bytes > alone.memory_bytes
    assert plan.view().blocks[0].lines[1] == "rows       train 24, valid the same, by 3 folds"


def test_the_linear_model_answers_by_folds_too() -> None:
    data = DataBunch.from_files(feedback_rows(40), None, feedback_rows(48)[40:], valid_folds=4)

    check = LinearCheck.of(data)

    assert check is not None and check.baseline.trained_rows == 36  # a share chose its strength
    assert len(check.answers["valid"]) == 40 and len(check.answers["test"]) == 8
    facts = check.facts({"valid": check.answers["valid"]})
    assert (facts["split"], facts["rows"]) == ("valid", "out-of-fold")
    own = check.baseline.answer(data.examples("valid"))
    assert not np.allclose(
        [one.scores["bug"] for one in check.answers["valid"]],
        [one.scores["bug"] for one in own],
    )
