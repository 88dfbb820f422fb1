"""The description of a server for programs and people: OpenAPI 3.1, made of the routes and of the types they read.

It is made anew for the models that are served: labels and kinds of text are theirs. Knows no contract.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from fastbert._version import __version__
from fastbert.serving.routes import Operation, Route
from fastbert.serving.service import Service

Values = dict[str, Any]
_REFERENCE = "#/components/schemas/{name}"


def describe(routes: Sequence[Route], service: Service) -> Values:
    """Return the description as plain values."""
    described = [(route, route.operation) for route in routes if route.operation is not None]
    kinds = [kind for _, one in described for kind in (one.body, one.answer, one.error) if kind is not None]
    distinct = list({id(kind): kind for kind in kinds}.values())
    schemas, components = msgspec.json.schema_components(distinct, ref_template=_REFERENCE)
    known = {id(kind): schema for kind, schema in zip(distinct, schemas, strict=True)}
    for _, one in described:
        if one.refine is not None:
            one.refine(components, service)
    paths: Values = {}
    for route, one in described:
        paths.setdefault(route.pattern, {})[route.method.lower()] = _operation(route, one, known)
    document: Values = {
        "openapi": "3.1.0",
        "info": {"title": "FastBert", "version": __version__, "description": "Answers of the models that are served."},
        "paths": paths,
        "components": {"schemas": components},
    }
    if service.settings.api_keys:
        document["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        document["security"] = [{"bearer": []}, {"header": []}]
    return document


def _operation(route: Route, one: Operation, known: Mapping[int, Values]) -> Values:
    values: Values = {
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{route.pattern}").strip("_"),
        "summary": one.summary,
        "tags": [one.tag],
        "responses": _responses(route, one, known),
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", route.pattern)
    ]
    parameters += [
        {"name": name, "in": "query", "required": False, "description": said, "schema": {"type": "string"}}
        for name, said in one.query.items()
    ]
    if parameters:
        values["parameters"] = parameters
    content: Values = {} if one.body is None else {"application/json": {"schema": known[id(one.body)]}}
    content |= {
        kind: {"schema": {"type": "string", "minLength": 1}, "example": example}
        for kind, example in one.other_bodies.items()
    }
    if content:
        values["requestBody"] = {"required": True, "content": content}
    if route.public:
        values["security"] = []
    return values


def _responses(route: Route, one: Operation, known: Mapping[int, Values]) -> Values:
    answer: Values = {"description": "The answer."}
    if one.answer is not None:
        answer["content"] = {one.answer_type: {"schema": known[id(one.answer)]}}
    elif one.answer_type:
        kind: Values = {} if one.answer_type == "application/json" else {"type": "string"}
        answer["content"] = {one.answer_type: {"schema": kind}}
    if one.other_answers:
        answer["content"] |= {kind: {"schema": {"type": "string"}} for kind in one.other_answers}
    responses: Values = {"200": answer}
    reading = (400, 413, 415) if one.body is not None or one.other_bodies else ()
    naming = (404,) if "{" in route.pattern else ()
    statuses = {*one.statuses, *reading, *naming, 500, 503, *(() if route.public else (401,))}
    for status in sorted(statuses):
        schema = {} if one.error is None else known[id(one.error)]
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {"application/json": {"schema": schema}},
        }
        if status in (429, 503):
            seconds = {"description": "Seconds until there may be room.", "schema": {"type": "string"}}
            responses[str(status)]["headers"] = {"Retry-After": seconds}
    return responses
