"""The Open Inference Protocol, version 2 (KServe, Triton), with its extension for binary tensors.

One input of texts, or of pairs with shape [N, 2], or two inputs; outputs are columns, one row a text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec

from fastbert._version import __version__
from fastbert.serving.asking import Answered, ask
from fastbert.serving.decoding import JsonBody
from fastbert.serving.http import JSON, Request, Response
from fastbert.serving.inputs import Text
from fastbert.serving.label_scores import LABELLING, decided, label_scores
from fastbert.serving.models import Model
from fastbert.serving.problems import Problem, failed, invalid, unsupported_type
from fastbert.serving.protocols.native import shown
from fastbert.serving.routes import Operation, Route
from fastbert.serving.service import Service
from fastbert.serving.tensors import (
    Column,
    InputTensor,
    OutputTensor,
    TensorParameters,
    split_body,
    texts_of_tensors,
)
from fastbert.tasks.answer_prediction import AnswerPrediction
from fastbert.tasks.base import Task

TAG = "Open Inference Protocol"
BINARY = "application/octet-stream"
FORM = "application/x-www-form-urlencoded"  # what curl says of JSON where it is not told
LENGTH = "Inference-Header-Content-Length"
EXTENSIONS = ["binary_tensor_data"]
LATEST = "1"  # stands for the version that is there, whichever: clients of other servers send it
NAMES = ("text", "pair")
_EXAMPLE = '{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["The app is slow"]}]}'
_encode = msgspec.json.Encoder().encode


class WantedOutput(msgspec.Struct):
    """An output that is wanted."""

    name: str
    parameters: TensorParameters | None = None


class InferParameters(msgspec.Struct):
    """Of the request. binary_data_output: all outputs as bytes."""

    binary_data_output: bool | None = None


class InferBody(msgspec.Struct):
    """What is asked. inputs: text, and pair where the model reads pairs.    outputs: those wanted; none: all."""

    inputs: list[InputTensor]
    id: str = ""
    outputs: list[WantedOutput] | None = None
    parameters: InferParameters | None = None


class InferAnswer(msgspec.Struct):
    """What is answered."""

    model_name: str
    model_version: str
    outputs: list[OutputTensor]
    id: str | msgspec.UnsetType = msgspec.UNSET


class ServerFacts(msgspec.Struct):
    """What the server is."""

    name: str
    version: str
    extensions: list[str]


class Live(msgspec.Struct):
    """Whether the server lives."""

    live: bool


class Ready(msgspec.Struct):
    """Whether the server takes requests."""

    ready: bool


class V2ModelReady(msgspec.Struct):
    """Whether a model takes requests."""

    name: str
    ready: bool


class TensorFacts(msgspec.Struct):
    """What a tensor is. shape: -1 for any number of texts."""

    name: str
    datatype: str
    shape: list[int]


class V2Model(msgspec.Struct):
    """What a model reads and answers."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorFacts]
    outputs: list[TensorFacts]


class V2Error(msgspec.Struct):
    """A problem in this contract."""

    error: str


def shape(problem: Problem, request_id: str) -> Response:
    """Return a problem as this contract shows it: what cannot be answered is 400."""
    status = 400 if problem.status in (415, 422) else problem.status
    return Response.json(V2Error(problem.text), status)


_BODY: JsonBody[InferBody] = JsonBody(InferBody)
# An output of one text: its datatype, and how many values it has, None for one.
_OUTPUTS: Mapping[str, Mapping[str, str]] = {
    "single_label": {"label": "BYTES", "score": "FP32", "scores": "FP32", "prediction": "BYTES"},
    "multi_label": {"label": "BYTES", "score": "FP32", "scores": "FP32", "prediction": "BYTES"},
    "regression": {"label": "BYTES", "score": "FP64", "prediction": "BYTES"},
    "tagging": {"prediction": "BYTES"},
    "answering": {"answer": "BYTES", "score": "FP32", "start": "INT64", "end": "INT64", "prediction": "BYTES"},
}


