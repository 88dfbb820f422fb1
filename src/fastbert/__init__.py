"""FastBert: from a table of texts and labels to a served model.

    import fastbert
    model = fastbert.fit("feedback.csv")
    model(["The export button does nothing"])

Names are imported when they are first used, so that `import fastbert` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from fastbert._version import __version__
from fastbert.errors import missing_extra

if TYPE_CHECKING:
    from fastbert.api import fit, train
    from fastbert.client.async_client import AsyncClient
    from fastbert.client.client import Client
    from fastbert.config import AdaptConfig, DataConfig, TrainConfig
    from fastbert.data.databunch import DataBunch
    from fastbert.data.examples import TextExample
    from fastbert.errors import FastBertError, ServerError
    from fastbert.estimators.classifier import FastBertClassifier
    from fastbert.estimators.regressor import FastBertRegressor
    from fastbert.export.exporting import export_bundle
    from fastbert.inference.mlflow_model import save_mlflow_model
    from fastbert.inference.predictor import Predictor
    from fastbert.insight.explain import explain
    from fastbert.tasks.base import Prediction, Task
    from fastbert.tasks.classification import MultiLabel, SingleLabel
    from fastbert.training.adapt import NewEncoder, adapt, pretrain
    from fastbert.training.callbacks import Callback
    from fastbert.training.cross_validation import cross_validate
    from fastbert.training.distill import distill
    from fastbert.training.learner import Learner
    from fastbert.training.trackers import MLflow, Trackio, WandB
    from fastbert.tuning.tune import tune

_PLACES = {
    "AdaptConfig": "fastbert.config",
    "AsyncClient": "fastbert.client.async_client",
    "Callback": "fastbert.training.callbacks",
    "Client": "fastbert.client.client",
    "DataBunch": "fastbert.data.databunch",
    "DataConfig": "fastbert.config",
    "FastBertClassifier": "fastbert.estimators.classifier",
    "FastBertError": "fastbert.errors",
    "FastBertRegressor": "fastbert.estimators.regressor",
    "Learner": "fastbert.training.learner",
    "MLflow": "fastbert.training.trackers",
    "MultiLabel": "fastbert.tasks.classification",
    "NewEncoder": "fastbert.training.adapt",
    "Prediction": "fastbert.tasks.base",
    "Predictor": "fastbert.inference.predictor",
    "ServerError": "fastbert.errors",
    "SingleLabel": "fastbert.tasks.classification",
    "Task": "fastbert.tasks.base",
    "TextExample": "fastbert.data.examples",
    "Trackio": "fastbert.training.trackers",
    "TrainConfig": "fastbert.config",
    "WandB": "fastbert.training.trackers",
    "adapt": "fastbert.training.adapt",
    "cross_validate": "fastbert.training.cross_validation",
    "distill": "fastbert.training.distill",
    "explain": "fastbert.insight.explain",
    "export_bundle": "fastbert.export.exporting",
    "fit": "fastbert.api",
    "pretrain": "fastbert.training.adapt",
    "save_mlflow_model": "fastbert.inference.mlflow_model",
    "train": "fastbert.api",
    "tune": "fastbert.tuning.tune",
}

__all__ = [
    "AdaptConfig",
    "AsyncClient",
    "Callback",
    "Client",
    "DataBunch",
    "DataConfig",
    "FastBertClassifier",
    "FastBertError",
    "FastBertRegressor",
    "Learner",
    "MLflow",
    "MultiLabel",
    "NewEncoder",
    "Prediction",
    "Predictor",
    "ServerError",
    "SingleLabel",
    "Task",
    "TextExample",
    "Trackio",
    "TrainConfig",
    "WandB",
    "__version__",
    "adapt",
    "cross_validate",
    "distill",
    "explain",
    "export_bundle",
    "fit",
    "pretrain",
    "save_mlflow_model",
    "train",
    "tune",
]


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'fastbert' has no attribute '{name}'")
    try:
        return getattr(importlib.import_module(_PLACES[name]), name)
    except ModuleNotFoundError as error:
        explained = missing_extra(error, f"fastbert.{name}")
        raise error if explained is None else explained from error


def __dir__() -> list[str]:
    return sorted(__all__)
