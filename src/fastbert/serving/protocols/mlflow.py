"""The contract of MLflow's scoring server: rows of a table in, rows of answers out.

Columns are those of FastBert's MLflow flavour (`inference.mlflow_model`), answers too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import msgspec

from fastbert._version import __version__
from fastbert.bundle import Bundle
from fastbert.inference.mlflow_model import INPUTS, cell_of, trained_columns
from fastbert.serving.asking import ask
from fastbert.serving.decoding import JsonBody
from fastbert.serving.http import JSON, Request, Response
from fastbert.serving.inputs import Text
from fastbert.serving.models import Model
from fastbert.serving.problems import Problem, check_number, invalid, malformed, unsupported_type
from fastbert.serving.routes import Operation, Route
from fastbert.serving.service import Service
from fastbert.serving.tables import CSV, csv_rows
from fastbert.serving.text_schemas import STRING, cells, exactly_one, many

TAG = "MLflow"
_CODES = {401: "UNAUTHENTICATED", 404: "RESOURCE_DOES_NOT_EXIST", 429: "REQUEST_LIMIT_EXCEEDED", 500: "INTERNAL_ERROR"}
_CODES |= {503: "TEMPORARILY_UNAVAILABLE", 504: "TEMPORARILY_UNAVAILABLE"}


class DataframeSplit(msgspec.Struct):
    """A table as pandas writes it with orient="split"."""

    columns: list[str | int]
    data: list[list[Any]]


class ScoringBody(msgspec.Struct):
    """What is asked. Exactly one of the first four; params has nothing that FastBert reads.

    instances, inputs: a list of texts, of rows, or of records; or columns by name.
    """

    dataframe_split: DataframeSplit | msgspec.UnsetType = msgspec.UNSET
    dataframe_records: list[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET
    instances: list[Any] | dict[str, list[Any]] | msgspec.UnsetType = msgspec.UNSET
    inputs: list[Any] | dict[str, Any] | str | msgspec.UnsetType = msgspec.UNSET
    params: dict[str, Any] | None = None


class ScoringAnswer(msgspec.Struct):
    """What is answered: a row for each row, by the names of the answer's columns."""

    predictions: list[dict[str, str | float]]


class ScoringError(msgspec.Struct):
    """A problem in this contract."""

    error_code: str
    message: str


FIELDS = ("dataframe_split", "dataframe_records", "instances", "inputs")
Rows = tuple[Sequence[str | int], Sequence[Sequence[Any]]]  # names of columns, and cells


def shape(problem: Problem, request_id: str) -> Response:
    """Return a problem as this contract shows it: what cannot be answered is 400."""
    status = 400 if problem.status == 422 else problem.status
    return Response.json(ScoringError(_CODES.get(status, "BAD_REQUEST"), problem.text), status)


_BODY: JsonBody[ScoringBody] = JsonBody(ScoringBody)


def routes(service: Service) -> list[Route]:
    """Return the routes of this contract."""

    async def healthy(request: Request) -> Response:
        service.check_ready()
        return Response(b"\n")

    async def version(request: Request) -> Response:
        return Response.text(__version__)

    async def invocations(request: Request) -> Response:
        _check_type(request)
        body = await request.body(service.settings.limits.body_bytes)
        answer = answer_csv if request.media_type == CSV else answer_json
        return await answer(service, request, service.models.get(), body)

    asked = Operation(
        "Answer the rows of a table.", TAG, ScoringBody, ScoringAnswer, {CSV: "text\nThe app is slow\n"},
        statuses=(400, 413, 415, 429, 503, 504), error=ScoringError, refine=_refine,
    )  # fmt: skip
    alive = Operation("Whether it takes requests.", TAG, statuses=(503,), error=ScoringError)
    told = Operation("The version of FastBert.", TAG, answer_type="text/plain", error=ScoringError)
    return [
        Route("GET", "/ping", healthy, shape, alive, public=True),
        Route("GET", "/health", healthy, shape, alive, public=True),
        Route("GET", "/version", version, shape, told),
        Route("POST", "/invocations", invocations, shape, asked),
    ]


def _refine(schemas: dict[str, Any], service: Service) -> None:
    body = schemas["ScoringBody"]
    body["properties"] |= refined_fields(service)
    body["oneOf"] = exactly_one(FIELDS)


def refined_fields(service: Service) -> dict[str, Any]:
    """Return the schemas of tables as the models read them, by the name of the field."""
    bundles = [model.predictor.bundle for model in service.models.all.values()]
    known = [tuple(one) for bundle in bundles for one in (*permutations(_inputs(bundle)), trained_columns(bundle))]
    names = [list(one) for one in dict.fromkeys(known or [INPUTS[:1]])]
    rows = [cells(count) for count in sorted({len(one) for one in names})]
    records = [many({**_columns(one, STRING), "additionalProperties": False}, service) for one in names]
    lists = [many({"anyOf": [STRING, row] if row == cells(1) else [row]}, service) for row in rows]
    by_name = [{**_columns(one, many(STRING, service)), "additionalProperties": False} for one in names]
    places = [list(range(len(one))) for one in names]
    split = {"columns": {"enum": [*names, *places]}, "data": many({"anyOf": rows}, service)}
    instances = [*lists, *records, *by_name]
    return {
        "dataframe_split": {"type": "object", "required": list(split), "properties": split},
        "dataframe_records": {"anyOf": records},
        "instances": {"anyOf": instances},
        "inputs": {"anyOf": [STRING, *instances]},
    }


