"""The head of the card is read as a model hub reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from huggingface_hub import ModelCard, ModelCardData

from fastbert.bundle import Bundle
from fastbert.insight.card_metadata import front_matter
from fastbert.insight.run_facts import read_facts
from tests.insight.made_up import BUNDLE


def read(bundle: Bundle) -> ModelCardData:
    return cast("ModelCardData", ModelCard(front_matter(bundle, read_facts(bundle.facts)) + "\n").data)


def with_tables(**tables: str) -> Bundle:
    return replace(BUNDLE, facts={**BUNDLE.facts, "run": {"tables": tables}})


def test_the_kind_and_the_tags_are_what_a_hub_filters_by() -> None:
    found = read(BUNDLE)

    assert (found.library_name, found.pipeline_tag) == ("transformers", "text-classification")
    assert found.tags == ["fastbert", "single-label"]
    assert found.eval_results is None  # nothing says which table the scores are of


def test_a_hub_reads_the_scores_of_each_split() -> None:
    found = read(with_tables(train='feed"back.csv', test="new.csv"))

    assert found.model_name == "feedback-model"
    results = found.eval_results or []
    assert [(one.dataset_name, one.dataset_split, one.metric_type, one.metric_value) for one in results] == [
        ('feed"back.csv', "valid", "accuracy", 0.85),
        ('feed"back.csv', "valid", "f1_macro", 0.82),
        ('feed"back.csv', "valid", "log_loss", 0.6),
        ("new.csv", "test", "accuracy", 0.9),
        ("new.csv", "test", "f1_macro", 0.8125),
        ("new.csv", "test", "mcc", 0.77),
        ("new.csv", "test", "log_loss", 0.5),
    ]
    assert {one.task_type for one in results} == {"text-classification"}


def test_names_in_any_script_are_read_back() -> None:
    bundle = replace(with_tables(train="отзывы 😀: neu.csv"), folder=Path("modèle 😀"))

    found = read(bundle)

    assert found.model_name == "modèle 😀"
    assert {one.dataset_name for one in found.eval_results or []} == {"отзывы 😀: neu.csv"}


def test_a_score_that_is_no_number_is_left_out() -> None:
    bundle = replace(with_tables(train="a.csv"), scores={"valid": {"accuracy": float("nan"), "f1_macro": 0.5}})

    results = read(bundle).eval_results or []
    assert [(one.metric_type, one.metric_value) for one in results] == [("f1_macro", 0.5)]


@pytest.mark.parametrize(
    ("encoder", "named"), [("google-bert/bert-base-uncased", True), ("minilm", False), ("./my/encoder", False)]
)
def test_a_hub_encoder_is_named_as_base_model(encoder: str, named: bool) -> None:
    other = replace(BUNDLE, facts={"plan": {"options": {"encoder": encoder}}})

    assert (read(other).base_model == encoder) == named
