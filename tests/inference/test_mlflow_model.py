"""Bundles as models of MLflow: no pickle in them, and the answers of the bundle."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fastbert import Predictor, __version__, save_mlflow_model
from fastbert.bundle import read_bundle
from fastbert.config import DecisionConfig
from fastbert.errors import BundleError, DataError, MissingExtraError
from fastbert.exports import Export
from fastbert.inference import mlflow_model
from fastbert.inference.mlflow_model import BundleModel
from fastbert.insight.deciding import decide
from tests.estimators.conftest import MOODS, TEXTS, classifier, numbers, regressor

NEW = ["the app is great", "the app is slow"]


@pytest.fixture(scope="module", autouse=True)
def mlflow_imported() -> None:
    """Import MLflow once: it warns of its own type hints then."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.pyfunc  # noqa: F401


@pytest.fixture(scope="module")
def saved(mlflow_imported: None, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_mlflow_model(bundle, tmp_path_factory.mktemp("mlflow") / "model")


def test_the_model_holds_the_bundle_and_no_pickle(saved: Path, bundle: Path) -> None:
    files = [path for path in saved.rglob("*") if path.is_file()]

    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".joblib", ".bin", ".pt")]
    assert not [path for path in files if path.read_bytes()[:1] == b"\x80"]  # how a pickle begins
    assert read_bundle(saved / "data" / bundle.name).task == read_bundle(bundle).task
    assert f"fastbert-nlp[train]=={__version__}" in (saved / "requirements.txt").read_text().splitlines()


@pytest.mark.parametrize("rows", [list, lambda texts: pd.DataFrame({"text": texts, "id": [1, 2]}), pd.Series])
def test_mlflow_opens_it_and_gives_the_labels_of_the_bundle(
    rows: Callable[[list[str]], object], saved: Path, bundle: Path
) -> None:
    import mlflow.pyfunc

    answers = mlflow.pyfunc.load_model(str(saved)).predict(rows(NEW))

    expected = Predictor.load(bundle)(NEW)
    assert list(answers.columns) == ["predicted", "score:bug", "score:praise"]
    assert answers["predicted"].tolist() == [answer.labels[0] for answer in expected]
    assert answers["score:praise"].tolist() == [answer.scores["praise"] for answer in expected]


def test_an_unknown_answer_has_its_reason(bundle: Path, tmp_path: Path) -> None:
    import mlflow.pyfunc

    folder = Path(shutil.copytree(bundle, tmp_path / "bundle"))
    decide(folder, DecisionConfig(abstain="0.9999999"))
    model = mlflow.pyfunc.load_model(str(save_mlflow_model(folder, tmp_path / "model")))

    answers = model.predict(NEW)

    columns = ["predicted", "reason", "score:bug", "score:praise"]
    assert list(answers.columns) == model.metadata.get_output_schema().input_names() == columns
    assert answers["predicted"].tolist() == ["unknown", "unknown"]
    assert answers["reason"].str.startswith("confidence 0.").all() and answers["score:bug"].dtype == float


def test_texts_in_another_column_are_asked_for(bundle: Path) -> None:
    with pytest.raises(DataError, match=r"The first column is 'id'; expected 'text'.\n  Name the column of text so"):
        BundleModel(Predictor.load(bundle)).predict(pd.DataFrame({"id": ["1"]}))


def test_pairs_come_in_two_columns(encoder: str, tmp_path: Path) -> None:
    model = classifier(encoder, epochs=1).fit(pd.DataFrame({"note": TEXTS, "reply": TEXTS[::-1]}), MOODS)
    served = BundleModel(Predictor.load(model.save(tmp_path / "model")))

    by_name = served.predict(pd.DataFrame({"note": TEXTS[:3], "reply": TEXTS[3:6]}))

    assert by_name.equals(served.predict(pd.DataFrame([TEXTS[:3], TEXTS[3:6]]).T))
    assert (
        by_name["predicted"].tolist()
        == np.asarray(model.predict(list(zip(TEXTS[:3], TEXTS[3:6], strict=True)))).tolist()
    )
    with pytest.raises(DataError, match="The first columns are 'text'; expected 'text', 'pair'"):
        served.predict(pd.DataFrame({"text": NEW}))


def test_numbers_are_numbers(encoder: str, tmp_path: Path) -> None:
    model = regressor(encoder, epochs=1).fit(TEXTS, numbers())
    served = BundleModel(Predictor.load(model.save(tmp_path / "model")))

    answers = served.predict(pd.DataFrame({"text": TEXTS[:4]}, index=[3, 1, 4, 5]))

    assert (list(answers.columns), answers["predicted"].dtype, answers.index.tolist()) == (
        ["predicted"],
        float,
        [3, 1, 4, 5],
    )
    assert answers["predicted"].tolist() == pytest.approx(model.predict(TEXTS[:4]).tolist(), abs=1e-4)


def test_an_export_needs_no_torch_in_the_server(bundle: Path) -> None:
    opened = read_bundle(bundle)
    export = Export(*[None] * len(dataclasses.fields(Export)))  # type: ignore[arg-type]  # only its engine is read
    object.__setattr__(export, "backend", "onnx")

    assert mlflow_model._requirement(dataclasses.replace(opened, exports={"onnx": export})).startswith(
        "fastbert-nlp[onnx]"
    )


def test_nothing_is_written_over(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()

    with pytest.raises(BundleError, match="model exists already"):
        save_mlflow_model(bundle, tmp_path / "model")


def test_nothing_is_left_where_writing_fails(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow.pyfunc

    def fail(path: str, **options: object) -> None:
        Path(path).mkdir()
        raise OSError("disk full")

    monkeypatch.setattr(mlflow.pyfunc, "save_model", fail)
    with pytest.raises(OSError, match="disk full"):
        save_mlflow_model(bundle, tmp_path / "model")

    assert list(tmp_path.iterdir()) == []


def test_without_mlflow_the_message_says_what_to_install(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow.pyfunc", None)

    with pytest.raises(
        MissingExtraError, match=r"A model of MLflow needs the package mlflow.*\n.*fastbert-nlp\[mlflow\]"
    ):
        save_mlflow_model(bundle, tmp_path / "model")