def _columns(names: Sequence[str], kind: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(names), "properties": dict.fromkeys(names, kind)}


async def answer_json(service: Service, request: Request, model: Model, body: bytes) -> Response:
    """Answer a JSON body of this contract."""
    asked = _BODY.parse(body, service.settings.limits)
    named = {name: getattr(asked, name) for name in FIELDS}
    given = {name: value for name, value in named.items() if value is not msgspec.UNSET}
    if len(given) != 1:
        raise invalid(f"Expected exactly one of {', '.join(named)}; found {len(given)}.", "", "Send one of them.")
    ((field, value),) = given.items()
    check_number(_length(value), service.settings.limits.texts, field)
    return await _answer(service, request, model, _rows(value, field), field)


async def answer_csv(service: Service, request: Request, model: Model, body: bytes) -> Response:
    """Answer a CSV body, whose first row is the header."""
    header, *rows = csv_rows(body, service.settings.limits)
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise malformed(f"Row {number} has {len(row)} cells; expected {len(header)}.")
    return await _answer(service, request, model, (header, rows), "rows")


async def _answer(service: Service, request: Request, model: Model, rows: Rows, field: str) -> Response:
    answered = await ask(service, request, model, _texts(model, rows, field), field)
    columns = model.predictor.answer_columns
    predictions = [
        {column: cell_of(prediction, column, cell) for column, cell in zip(columns, prediction.cells, strict=True)}
        for prediction in answered.predictions
    ]
    return Response.json(ScoringAnswer(predictions), headers=answered.headers)


def _check_type(request: Request) -> None:
    """Raise Problem (415) for what is neither JSON nor CSV, or has other parameters than charset=utf-8."""
    if request.media_type not in (JSON, CSV):
        raise unsupported_type(request.media_type, f"{JSON} or {CSV}")
    parameters = [part.strip().lower() for part in request.header("content-type").split(";")[1:] if part.strip()]
    if any(part.replace('"', "") != "charset=utf-8" for part in parameters):
        raise Problem(415, "unsupported_charset", "The only parameter that is known is charset=utf-8.", "Content-Type")


def _length(value: object) -> int:
    """Return how many rows there are, of columns those of the first one."""
    if isinstance(value, DataframeSplit):
        return len(value.data)
    one = next(iter(value.values()), None) if isinstance(value, Mapping) else value
    return len(one) if isinstance(one, list) else 1


def _rows(value: object, field: str) -> Rows:
    """Return names and cells of any of the four forms. Raises Problem (422) for what is no table."""
    if isinstance(value, DataframeSplit):
        return value.columns, value.data
    if isinstance(value, str):
        value = [value]
    if isinstance(value, Mapping):  # columns by name
        columns = list(value.values())
        if any(not isinstance(column, list) or len(column) != len(columns[0]) for column in columns):
            raise invalid("Expected columns of one length.", field)
        return list(value), list(zip(*columns, strict=True))
    assert isinstance(value, list)
    if value and all(isinstance(record, Mapping) for record in value):
        names = list(value[0])
        if any(list(record) != names and set(record) != set(names) for record in value):
            raise invalid("Expected the same names in all records.", field)
        return names, [[record[name] for name in names] for record in value]
    rows = [cells if isinstance(cells, list) else [cells] for cells in value]
    return range(len(rows[0]) if rows else 1), rows


def _inputs(bundle: Bundle) -> Sequence[str]:
    return INPUTS[: 2 if bundle.reads_pairs else 1]


def _texts(model: Model, rows: Rows, field: str) -> list[Text]:
    """Return the texts of a table's rows. Raises Problem (422) for other columns, or a cell that is no text."""
    names, cells = list(rows[0]), rows[1]
    known = list(_inputs(model.predictor.bundle))
    if names == known[::-1]:  # the order of a record's names says nothing
        names, cells = names[::-1], [row[::-1] for row in cells]
    if names not in (known, list(range(len(known))), list(trained_columns(model.predictor.bundle))):
        wanted = " and ".join(f"'{name}'" for name in known)
        raise invalid(f"There are {len(names)} columns that are not those of the model; expected {wanted}.", field)
    texts: list[Text] = []
    for index, row in enumerate(cells):
        if len(row) != len(names) or not all(isinstance(cell, str) for cell in row):
            raise invalid(f"Expected {len(names)} text{'s'[: len(names) - 1]}.", f"{field}[{index}]")
        texts.append(row[0] if len(row) == 1 else (row[0], row[1]))
    return texts
