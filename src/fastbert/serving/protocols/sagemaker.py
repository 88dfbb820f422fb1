"""Amazon SageMaker's contract: /ping, /invocations, and what its batch transform asks.

Bodies are those of fast-bert's container, {"text": ...}, and of the Hugging Face toolkit, {"inputs": ...}; CSV and
JSON lines too. Nothing is ever sent elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from fastbert.serving.asking import Answered, ask
from fastbert.serving.decoding import JsonBody
from fastbert.serving.http import JSON, Request, Response
from fastbert.serving.inputs import Text
from fastbert.serving.label_scores import LABELLING, check_labelling, label_scores
from fastbert.serving.models import Model
from fastbert.serving.pipeline_shapes import (
    Form,
    Inputs,
    PipelineParameters,
    check_parameters,
    labels_shown,
    pipeline_answer,
    texts_of,
)
from fastbert.serving.problems import Problem, check_number, invalid, malformed, unsupported_type
from fastbert.serving.protocols import mlflow
from fastbert.serving.routes import Operation, Route
from fastbert.serving.service import Service
from fastbert.serving.tables import CSV, LINE_TYPES, LINES, accepted, at_line, csv_rows, csv_text, json_lines
from fastbert.serving.text_schemas import exactly_one, pipeline_inputs, refine_parameters
from fastbert.tasks.base import Prediction, Task

TAG = "SageMaker"
MOST_LABELS = 10  # of the answer to {"text": ...}, as fast-bert's container gave them
MEBIBYTE = 2**20
MOST_MB = 100  # MaxConcurrentTransforms times MaxPayloadInMB may not be more
KNOWN = f"{JSON}, {CSV}, {LINES}"
_COLUMNS = {"tagging": ("entities",), "answering": ("answer", "score", "start", "end")}
_encode = msgspec.json.Encoder().encode


FORMS_OF_MLFLOW = ("dataframe_split", "dataframe_records", "instances")
FORMS = ("text", "inputs", *FORMS_OF_MLFLOW)


class InvocationBody(msgspec.Struct):
    """What is asked: text, or inputs. Others of its fields are of MLflow's contract, which answers them.

    text: one text, whose answer is [["label", probability], ...], at most 10.
    inputs, parameters: as transformers' pipelines take them.    bing_key: refused.
    """

    text: str | msgspec.UnsetType = msgspec.UNSET
    inputs: Inputs | msgspec.UnsetType = msgspec.UNSET
    parameters: PipelineParameters | None = None
    bing_key: Any = None
    dataframe_split: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    dataframe_records: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    instances: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Execution(msgspec.Struct):
    """What batch transform may ask at a time."""

    MaxConcurrentTransforms: int
    BatchStrategy: str
    MaxPayloadInMB: int


class InvocationError(msgspec.Struct):
    """A problem in this contract."""

    code: int
    type: str
    message: str


def shape(problem: Problem, request_id: str) -> Response:
    """Return a problem as this contract shows it: what cannot be answered is 400."""
    status = 400 if problem.status == 422 else problem.status
    return Response.json(InvocationError(status, problem.code, problem.text), status)


_BODY: JsonBody[InvocationBody] = JsonBody(InvocationBody)
_LINE: JsonBody[InvocationBody | str] = JsonBody(InvocationBody | str)


def _refine(schemas: dict[str, Any], service: Service) -> None:
    """Say in the schema of the body that it has one of several forms, and what the models read."""
    body = schemas["InvocationBody"]
    body["properties"] |= {
        **mlflow.refined_fields(service),
        "inputs": pipeline_inputs(service),
        "bing_key": {"enum": [None, ""], "default": None},
    }
    body["oneOf"] = exactly_one(FORMS)
    refine_parameters(schemas, service)


INVOCATION = Operation(
    'Answer texts: {"text": ...} as fast-bert\'s container, {"inputs": ...} as the Hugging Face toolkit.',
    TAG,
    InvocationBody,
    other_bodies={
        CSV: "inputs\nThe export button does nothing\n",
        LINES: '{"inputs": "The export button does nothing"}\n',
    },
    statuses=(400, 406, 413, 415, 429, 503, 504),
    other_answers=(CSV, LINES),
    error=InvocationError,
    refine=_refine,
)


def routes(service: Service) -> list[Route]:
    """Return the routes of this contract."""

    async def ping(request: Request) -> Response:
        # Where models are loaded by callers it means that the server lives: there may be none yet.
        lives = service.ready or service.settings.models_root is not None
        return Response(b"", 200 if lives else 503, "")

    async def invocations(request: Request) -> Response:
        return await invoke(service, request, None)

    async def execution(request: Request) -> Response:
        payload = max(1, service.settings.limits.body_bytes // MEBIBYTE)
        transforms = max(1, min(service.settings.max_transforms, MOST_MB // payload))
        return Response.json(Execution(transforms, service.settings.batch_strategy, payload))

    alive = Operation("Whether it takes requests.", TAG, answer_type="", statuses=(503,))
    told = Operation("What batch transform may ask at a time.", TAG, None, Execution, error=InvocationError)
    return [
        Route("GET", "/ping", ping, shape, alive, public=True),
        Route("POST", "/invocations", invocations, shape, INVOCATION),
        Route("GET", "/execution-parameters", execution, shape, told, public=True),
    ]


async def invoke(service: Service, request: Request, name: str | None) -> Response:
    """Answer an invocation of a model, the first one where no name is given."""
    kind = request.media_type or JSON
    if kind not in (JSON, CSV, *LINE_TYPES):
        raise unsupported_type(kind, KNOWN)
    if request.charset not in ("utf-8", "utf8", "us-ascii", "ascii"):
        raise Problem(415, "unsupported_charset", "The body is not in UTF-8.", "Content-Type", "Send UTF-8.")
    accepted(request.header("accept"), (JSON, CSV, LINES), JSON)  # before anything is computed
    body = await request.body(service.settings.limits.body_bytes)
    model = service.models.get(name)
    if kind == CSV:
        return await _answer_csv(service, request, model, body)
    if kind in LINE_TYPES:
        return await _answer_lines(service, request, model, body)
    asked = _BODY.parse(body, service.settings.limits)
    if _form(asked) in FORMS_OF_MLFLOW:
        return await mlflow.answer_json(service, request, model, body)
    record = _record_of(asked, model.predictor.task, service.settings.limits.texts)
    answered = await ask(service, request, model, record.texts, record.field)
    kind = accepted(request.header("accept"), (JSON, CSV, LINES), JSON)
    if kind == CSV:
        return _as_csv(answered)
    return _as(kind, [record.answer(answered.task, answered.predictions)], answered)


@dataclass(frozen=True)
class _Record:
    """What one body, or one line, asks. parameters: None for the answer of fast-bert's container."""

    texts: Sequence[Text]
    field: str
    parameters: PipelineParameters | None
    form: Form

    def answer(self, task: Task, predictions: Sequence[Prediction]) -> object:
        if self.parameters is None:
            return [[label, score] for label, score in label_scores(task, predictions[0], MOST_LABELS)]
        return pipeline_answer(task, predictions, self.parameters, self.form)