def routes(service: Service) -> list[Route]:
    """Return the routes of this contract."""

    async def server(request: Request) -> Response:
        return Response.json(ServerFacts("fastbert", __version__, EXTENSIONS))

    async def live(request: Request) -> Response:
        return Response.json(Live(True))

    async def ready(request: Request) -> Response:
        service.check_ready()
        return Response.json(Ready(True))

    async def facts(request: Request) -> Response:
        return Response.json(_facts(_model(service, request)))

    async def model_ready(request: Request) -> Response:
        model = _model(service, request)
        service.check_ready()  # callers look at the status only
        return Response.json(V2ModelReady(model.name, True))

    async def infer(request: Request) -> Response:
        return await _infer(service, request)

    def told(summary: str, answer: object, *statuses: int) -> Operation:
        return Operation(summary, TAG, None, answer, statuses=statuses, error=V2Error)

    asked = Operation(
        "Answer tensors of texts.", TAG, InferBody, InferAnswer, {BINARY: _EXAMPLE},
        statuses=(400, 404, 413, 429, 503, 504), other_answers=(BINARY,), error=V2Error, refine=_refine,
    )  # fmt: skip
    found = [
        Route("GET", "/v2", server, shape, told("What the server is.", ServerFacts)),
        Route("GET", "/v2/health/live", live, shape, told("Whether it lives.", Live), public=True),
        Route("GET", "/v2/health/ready", ready, shape, told("Whether it takes requests.", Ready, 503), public=True),
    ]
    for path in ("/v2/models/{model}/versions/{version}", "/v2/models/{model}"):
        found += [
            Route("GET", path, facts, shape, told("What a model reads and answers.", V2Model, 404)),
            Route("GET", f"{path}/ready", model_ready, shape, told("Whether it is ready.", V2ModelReady, 404, 503)),
            Route("POST", f"{path}/infer", infer, shape, asked),
        ]
    return found


def _refine(schemas: dict[str, Any], service: Service) -> None:
    """Say in the schema which tensors there are. How many elements a shape has is left to its words."""
    tensor, wanted = schemas["InputTensor"]["properties"], schemas["WantedOutput"]["properties"]
    tensor["name"] = {"enum": list(NAMES)}
    tensor["datatype"] = {"const": "BYTES"}
    tensor["shape"] = {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 2}
    wanted["name"] = {"enum": sorted({name for outputs in _OUTPUTS.values() for name in outputs})}
    schemas["InferBody"]["examples"] = [msgspec.json.decode(_EXAMPLE)]
    text = {"type": "object", "properties": {"name": {"const": NAMES[0]}}}
    schemas["InferBody"]["properties"]["inputs"] |= {"minItems": 1, "maxItems": len(NAMES), "contains": text}


def _model(service: Service, request: Request) -> Model:
    """Return the model of a path. Raises Problem (404) for another name or version."""
    model = service.models.get(request.variables["model"])
    version = request.variables.get("version", LATEST)
    if version not in (LATEST, model.version):
        raise Problem(404, "unknown_version", "The model has no such version.", "version", f"It is {model.version}.")
    return model


async def _infer(service: Service, request: Request) -> Response:
    limits, length = service.settings.limits, request.header(LENGTH.lower())
    if request.media_type not in ("", JSON, BINARY, FORM):
        raise unsupported_type(request.media_type, JSON)
    model = _model(service, request)
    head, raw = split_body(await request.body(limits.body_bytes), length)
    body = _BODY.parse(head, limits)
    wanted = _wanted(body, model.predictor.task)
    answered = await ask(service, request, model, _texts(body, raw, limits.texts), "inputs")
    outputs, parts = [], []
    for name, binary in wanted.items():
        column, rows = _column(answered, name), len(answered.predictions)
        if binary:
            tensor, part = column.binary(name, rows)
            parts.append(part)
        else:
            tensor = column.tensor(name, rows)
        outputs.append(tensor)
    answer = InferAnswer(model.name, model.version, outputs, body.id or msgspec.UNSET)
    if not parts:
        return Response.json(answer, headers=answered.headers)
    said = _encode(answer)
    headers = {**answered.headers, LENGTH: str(len(said))}
    return Response(b"".join([said, *parts]), 200, BINARY, headers)


