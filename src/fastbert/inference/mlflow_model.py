"""A bundle as a model of MLflow, without pickle: a folder with MLmodel, in which the bundle lies as it is.

MLflow opens it by the name of this module (its `loader_module`), so it imports neither torch nor mlflow where that
is not needed. Knows nothing of runs or of registries.
"""

from __future__ import annotations

import importlib
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

from fastbert._version import __version__
from fastbert.bundle import Bundle, read_bundle
from fastbert.errors import BundleError, DataError, MissingExtraError
from fastbert.inference.predictor import Predictor, TextInput
from fastbert.tasks.base import Prediction

if TYPE_CHECKING:
    import pandas as pd

PREDICTED, SCORE = "predicted", "score:"
INPUTS = ("text", "pair")


def save_mlflow_model(bundle: str | Path, path: str | Path, *, requirements: Sequence[str] | None = None) -> Path:
    """Write a model of MLflow's python_function flavour from a bundle; return its path.

    `mlflow.pyfunc.load_model(path).predict(rows)` takes a list of texts or a DataFrame whose first column (two for
    pairs) holds them, named text (and pair) or as in the training table. It returns a DataFrame with the column
    `predicted`, the labels of a row joined by |, and a column `score:NAME` for each label; where an answer may be
    unknown, `reason` says why it is. Of other tasks, what `fastbert predict` writes.

    requirements: of the model's server, for pip; else fastbert-nlp of this version with the extra that answers.
    Raises BundleError for a folder that is no bundle, or if path exists; MissingExtraError without mlflow and pandas.
    """
    opened, target = read_bundle(bundle), Path(path)
    if target.exists():
        raise BundleError(f"{target} exists already.", "Choose another folder.")
    if opened.head is not None:
        raise BundleError(f"{opened.folder}: the model has a head of its own, {opened.head}, which MLflow cannot pass.")
    pyfunc, models, types = (_import(name) for name in ("mlflow.pyfunc", "mlflow.models", "mlflow.types"))
    inputs = types.Schema([types.ColSpec("string") for _ in INPUTS[: 2 if opened.reads_pairs else 1]])
    columns = opened.task.columns_of(opened.decisions)
    kinds = {name: "double" if _is_number(opened, name) else "string" for name in columns}
    outputs = types.Schema([types.ColSpec(kind, name) for name, kind in kinds.items()])
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*input example was not provided")  # it would be a text
            pyfunc.save_model(
                str(target),
                loader_module=__name__,
                data_path=str(opened.folder.resolve()),
                signature=models.ModelSignature(inputs, outputs),
                pip_requirements=list(requirements or [_requirement(opened)]),
            )
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return target


class BundleModel:
    """What MLflow calls. predictor: of the bundle that lies in the model's folder."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, object] | None = None) -> pd.DataFrame:
        """Return a row of answers for each row. Raises DataError for columns that are not those of the model."""
        import pandas as pd

        predictions = self.predictor(self._texts(model_input))
        columns = self.predictor.answer_columns
        rows = [
            [cell_of(prediction, *cell) for cell in zip(columns, prediction.cells, strict=True)]
            for prediction in predictions
        ]
        return pd.DataFrame(rows, columns=list(columns), index=model_input.index)

    def _texts(self, frame: pd.DataFrame) -> list[TextInput]:
        known = INPUTS[: 2 if self.predictor.bundle.reads_pairs else 1]
        names = list(frame.columns)
        if names not in (list(known), list(range(len(known))), list(trained_columns(self.predictor.bundle))):
            raise DataError(
                f"The first column{'s are' if len(known) > 1 else ' is'} {', '.join(map(repr, names))}; "
                f"expected {', '.join(map(repr, known))}.",
                f"Name the column{'s' if len(known) > 1 else ''} of text so, and put them first.",
            )
        if len(known) == 1:
            return cast("list[TextInput]", frame.iloc[:, 0].tolist())
        return list(frame.itertuples(index=False, name=None))


def _load_pyfunc(path: str) -> BundleModel:
    """Open the bundle in a model's folder: the function that MLflow looks for in a loader module."""
    return BundleModel(Predictor.load(path))


def cell_of(prediction: Prediction, column: str, cell: str) -> str | float:
    """Return a cell of an answer; of numbers all digits."""
    if column.startswith(SCORE) and column[len(SCORE) :] in prediction.scores:
        return prediction.scores[column[len(SCORE) :]]
    return float(getattr(prediction, "value", cell)) if hasattr(prediction, "value") else cell


def _is_number(bundle: Bundle, column: str) -> bool:
    return bundle.task.name == "regression" or (column.startswith(SCORE) and bundle.task.known_labels is not None)


def trained_columns(bundle: Bundle) -> tuple[str, ...]:
    """Return the names that the columns of text had in the training table, () where they are not known."""
    plan = bundle.facts.get("plan")
    layout = plan.get("layout") if isinstance(plan, dict) else None
    names = [layout.get(key) for key in INPUTS] if isinstance(layout, dict) else []
    return tuple(str(name) for name in names if name is not None)


def _requirement(bundle: Bundle) -> str:
    """Return what answers for a bundle as Predictor.load(folder) would choose: an export's engine, else torch."""
    engines = {export.backend for export in bundle.exports.values()}
    extra = next((engine for engine in ("onnx", "openvino") if engine in engines), "train")
    return f"fastbert-nlp[{extra}]=={__version__}"


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = (error.name or name).split(".")[0]
        raise MissingExtraError(package, "mlflow", "A model of MLflow") from error
