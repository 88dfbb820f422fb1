"""Schemas of texts: alone, in pairs, with names, as the models that are served read them."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fastbert.serving.service import Service
from fastbert.serving.settings import Limits, Settings
from fastbert.serving.text_schemas import (
    NULL,
    PAIR,
    STRING,
    cells,
    exactly_one,
    many,
    optional,
    pipeline_inputs,
    pipeline_item,
    refine_parameters,
    text,
)


def service(*reads: bool | None, tasks: Sequence[str] = ()) -> Service:
    """Return a service with models that read pairs, or single texts, or, with None, either."""
    models = {
        str(index): SimpleNamespace(
            predictor=SimpleNamespace(
                bundle=SimpleNamespace(reads_pairs=pairs), task=SimpleNamespace(name=[*tasks, ""][0])
            )
        )
        for index, pairs in enumerate(reads)
    }
    one = SimpleNamespace(models=SimpleNamespace(all=models), settings=Settings(Limits(texts=7)))
    return cast("Service", one)


@pytest.mark.parametrize(
    ("reads", "kinds"),
    [
        ((False,), [STRING]),
        ((True,), [PAIR]),
        ((True, False), [STRING, PAIR]),
        ((None,), [STRING, PAIR]),
        ((), [STRING, PAIR]),
    ],
)
def test_a_text_is_what_the_models_read(reads: tuple[bool | None, ...], kinds: list[object]) -> None:
    assert text(service(*reads)) == {"anyOf": kinds}


def test_a_list_has_at_least_one_and_at_most_the_limit() -> None:
    assert many(STRING, service(False)) == {"type": "array", "items": STRING, "minItems": 1, "maxItems": 7}
    assert optional(STRING) == {"anyOf": [STRING, NULL], "default": None}
    assert exactly_one(["a", "b"]) == [{"required": ["a"]}, {"required": ["b"]}]


@pytest.mark.parametrize(
    ("pairs", "lists", "fields"),
    [(False, [cells(1)], [["text"]]), (True, [PAIR], [["text", "text_pair"], ["question", "context"]])],
)
def test_an_input_may_have_names(pairs: bool, lists: list[object], fields: list[list[str]]) -> None:
    kinds: list[dict[str, Any]] = pipeline_item(service(pairs))["anyOf"]

    assert [one for one in kinds if one["type"] == "array"] == lists
    assert [one["required"] for one in kinds if one["type"] == "object"] == fields


def test_a_list_by_itself_is_one_of_inputs() -> None:
    *alone, several = pipeline_inputs(service(True))["anyOf"]

    assert all(one["type"] == "object" for one in alone)
    assert several == many(pipeline_item(service(True)), service(True))


def test_only_the_functions_of_the_models_may_be_named() -> None:
    schemas: dict[str, dict[str, Any]] = {"PipelineParameters": {"properties": {}}}

    refine_parameters(schemas, service(False, tasks=["single_label"]))

    fields = schemas["PipelineParameters"]["properties"]
    assert fields["function_to_apply"]["enum"] == ["softmax", None]
    assert fields["aggregation_strategy"]["anyOf"][0]["not"] == {"const": "none"}