def _wanted(body: InferBody, task: Task) -> dict[str, bool]:
    """Return the names of the outputs wanted, and whether each is sent as bytes. Raises Problem (422)."""
    known = _OUTPUTS[task.name]
    usual = body.parameters is not None and body.parameters.binary_data_output is True
    if not body.outputs:
        return dict.fromkeys(known, usual)
    found: dict[str, bool] = {}
    for index, one in enumerate(body.outputs):
        if one.name not in known:
            raise invalid("There is no such output.", f"outputs[{index}].name", f"There are {', '.join(known)}.")
        if one.name in found:
            raise invalid("The output is asked for twice.", f"outputs[{index}].name")
        chosen = None if one.parameters is None else one.parameters.binary_data
        found[one.name] = usual if chosen is None else chosen
    return found


def _texts(body: InferBody, raw: bytes, most: int) -> list[Text]:
    """Return the texts, or pairs, of the inputs. Raises Problem for other inputs, or bytes that do not fit."""
    names = [one.name for one in body.inputs]
    if sorted(names) not in (["text"], sorted(NAMES)):
        raise invalid("Expected the input 'text', or 'text' and 'pair'.", "inputs", "See GET /v2/models/{model}.")
    tensors = {one.name: (one, values) for one, values in texts_of_tensors(body.inputs, raw, most)}
    tensor, texts = tensors["text"]
    width = tensor.shape[1] if len(tensor.shape) == 2 else 1
    if len(tensors) == 2:
        second, others = tensors["pair"]
        if len(others) != len(texts) or width != 1 or second.shape[1:] not in ([], [1]):
            raise invalid("Expected as many texts as second texts, of shape [N] or [N, 1].", "inputs")
        return list(zip(texts, others, strict=True))
    return list(texts) if width == 1 else list(zip(texts[::2], texts[1::2], strict=True))


def _column(answered: Answered, name: str) -> Column:
    """Return one output for all texts."""
    task, predictions = answered.task, answered.predictions
    datatype = _OUTPUTS[task.name][name]
    if name == "prediction":
        return Column(datatype, [_encode(shown(one)).decode() for one in predictions])
    if name == "scores":
        rows = [dict(label_scores(task, one)) for one in predictions]
        return _checked(Column(datatype, [row[label] for row in rows for label in _labels(task)], len(_labels(task))))
    if task.name in LABELLING:
        answers = [decided(task, one) for one in predictions]
        place = 0 if name == "label" else 1
        return _checked(Column(datatype, [one[place] for one in answers]))
    spans = [cast("AnswerPrediction", one) for one in predictions]
    of: dict[str, Callable[[AnswerPrediction], Any]] = {
        "answer": lambda one: one.answer,
        "score": lambda one: one.score,
        "start": lambda one: -1 if one.start is None else one.start,
        "end": lambda one: -1 if one.end is None else one.end,
    }
    return Column(datatype, [of[name](one) for one in spans])


def _checked(column: Column) -> Column:
    """Return a column. Raises Problem (500) for a number that the datatype cannot hold."""
    if column.datatype == "FP32" and any(abs(value) > 3.4e38 for value in column.values):
        raise failed("The model's answer is no number of 32 bits.")
    return column


def _labels(task: Task) -> Sequence[str]:
    return task.label_names


def _facts(model: Model) -> V2Model:
    predictor = model.predictor
    task = predictor.task
    reads = NAMES[: 2 if predictor.bundle.reads_pairs else 1]
    outputs = [
        TensorFacts(name, datatype, [-1, len(_labels(task))] if name == "scores" else [-1])
        for name, datatype in _OUTPUTS[task.name].items()
    ]
    inputs = [TensorFacts(name, "BYTES", [-1]) for name in reads]
    return V2Model(model.name, [model.version], f"fastbert_{predictor.backend.name}", inputs, outputs)
