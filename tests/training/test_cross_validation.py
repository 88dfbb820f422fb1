"""Cross-validation: each row predicted once by a model that has not seen it, for every task, and after a kill."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fastbert
from fastbert.config import DecisionConfig, TrainConfig
from fastbert.data.databunch import HELD_OUT, DataBunch
from fastbert.errors import ConfigError
from fastbert.training import fold_state
from fastbert.training.callbacks import Callback
from fastbert.training.cross_validation import CrossValidating, cross_validate
from fastbert.training.learner import Learner
from fastbert.training.out_of_fold import CrossValidation
from fastbert.training.state import RunState
from tests.feedback import FAST, feedback_rows, tagged_rows
from tests.helpers import write_csv
from tests.tasks.questions import question_rows

QUICK: dict[str, Any] = {**FAST, "epochs": 1}


class Killed(Exception):
    """Stands for a process that ends."""


class Kill(Callback):
    """Ends the run in the training of one fold, counted from 1."""

    def __init__(self, fold: int) -> None:
        self.fold = fold
        self.parts: list[str] = []

    def on_part(self, name: str) -> None:
        self.parts.append(name)

    def on_evaluate(self, state: RunState) -> None:
        if len(self.parts) == self.fold:
            raise Killed


def valued_rows() -> list[dict[str, object]]:
    return [{"text": row["text"], "stars": 1.5 + index * 0.37} for index, row in enumerate(feedback_rows(30))]


def entity_rows() -> list[dict[str, object]]:
    return [
        {
            "text": f"the page of {name} , {index} times",
            "entities": [{"start": 12, "end": 12 + len(name), "label": "X"}],
        }
        for index, name in enumerate(["anna", "berlin", "paris"] * 10)
    ]


def make_run(
    encoder: str,
    working: Path | None = None,
    seed: int = 0,
    deciding: DecisionConfig | None = None,
    **options: object,
) -> CrossValidating:
    data = DataBunch.from_files(feedback_rows(30), valid_share=0.2)
    config = TrainConfig().changed(**{**QUICK, "encoder": encoder, "seed": seed, **options})
    return CrossValidating.prepare(data, config, 3, working, deciding=deciding)


def scores_of(found: CrossValidation) -> list[dict[str, float]]:
    return [dict(prediction.scores) for prediction in found.predictions]


@pytest.mark.parametrize(
    ("task", "rows"),
    [
        ("single_label", lambda: feedback_rows(30)),
        ("multi_label", lambda: tagged_rows(30)),
        ("regression", valued_rows),
        ("tagging", entity_rows),
        ("answering", lambda: question_rows(30, unanswerable=0.3)),
    ],
)
def test_every_task_has_a_prediction_for_every_row(
    task: str, rows: Callable[[], list[dict[str, object]]], encoder: str, tmp_path: Path
) -> None:
    found = cross_validate(rows(), 3, progress=False, encoder=encoder, valid_share=0.2, **QUICK)

    assert found.task.name == task
    assert [one.text for one in found.predictions] == [one.text for one in found.examples]
    assert len(found.examples) == 30 and set(found.fold_N) == {0, 1, 2}
    assert set(found.task.headlines) & set(found.scores)
    assert len(found.write_csv(tmp_path / "oof.csv").read_text(encoding="utf-8").splitlines()) == 31


def test_a_fold_s_predictions_are_those_of_its_learner(encoder: str) -> None:
    run = make_run(encoder)
    fold = run.folds[1]
    learner = Learner(fold.data, config=run.config).fit()

    found = run.run()

    alone = learner.predictions(HELD_OUT)
    assert [found.predictions[row] for row in fold.rows] == alone
    assert found.fold_scores[1] == found.task.score(alone, fold.data.examples(HELD_OUT))


def test_the_threshold_of_each_fold_is_fitted_on_its_own_validation_rows(encoder: str) -> None:
    data = DataBunch.from_files(tagged_rows(30), valid_share=0.2)
    run = CrossValidating.prepare(data, TrainConfig().changed(**{**QUICK, "encoder": encoder}), 3)

    found = run.run()

    for place, fold in enumerate(run.folds):
        threshold = Learner(fold.data, config=run.config).fit().decisions.threshold
        assert found.decisions[place].threshold == threshold


def test_the_rule_of_each_fold_is_the_one_that_was_asked_for(encoder: str) -> None:
    found = cross_validate(
        feedback_rows(30), 3, progress=False, encoder=encoder, valid_share=0.2, goal="recall>=0.9@bug", abstain="0.9",
        **QUICK,
    )  # fmt: skip

    assert [rule.goal for rule in found.decisions] == ["recall>=0.9@bug"] * 3
    assert [rule.abstention.confidence for rule in found.decisions] == [0.9] * 3
    assert found.scores["coverage"].pooled == 1 - sum(not one.labels for one in found.predictions) / 30


def test_a_rule_that_the_task_does_not_know_is_refused_before_any_training(encoder: str) -> None:
    with pytest.raises(ConfigError, match=r"The goal 'recall>=0\.9' does not say of which label"):
        make_run(encoder, deciding=DecisionConfig(goal="recall>=0.9"))


def test_the_fold_whose_rows_cannot_serve_a_rule_is_named(encoder: str) -> None:
    run = make_run(encoder, deciding=DecisionConfig(abstain="risk<=0.001"))

    with pytest.raises(ConfigError, match=r"Fold 1 of 3: No confidence keeps the share of wrong answers at 0\.001"):
        run.run()


def test_finished_folds_by_another_rule_or_other_costs_are_refused(encoder: str, tmp_path: Path) -> None:
    costs = write_csv(tmp_path / "costs.csv", ["true", "decided", "cost"], [["bug", "praise", 5]])
    by_costs = DecisionConfig(goal=f"cost:{costs}")

    plain, first = make_run(encoder), make_run(encoder, deciding=by_costs)
    write_csv(costs, ["true", "decided", "cost"], [["bug", "praise", 9]])

    assert len({plain.key, first.key, make_run(encoder, deciding=by_costs).key}) == 3


def test_an_interrupted_run_goes_on_to_the_same_predictions(encoder: str, tmp_path: Path) -> None:
    working = tmp_path / ".m.folds"
    whole = make_run(encoder).run()
    with pytest.raises(Killed):
        make_run(encoder, working).run([Kill(3)])
    again = make_run(encoder, working)
    watcher = Kill(0)

    found = again.run([watcher])

    assert again.num_finished == 3
    assert watcher.parts == ["fold 3 of 3"]
    assert scores_of(found) == scores_of(whole)
    assert found.fold_scores == whole.fold_scores
    assert sorted(path.suffix for path in working.glob("fold-*")) == [".safetensors"] * 3


def test_a_fold_that_was_damaged_is_trained_again(encoder: str, tmp_path: Path) -> None:
    working = tmp_path / ".m.folds"
    whole = make_run(encoder, working).run()
    kept = fold_state.load_fold(working, 1)
    assert kept is not None
    fold_state.save_fold(working, 0, kept)  # of other rows

    watcher = Kill(0)
    found = make_run(encoder, working).run([watcher])

    assert watcher.parts == ["fold 1 of 3"]
    assert scores_of(found) == scores_of(whole)


@pytest.mark.parametrize("change", [{"lr": 1e-4}, {"seed": 1}, {"batch_size": 4}])
def test_finished_folds_of_other_options_are_refused(change: dict[str, Any], encoder: str, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        make_run(encoder, tmp_path / "w").run([Kill(2)])

    with pytest.raises(ConfigError, match="holds finished folds of a run with other data, options or version"):
        make_run(encoder, tmp_path / "w", **change)


def test_another_seed_makes_other_folds(encoder: str) -> None:
    first, again, other = (make_run(encoder, seed=seed) for seed in (0, 0, 1))

    assert [fold.rows for fold in first.folds] == [fold.rows for fold in again.folds]
    assert [fold.rows for fold in first.folds] != [fold.rows for fold in other.folds]
    assert first.key == again.key != other.key


def test_the_plan_says_what_chooses_and_how_long_it_takes(encoder: str, tmp_path: Path) -> None:
    text = repr(make_run(encoder, tmp_path / ".m.folds").view())

    assert "folds      3 of 10 rows; each row is held out once" in text
    assert "trained on 16 rows; 4 of the others choose weights, those held out choose nothing" in text
    assert "for 3 of 3 trainings, beside the model of all rows" in text
    assert f"kept       in {tmp_path / '.m.folds'}" in text


def test_a_label_that_a_model_has_never_seen_is_named(encoder: str) -> None:
    rows = [*feedback_rows(30), {"text": "who is anna", "label": "question"}]

    found = cross_validate(rows, 3, progress=False, encoder=encoder, valid_share=0.2, **QUICK)

    assert "Some fold's model has never seen question" in found.notes[0]


def test_the_working_folder_of_a_call_is_removed_at_its_end(encoder: str, tmp_path: Path) -> None:
    found = fastbert.cross_validate(
        feedback_rows(30), 3, working=tmp_path / "w", progress=False, encoder=encoder, valid_share=0.2, **QUICK
    )

    assert len(found.predictions) == 30
    assert list(tmp_path.iterdir()) == []


def test_a_bunch_and_options_of_data_are_refused_together(encoder: str) -> None:
    data = DataBunch.from_files(feedback_rows(30))

    with pytest.raises(ConfigError, match="A DataBunch has its validation rows and its options of data already"):
        cross_validate(data, 3, valid_share=0.3, encoder=encoder)
