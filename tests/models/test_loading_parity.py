"""A bundle is an ordinary checkpoint: transformers opens it, with the same names and scores as our Predictor."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, cast

import numpy as np
import pytest
import transformers
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from fastbert.inference.predictor import Predictor
from fastbert.labels import Labels
from fastbert.models.loading import open_encoder
from fastbert.tasks.base import Task
from fastbert.tasks.classification import SingleLabel
from tests.bundles import MULTI, NAMES, SINGLE, needs_minilm, open_tiny, save_bundle

TEXTS = ["The app is slow", "", "good " * 50, "Please help me, the export button does nothing!"]


class Entry(TypedDict):
    """A label of the pipeline's answer."""

    label: str
    score: float


encoders = pytest.mark.parametrize("family", ["bert", "roberta", pytest.param("minilm", marks=needs_minilm)])


def bundle_on(family: str, task: Task, tmp_path: Path) -> Path:
    encoder = open_encoder("minilm") if family == "minilm" else open_tiny(tmp_path / "encoder", family)
    return save_bundle(tmp_path / "model", encoder, task)


@encoders
def test_the_auto_classes_open_a_bundle_with_its_names(family: str, tmp_path: Path) -> None:
    folder = bundle_on(family, MULTI, tmp_path)

    model = AutoModelForSequenceClassification.from_pretrained(folder)

    assert model.config.label2id == {name: index for index, name in enumerate(NAMES)}
    assert model.config.problem_type == "multi_label_classification"
    assert AutoTokenizer.from_pretrained(folder).model_max_length == 24


@pytest.mark.parametrize("task", [SINGLE, MULTI], ids=lambda task: str(task.name))
@encoders
def test_the_pipeline_of_transformers_gives_the_same_scores(family: str, task: Task, tmp_path: Path) -> None:
    folder = bundle_on(family, SingleLabel(Labels(NAMES), "head") if task is SINGLE else MULTI, tmp_path)
    pipeline = transformers.pipeline("text-classification", model=str(folder), device="cpu")
    texts = TEXTS[:2] + TEXTS[3:]

    theirs = cast("list[list[Entry]]", pipeline(texts, top_k=None))
    ours = Predictor.load(folder)(texts)

    expected = [{entry["label"]: pytest.approx(entry["score"], abs=1e-5) for entry in one} for one in theirs]
    assert [one.scores for one in ours] == expected


@encoders
def test_the_pipeline_of_transformers_cuts_and_decides_alike(family: str, tmp_path: Path) -> None:
    folder = bundle_on(family, SingleLabel(Labels(NAMES), "head"), tmp_path)
    pipeline = transformers.pipeline("text-classification", model=str(folder), device="cpu")

    theirs = cast("list[Entry]", pipeline(TEXTS, truncation=True))
    ours = Predictor.load(folder)(TEXTS)

    assert [entry["label"] for entry in theirs] == [one.labels[0] for one in ours]
    np.testing.assert_allclose(
        [entry["score"] for entry in theirs], [max(one.scores.values()) for one in ours], rtol=0, atol=1e-5
    )
