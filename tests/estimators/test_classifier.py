"""`FastBertClassifier` as scikit-learn uses it: scores, searches, pipelines; and every kind of y."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from fastbert import FastBertClassifier, Predictor
from fastbert.bundle import read_bundle, rewrite
from fastbert.config import DataConfig, TrainConfig
from fastbert.decisions.abstain import Abstention
from fastbert.decisions.rules import Decisions
from fastbert.errors import BundleError, ConfigError
from fastbert.tasks.classification import Classification
from fastbert.tasks.label_prediction import labelled
from tests.estimators.conftest import MOODS, TAGS, TEXTS, classifier, regressor
from tests.feedback import Recorder


def test_answers_are_classes_and_probabilities_in_their_order(fitted: FastBertClassifier) -> None:
    predicted, shares = fitted.predict(TEXTS), fitted.predict_proba(TEXTS)

    assert fitted.classes_.tolist() == ["bug", "praise"]
    assert (shares.shape, shares.dtype.name) == ((40, 2), "float64")
    assert shares.sum(axis=1) == pytest.approx(1.0)
    assert predicted.tolist() == fitted.classes_[shares.argmax(axis=1)].tolist()
    assert fitted.score(TEXTS, MOODS) == (predicted == MOODS).mean() > 0.9


def test_it_answers_as_the_learner_does(fitted: FastBertClassifier) -> None:
    assert fitted.learner_ is not None
    expected = [answer.scores["praise"] for answer in fitted.learner_.predict(TEXTS)]

    assert fitted.predict_proba(TEXTS)[:, 1].tolist() == expected


def test_the_same_seed_gives_the_same_model(encoder: str) -> None:
    first, second = (classifier(encoder, random_state=seed).fit(TEXTS, MOODS) for seed in (7, np.int64(7)))

    assert np.array_equal(first.predict_proba(TEXTS), second.predict_proba(TEXTS))


def test_without_a_seed_it_is_drawn_from_numpy(encoder: str) -> None:
    states = (np.random.RandomState(3), np.random.RandomState(3), None)  # scikit-learn's own kind
    seeds = [classifier(encoder, random_state=state)._configs()[1].seed for state in states]

    assert seeds[0] == seeds[1] != seeds[2]


@pytest.mark.parametrize("y", [MOODS == "bug", np.where(MOODS == "bug", 3, -1)], ids=["bools", "ints"])
def test_classes_keep_their_type(y: np.ndarray, encoder: str) -> None:
    model = classifier(encoder).fit(TEXTS, y)

    predicted = model.predict(TEXTS[:4])

    assert (predicted.dtype, model.classes_.tolist()) == (y.dtype, sorted(set(y.tolist())))


def test_a_matrix_gives_a_matrix_by_the_fitted_threshold(encoder: str, tmp_path: Path) -> None:
    model = classifier(encoder).fit(TEXTS, TAGS)

    predicted, shares = model.predict(TEXTS), model.predict_proba(TEXTS)

    assert np.array_equal(predicted, shares >= model.predictor_.bundle.decisions.threshold)
    assert model.score(TEXTS, TAGS) == (predicted == TAGS).all(axis=1).mean()
    assert Predictor.load(model.save(tmp_path / "model")).task.name == "multi_label"


def test_lists_of_labels_give_lists(encoder: str) -> None:
    rows = [[name for name, given in zip(("bug", "praise", "long"), row, strict=True) if given] for row in TAGS]

    model = classifier(encoder, task="multi_label").fit(TEXTS, rows)

    predicted = model.predict(TEXTS)
    assert {type(row) for row in predicted} == {list}
    assert model.score(TEXTS, rows) == np.mean([set(a) == set(b) for a, b in zip(predicted, rows, strict=True)])


def test_cross_validation_scores_and_predicts(encoder: str) -> None:
    assert 0 <= cross_val_score(classifier(encoder), TEXTS, MOODS, cv=2, error_score="raise").min() <= 1
    assert cross_val_predict(classifier(encoder), TEXTS, MOODS, cv=2, method="predict_proba").shape == (40, 2)


def test_a_search_goes_through_a_pipeline(encoder: str) -> None:
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    pipeline = Pipeline([("lower", lower), ("model", classifier(encoder))])

    search = GridSearchCV(pipeline, {"model__lr": [1e-9, 1e-3]}, cv=2, scoring="neg_log_loss").fit(TEXTS, MOODS)

    assert search.best_params_ == {"model__lr": 1e-3}
    assert search.best_estimator_.named_steps["model"].lr == 1e-3
    assert search.predict(["THE APP IS GREAT"]).shape == (1,)


def test_a_column_of_a_table_is_chosen_by_a_column_transformer(encoder: str) -> None:
    table = pd.DataFrame({"id": range(40), "note": TEXTS})
    choose = ColumnTransformer([("text", "passthrough", ["note"])], verbose_feature_names_out=False)

    model = Pipeline([("choose", choose.set_output(transform="pandas")), ("model", classifier(encoder))])

    assert model.fit(table, MOODS).predict(table).shape == (40,)
    assert model[-1].feature_names_in_.tolist() == ["note"]


def test_parameters_are_read_set_and_cloned(encoder: str) -> None:
    model = classifier(encoder).set_params(epochs=3, class_weight={"bug": 2.0})

    copy = clone(model)

    assert (copy.epochs, copy.get_params()) == (3, model.get_params())
    assert is_classifier(model)
    assert model.__sklearn_tags__().classifier_tags.multi_label


def test_defaults_are_those_of_the_library() -> None:
    given = FastBertClassifier().get_params()
    known = {**DataConfig().to_json(), **TrainConfig().to_json()}

    shared = {name: value for name, value in given.items() if name in known}
    assert shared == {name: known[name] for name in shared}
    assert given.keys() - shared.keys() == {"options", "random_state", "verbose", "class_weight"}


# --- decision rules -----------------------------------------------------------------------------------


RULES = [
    Decisions(weights=(("bug", 1e6),)),
    Decisions(costs=(("bug", "praise", 1e6),)),
    Decisions(weights=(("praise", 1e6),), abstention=Abstention(confidence=0.999999), thresholds=(("praise", 1.0),)),
]


@pytest.mark.parametrize(("rule", "answer"), list(zip(RULES, ["bug", "bug", "praise"], strict=True)))
def test_classes_are_decided_by_the_rule_of_the_bundle(
    rule: Decisions, answer: str, bundle: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(bundle, tmp_path / "model"))
    rewrite(replace(read_bundle(folder), decisions=rule), lambda working: None)

    model = FastBertClassifier.load(folder)

    assert set(model.predict(TEXTS)) == {answer} != set(model.classes_[model.predict_proba(TEXTS).argmax(axis=1)])
    assert {answer.labels for answer in Predictor.load(folder)(TEXTS)} <= {(answer,), ()}


def test_unknown_rows_of_several_labels_are_answered(encoder: str) -> None:
    model = classifier(encoder, options={"average": 1, "at_least": 1, "abstain": "0.999999"}).fit(TEXTS, TAGS)

    assert all(not labelled(answer).labels for answer in model.predictor_(TEXTS))
    assert model.predict(TEXTS).sum(axis=1).min() >= 1


def test_options_hold_those_of_the_decision_rule(encoder: str, tmp_path: Path) -> None:
    model = classifier(encoder, epochs=1, options={"average": 1, "goal": "recall>=0.9@bug"}).fit(TEXTS, MOODS)

    opened = FastBertClassifier.load(model.save(tmp_path / "model"))

    assert model.predictor_.bundle.decisions.goal == opened.predictor_.bundle.decisions.goal == "recall>=0.9@bug"
    assert (opened.options, opened.predict(TEXTS).tolist()) == (model.options, model.predict(TEXTS).tolist())


def test_a_goal_that_the_classes_do_not_have_is_refused_in_fit(encoder: str) -> None:
    with pytest.raises(ConfigError, match="The goal names the label 'bog', which the model does not have"):
        classifier(encoder, options={"goal": "recall>=0.9@bog"}).fit(TEXTS, MOODS)


# --- weights of classes -------------------------------------------------------------------------------


@pytest.mark.parametrize("parameters", [{"class_weight": "balanced"}, {"loss": "balanced"}])
def test_balanced_weights_are_those_of_the_loss(parameters: dict[str, str], encoder: str) -> None:
    y = ["praise" if row % 4 else "bug" for row in range(40)]

    model = classifier(encoder, valid_share=0.2, **parameters).fit(TEXTS, y)

    task = model.predictor_.task
    assert isinstance(task, Classification)
    assert task.label_weights == pytest.approx((2.0, 2 / 3))


def test_weights_by_class_reach_the_loss(encoder: str) -> None:
    task = classifier(encoder, class_weight={"bug": 3}).fit(TEXTS, MOODS).predictor_.task

    assert isinstance(task, Classification)
    assert task.label_weights == (3.0, 1.0)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"class_weight": "balance"}, "class_weight is 'balance'; expected 'balanced', None or weights by class."),
        ({"class_weight": {"bugs": 2}}, r"class_weight names 'bugs', which is no class of y \(\['bug', 'praise'\]\)"),
        ({"class_weight": {"bug": -1}}, "class_weight of 'bug' is -1; expected a number above 0"),
        ({"class_weight": {"bug": 2}, "loss": "balanced"}, "loss is 'balanced' and class_weight is given as well"),
        ({"task": "regression"}, "task is 'regression'; expected one of auto, single_label, multi_label"),
    ],
)
def test_wrong_parameters_are_refused_in_fit(parameters: dict[str, object], message: str, encoder: str) -> None:
    with pytest.raises(ConfigError, match=message):
        classifier(encoder, **parameters).fit(TEXTS, MOODS)


# --- bundles ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("y", [np.where(MOODS == "bug", 3, -1), TAGS], ids=["ints", "matrix"])
def test_a_saved_model_is_opened_as_it_was(y: np.ndarray, encoder: str, tmp_path: Path) -> None:
    model = classifier(encoder).fit(pd.DataFrame({"note": TEXTS}), y)

    opened = FastBertClassifier.load(model.save(tmp_path / "model"))

    table = pd.DataFrame({"note": TEXTS})
    assert opened.get_params() == model.get_params()
    assert np.array_equal(opened.predict(table), model.predict(table))
    assert (opened.feature_names_in_.tolist(), opened.n_features_in_) == (["note"], 1)


def test_a_model_of_the_command_line_is_opened_too(bundle: Path) -> None:
    opened = FastBertClassifier.load(bundle)

    assert opened.classes_.tolist() == ["bug", "praise"]
    assert opened.score(TEXTS, MOODS) > 0.5


def test_a_model_of_numbers_is_not_opened(encoder: str, tmp_path: Path) -> None:
    folder = regressor(encoder, epochs=1).fit(TEXTS, np.arange(40) / 3).save(tmp_path / "model")

    with pytest.raises(BundleError, match="The model's task is regression; FastBertClassifier opens single_label"):
        FastBertClassifier.load(folder)


def test_validation_rows_and_callbacks_may_be_given(encoder: str) -> None:
    watcher = Recorder()

    model = classifier(encoder, epochs=1).fit(
        TEXTS[:32], MOODS[:32], valid=(TEXTS[32:], MOODS[32:]), callbacks=[watcher]
    )

    assert model.learner_ is not None
    assert {split: len(rows) for split, rows in model.learner_.data.splits.items()} == {"train": 32, "valid": 8}
    assert watcher.events[0] == "start" and watcher.events[-1] == "finish"


def test_validation_rows_of_other_columns_are_refused_before_training(encoder: str) -> None:
    pairs = [(text, "context") for text in TEXTS[32:]]

    with pytest.raises(
        ValueError, match="X of valid has 2 features, but FastBertClassifier is expecting 1 features as input"
    ):
        classifier(encoder, epochs=1).fit(TEXTS[:32], MOODS[:32], valid=(pairs, MOODS[32:]))
