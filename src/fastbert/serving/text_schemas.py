"""JSON schemas of texts as the models that are served read them: alone or in pairs, and no more than the limit.

The types of the bodies cannot say it, as it is known only when the models are. Knows no contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastbert.serving.pipeline_shapes import OWN_FUNCTION
from fastbert.serving.service import Service

Schema = dict[str, Any]
STRING: Schema = {"type": "string"}
NULL: Schema = {"type": "null"}
PAIR: Schema = {"type": "array", "items": STRING, "minItems": 2, "maxItems": 2}


def text(service: Service) -> Schema:
    """Return the schema of a string, or of a list of two, as a model reads it."""
    return {"anyOf": [PAIR if pairs else STRING for pairs in _kinds(service)]}


def many(item: Schema, service: Service) -> Schema:
    """Return the schema of a list with as many items as are answered at a time."""
    return {"type": "array", "items": item, "minItems": 1, "maxItems": service.settings.limits.texts}


def pipeline_item(service: Service) -> Schema:
    """Return the schema of one input as transformers' pipelines take it: also in a list, or with names."""
    single = [STRING, cells(1), _record({"text": STRING}, "text_pair", "question", "context")]
    pair = [
        PAIR,
        _record({"text": STRING, "text_pair": STRING}, "question", "context"),
        _record({"question": STRING, "context": STRING}, "text"),
    ]
    return {"anyOf": [one for pairs in _kinds(service) for one in (pair if pairs else single)]}


def pipeline_inputs(service: Service) -> Schema:
    """Return the schema of one such input by itself, or of a list of them; a list by itself is one of texts."""
    item = pipeline_item(service)
    alone = [one for one in item["anyOf"] if one.get("type") != "array"]
    return {"anyOf": [*alone, many(item, service)]}


def refine_parameters(schemas: dict[str, Schema], service: Service) -> None:
    """Say in the schema of the pipelines' parameters which of their values the models know."""
    fields = schemas["PipelineParameters"]["properties"]
    tasks = {model.predictor.task.name for model in service.models.all.values()}
    own = sorted(function for task, function in OWN_FUNCTION.items() if task in tasks)
    fields["function_to_apply"] = {"enum": [*own, None], "default": None}
    fields["aggregation_strategy"] = optional({**STRING, "not": {"const": "none"}})


def cells(count: int) -> Schema:
    """Return the schema of a row of so many texts."""
    return {"type": "array", "items": STRING, "minItems": count, "maxItems": count}


def exactly_one(names: Sequence[str]) -> list[Schema]:
    """Return what `oneOf` says of an object that has one of these fields."""
    return [{"required": [name]} for name in names]


def optional(schema: Schema) -> Schema:
    """Return the schema of a field that may be null, which it is if it is left out."""
    return {"anyOf": [schema, NULL], "default": None}


def _record(fields: Mapping[str, Schema], *absent: str) -> Schema:
    """Return the schema of an object with these fields. absent: fields that are left out, or null."""
    return {"type": "object", "required": list(fields), "properties": {**fields, **dict.fromkeys(absent, NULL)}}


def _kinds(service: Service) -> list[bool]:
    """Return whether models read single texts (False), or pairs (True); both where there is no model yet."""
    reads = {model.predictor.bundle.reads_pairs for model in service.models.all.values()}
    known = {False, True} if None in reads or not reads else reads
    return sorted(bool(one) for one in known)