def _form(body: InvocationBody) -> str:
    """Return the name of the field that asks. Raises Problem (422) unless there is one."""
    given = [name for name in FORMS if getattr(body, name) is not msgspec.UNSET]
    if len(given) != 1:
        raise invalid(f"Expected exactly one of {', '.join(FORMS)}; found {len(given)}.", "", 'Send {"inputs": "..."}.')
    return given[0]


def _record_of(body: InvocationBody | str, task: Task, most: int) -> _Record:
    """Return what a body asks. most: texts that are read."""
    if isinstance(body, str):
        body = InvocationBody(inputs=body)
    if body.bing_key not in (None, ""):
        raise invalid("Texts are never sent elsewhere, so a key for it is refused.", "bing_key", "Leave it out.")
    form = _form(body)
    if not isinstance(body.text, msgspec.UnsetType):
        check_labelling(task)
        return _Record([body.text], "text", None, "text")
    if isinstance(body.inputs, msgspec.UnsetType):
        raise invalid("Expected 'text' or 'inputs'.", form, 'Send {"inputs": "..."}.')
    parameters = body.parameters or PipelineParameters()
    check_parameters(task, parameters)
    texts, form = texts_of(body.inputs, most)
    return _Record(texts, "inputs", parameters, form)


async def _answer_lines(service: Service, request: Request, model: Model, body: bytes) -> Response:
    """Answer each line with a line."""
    limits, task = service.settings.limits, model.predictor.task
    records = []
    total = 0
    for number, line in enumerate(json_lines(body, limits.texts), start=1):
        try:
            records.append(_record_of(_LINE.parse(line, limits), task, limits.texts))
            if not records[-1].texts:
                raise invalid("There is no text.", "inputs", "Send at least one.")
        except Problem as problem:
            raise at_line(problem, number) from None
        total += len(records[-1].texts)
        check_number(total, limits.texts, "lines")
    answered = await ask(service, request, model, [text for one in records for text in one.texts], "texts")
    kind = accepted(request.header("accept"), (LINES, JSON, CSV), LINES)
    if kind == CSV:
        return _as_csv(answered)
    found = iter(answered.predictions)
    values = [record.answer(task, [next(found) for _ in record.texts]) for record in records]
    return _as(kind, values, answered, several=True)


