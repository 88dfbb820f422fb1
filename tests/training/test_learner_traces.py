"""What a fit leaves behind in the learner and in the bundle, and what it does not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from fastbert import api
from fastbert.config import split_options
from fastbert.data.examples import TextExample
from fastbert.display import View
from fastbert.errors import TrainingError
from fastbert.models.freezing import trainable_count
from fastbert.tasks.base import Feature, Prediction
from fastbert.training.step import Stepper
from tests.feedback import feedback_rows, make_data, make_learner
from tests.models.test_heads import MeanHead


def no_number(predictions: Sequence[Prediction], examples: Sequence[TextExample]) -> float:
    return float("nan")


def missed(predictions: Sequence[Prediction], examples: Sequence[TextExample], weight: float) -> float:
    return weight * sum(a.labels != b.labels for a, b in zip(predictions, examples, strict=True))


def test_gradual_unfreezing_ends_with_its_fit(encoder: str) -> None:
    learner = make_learner(encoder)
    before = trainable_count(learner.model)

    learner.fit(epochs=1, freeze="gradual")

    assert trainable_count(learner.model) == before


def test_the_plan_says_what_is_frozen(encoder: str) -> None:
    learner = make_learner(encoder)
    learner.freeze()

    assert "M trained, the others frozen" in learner.plan(estimate=False).encoder


def test_the_time_that_was_shown_is_saved(encoder: str, tmp_path: Path) -> None:
    data, config = split_options({"encoder": encoder, "epochs": 1})
    shown: list[View] = []

    result = api.train(
        api.Tables(feedback_rows(40)), tmp_path / "model", data=data, config=config, on_view=shown.append
    )

    plan = json.loads((tmp_path / "model" / "bundle.json").read_text(encoding="utf-8"))["facts"]["plan"]
    assert plan["estimated_seconds"] == round(result.plan.seconds, 1)
    assert result.plan.seconds > 0
    assert repr(shown[0]) == repr(result.plan.view())


def test_a_metric_that_is_no_number_does_not_cost_the_model(encoder: str, tmp_path: Path) -> None:
    learner = make_learner(encoder, metrics=[no_number]).fit(epochs=1)

    learner.save(tmp_path / "model")

    assert '"no_number": null' in (tmp_path / "model" / "bundle.json").read_text(encoding="utf-8")


def test_partial_functions_serve_as_metric_and_head(encoder: str, tmp_path: Path) -> None:
    learner = make_learner(encoder, metrics=[partial(missed, weight=2.0)], head=partial(MeanHead)).fit(epochs=1)

    learner.save(tmp_path / "model")

    assert "missed" in learner.evaluate()
    assert '"head": "tests.models.test_heads:MeanHead"' in (tmp_path / "model" / "bundle.json").read_text()


def test_fp16_that_never_takes_a_step_is_an_error(encoder: str) -> None:
    learner = make_learner(encoder, make_data())
    weight = next(parameter for parameter in learner.model.parameters() if parameter.requires_grad)
    weight.register_hook(lambda gradient: gradient * float("inf"))  # type: ignore[no-untyped-call]
    plain = learner.stepper(learner.plan(estimate=False).config)
    scaler = torch.amp.GradScaler("cpu", enabled=True, init_scale=4.0)
    stepper = Stepper(**{**vars(plain), "scaler": scaler})
    encoded = learner.data.encoded("train")

    with pytest.raises(TrainingError, match=r"The fp16 loss scale fell below 1: training has diverged"):
        _take_steps(stepper, encoded.features[:8], 10)


def _take_steps(stepper: Stepper, features: Sequence[Feature], count: int) -> None:
    for _ in range(count):
        stepper.step(stepper.prepare([features], np.random.default_rng(0)))
