"""What the estimators share: parameters and rows that are refused, pickles, copies, what is shown."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from fastbert import FastBertClassifier, Predictor
from fastbert.errors import BundleError, ConfigError
from fastbert.estimators.texts import ArrayError
from fastbert.inference.evaluation import saved_layout
from fastbert.inference.tables import open_texts, predict_rows
from tests.estimators.conftest import MOODS, TEXTS, classifier
from tests.feedback import Recorder


def test_an_unfitted_estimator_needs_no_torch() -> None:
    code = "import fastbert, sys; fastbert.FastBertClassifier().set_params(epochs=2); sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("method", ["predict", "predict_proba", "save"])
def test_nothing_is_answered_before_fit(method: str, tmp_path: Path) -> None:
    with pytest.raises(NotFittedError):
        getattr(FastBertClassifier(), method)(tmp_path / "model")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"epochs": -1}, "epochs is -1.0; it must be above 0"),
        ({"truncation": "middle"}, "truncation is 'middle'; expected head"),
        ({"options": {"warmpu": 0.1}}, "'warmpu' is not an option.\n  Did you mean 'warmup'?"),
        ({"options": {"lr": 0.1}}, "options holds 'lr', which is a parameter of its own.\n  Write lr=...."),
        ({"options": {"seed": 1}}, "options holds 'seed', which an estimator does not take.\n  Use random_state."),
        ({"options": {"labels": "a"}}, "options holds 'labels', which an estimator does not take.\n  The columns are"),
    ],
)
def test_a_wrong_parameter_is_refused_in_fit(parameters: dict[str, object], message: str, encoder: str) -> None:
    with pytest.raises(ConfigError) as caught:
        classifier(encoder, **parameters).fit(TEXTS, MOODS)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (TEXTS[:-1], r"X and y have inconsistent numbers of samples: 39 and 40 rows"),
        (["", " ", *TEXTS[2:]], r"2 of 40 texts are blank \(rows 0, 1\): nothing to learn from"),
        (["same"] * 40, r"The 40 rows cannot be split: they all have the same text"),
    ],
)
def test_rows_that_nothing_is_learned_from_are_refused(X: list[str], message: str, encoder: str) -> None:
    with pytest.raises(ArrayError, match=message):
        classifier(encoder).fit(X, MOODS)


def test_blank_rows_are_left_out_where_the_user_says_so(encoder: str) -> None:
    options = {"on_bad_row": "skip", "average": 1}

    model = classifier(encoder, epochs=1, options=options).fit(["", *TEXTS[1:]], MOODS)

    assert model.learner_ is not None
    assert sum(len(rows) for rows in model.learner_.data.splits.values()) == 39
    assert len(model.predict(["", "a"])) == 2


def test_nothing_but_blanks_is_refused(encoder: str) -> None:
    with pytest.raises(ArrayError, match="All 40 texts are blank"):
        classifier(encoder, options={"on_bad_row": "skip"}).fit([""] * 40, MOODS)


def test_pairs_are_read_and_single_texts_then_refused(encoder: str) -> None:
    pairs = pd.DataFrame({"first": TEXTS, "second": TEXTS[::-1]})
    model = classifier(encoder, epochs=1).fit(pairs, MOODS)

    assert (model.n_features_in_, len(model.predict(pairs))) == (2, 40)
    with pytest.raises(ArrayError, match="X has 1 features, but FastBertClassifier is expecting 2 features as input"):
        model.predict(TEXTS)
    with pytest.raises(ArrayError, match="The columns of X are second, first; it was fitted on first, second"):
        model.predict(pairs[["second", "first"]])


def test_a_second_fit_starts_anew(encoder: str) -> None:
    model = classifier(encoder, epochs=1).fit(pd.DataFrame({"note": TEXTS}), MOODS)
    first = model.predict_proba(pd.DataFrame({"note": TEXTS}))

    again = model.fit(TEXTS, MOODS)

    assert np.array_equal(again.predict_proba(TEXTS), first)
    assert not hasattr(again, "feature_names_in_")


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_fitted_copy_answers_and_saves_alike(copied: object, fitted: FastBertClassifier, tmp_path: Path) -> None:
    assert callable(copied)
    other = copied(copied(fitted))

    folder = other.save(tmp_path / "model")

    assert other.predict_proba(TEXTS) == pytest.approx(fitted.predict_proba(TEXTS), abs=1e-6)
    assert (other.get_params(), other.learner_) == (fitted.get_params(), None)
    assert [answer.labels[0] for answer in Predictor.load(folder)(TEXTS)] == fitted.predict(TEXTS).tolist()


def test_an_unfitted_copy_is_its_parameters() -> None:
    assert pickle.loads(pickle.dumps(FastBertClassifier(epochs=2))).get_params()["epochs"] == 2


def test_a_loaded_estimator_is_saved_again(fitted: FastBertClassifier, tmp_path: Path) -> None:
    opened = FastBertClassifier.load(fitted.save(tmp_path / "first"))

    again = FastBertClassifier.load(opened.save(tmp_path / "second"))

    assert np.array_equal(again.predict_proba(TEXTS), opened.predict_proba(TEXTS))
    with pytest.raises(BundleError, match="exists already"):
        opened.save(tmp_path / "second")


def test_pickling_tells_no_callback_of_a_saved_model(encoder: str) -> None:
    class Saves(Recorder):
        def on_save(self, bundle: object) -> None:
            self.events.append("save")

    watcher = Saves()
    model = classifier(encoder, epochs=1).fit(TEXTS, MOODS, callbacks=[watcher])

    pickle.dumps(model)

    assert "save" not in watcher.events
    assert model.learner_ is not None
    assert watcher in model.learner_.callbacks


def test_optimizer_state_and_gradients_are_not_kept(fitted: FastBertClassifier) -> None:
    assert fitted.learner_ is not None
    assert fitted.learner_._optimizer is None
    assert all(parameter.grad is None for parameter in fitted.learner_.model.parameters())


def test_the_command_line_reads_its_bundle(fitted: FastBertClassifier, tmp_path: Path) -> None:
    class Lines:
        def __init__(self) -> None:
            self.labels: list[str] = []

        def write(self, row: object, prediction: object) -> None:
            self.labels += prediction.labels  # type: ignore[attr-defined]  # of a classifier

    table = tmp_path / "new.csv"
    table.write_text("id,text\n1,the app is great\n2,the app is slow\n", encoding="utf-8")
    model, lines = Predictor.load(fitted.save(tmp_path / "model")), Lines()

    predict_rows(model, open_texts(table, saved_layout(model), fitted._configs()[0]), lines)

    assert lines.labels == fitted.predict(["the app is great", "the app is slow"]).tolist()


def test_nothing_is_shown_unasked(encoder: str, capsys: pytest.CaptureFixture[str]) -> None:
    classifier(encoder, epochs=1).fit(TEXTS, MOODS)
    assert capsys.readouterr().err == ""

    classifier(encoder, epochs=1, verbose=1).fit(TEXTS, MOODS)
    assert "single_label, 2 labels" in capsys.readouterr().err