async def _answer_csv(service: Service, request: Request, model: Model, body: bytes) -> Response:
    """Answer each row with a row. A header is one that names `inputs`, or `question` and `context`."""
    rows = csv_rows(body, service.settings.limits)
    names = [name.strip().lower() for name in rows[0]]
    headed = "inputs" in names or {"question", "context"} <= set(names)
    wanted = ["inputs"] if "inputs" in names else ["question", "context"]
    places = [names.index(name) for name in wanted] if headed else list(range(len(names)))
    texts: list[Text] = []
    for number, row in enumerate(rows[headed:], start=1 + headed):
        if len(row) != len(names):
            hint = "Put a text that has commas or quotes into double quotes."
            raise malformed(f"Row {number} has {len(row)} cells; expected {len(names)}.", hint)
        cells = [row[place] for place in places]
        if len(cells) > 2:
            raise malformed(f"Row {number} has {len(cells)} cells; expected a text, or a pair.", "See `inputs`.")
        texts.append(cells[0] if len(cells) == 1 else (cells[0], cells[1]))
    answered = await ask(service, request, model, texts, "rows")
    kind = accepted(request.header("accept"), (JSON, CSV, LINES), JSON if headed else CSV)
    if kind == CSV:
        return _as_csv(answered, header=headed)
    values = pipeline_answer(answered.task, answered.predictions, PipelineParameters(), "list")
    return _as(kind, values if isinstance(values, list) else [values], answered, several=True)


def _as(kind: str, values: Sequence[object], answered: Answered, *, several: bool = False) -> Response:
    """Return one value, or several, as JSON or one a line."""
    if kind == JSON:
        return Response.json(values if several else values[0], headers=answered.headers)
    return Response(b"".join(_encode(value) + b"\n" for value in values), 200, kind, answered.headers)


def _as_csv(answered: Answered, *, header: bool = True) -> Response:
    """Return a row for each text: the best label and its score, or what the task has in their place."""
    task = answered.task
    columns: tuple[str, ...] = ("label", "score")
    if task.name in LABELLING:
        best = [labels_shown(task, prediction, 1)[0] for prediction in answered.predictions]
        rows: list[Sequence[object]] = [(one.label, one.score) for one in best]
    else:
        columns = _COLUMNS[task.name]
        values = pipeline_answer(task, answered.predictions, PipelineParameters(), "list")
        assert isinstance(values, list)
        rows = [
            [_encode(value).decode()] if task.name == "tagging" else [getattr(value, name) for name in columns]
            for value in values
        ]
    text = csv_text([columns, *rows] if header else rows)
    return Response(text.encode(), 200, f"{CSV}; charset=utf-8", answered.headers)
