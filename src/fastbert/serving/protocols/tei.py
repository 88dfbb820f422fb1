"""The contract of Text Embeddings Inference for classifiers: /predict, /info, /health.

["a", "b"] is one pair there, not two texts; a batch is a list of lists.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from fastbert._version import __version__
from fastbert.serving import text_schemas
from fastbert.serving.asking import Answered, ask
from fastbert.serving.decoding import JsonBody
from fastbert.serving.http import Request, Response
from fastbert.serving.inputs import Text
from fastbert.serving.label_scores import check_labelling, label_scores
from fastbert.serving.models import Model
from fastbert.serving.problems import Problem, check_number, invalid
from fastbert.serving.routes import Operation, Route
from fastbert.serving.service import Service

TAG = "Text Embeddings Inference"
_KINDS = {503: "unhealthy", 500: "backend", 504: "backend", 429: "overloaded"}
DIRECTIONS = ("right", "Right", None)  # as TEI spells it
_STATUSES = {500: 424, 504: 424}


class TeiBody(msgspec.Struct):
    """What is asked.

    inputs: "text"; ["text", "second text"], a pair; or [["text"], ["text", "second text"], ...], a batch.
    truncate: false refuses a text that would be cut.    truncation_direction: the model has its own.
    raw_scores: only of a model that answers with a number.
    """

    inputs: str | list[str | list[str]]
    truncate: bool | None = None
    truncation_direction: str | None = None
    raw_scores: bool = False


class TeiLabel(msgspec.Struct):
    """A label with its score."""

    score: float
    label: str


class TeiInfo(msgspec.Struct):
    """What is served."""

    model_id: str
    model_sha: str
    model_dtype: str
    model_type: dict[str, dict[str, dict[str, Any]]]
    max_concurrent_requests: int
    max_input_length: int
    max_batch_tokens: int
    max_batch_requests: int | None
    max_client_batch_size: int
    auto_truncate: bool
    tokenization_workers: int
    version: str
    sha: str | None = None
    docker_label: str | None = None


class TeiError(msgspec.Struct):
    """A problem in this contract."""

    error: str
    error_type: str


def shape(problem: Problem, request_id: str) -> Response:
    """Return a problem as this contract shows it: 424 where the model failed, 422 for what cannot be answered."""
    known = problem.code in ("empty", "tokenizer", "backend")
    kind = problem.code if known else _KINDS.get(problem.status, "validation")
    return Response.json(TeiError(problem.text, kind), _STATUSES.get(problem.status, problem.status))


_BODY: JsonBody[TeiBody] = JsonBody(TeiBody)
_ANSWER = list[TeiLabel | list[TeiLabel]]


def routes(service: Service) -> list[Route]:
    """Return the routes of this contract."""

    async def predict(request: Request) -> Response:
        return await _predict(service, request)

    async def info(request: Request) -> Response:
        return Response.json(_info(service, service.models.get()))

    async def health(request: Request) -> Response:
        service.check_ready()
        return Response(b"", 200, "")

    asked = Operation(
        "Labels with scores, as Text Embeddings Inference.", TAG, TeiBody, _ANSWER,
        statuses=(400, 413, 415, 422, 424, 429, 503), error=TeiError, refine=_refine,
    )  # fmt: skip
    told = Operation("What is served.", TAG, None, TeiInfo, error=TeiError)
    alive = Operation("Whether it takes requests.", TAG, answer_type="", statuses=(503,), error=TeiError)
    return [
        *(Route("POST", path, predict, shape, asked) for path in ("/predict", "/", "/invocations")),
        Route("GET", "/info", info, shape, told),
        *(Route("GET", path, health, shape, alive, public=True) for path in ("/health", "/ping")),
    ]


def _refine(schemas: dict[str, Any], service: Service) -> None:
    """Say in the schema that a list of texts is a pair, and a batch a list of lists."""
    fields = schemas["TeiBody"]["properties"]
    texts = text_schemas.text(service)["anyOf"]
    strings = [one for one in texts if one == text_schemas.STRING]
    lists = [text_schemas.cells(1) if one in strings else one for one in texts]
    fields["inputs"] = {"anyOf": [*strings, *lists, text_schemas.many({"anyOf": lists}, service)]}
    fields["truncation_direction"] = {"enum": list(DIRECTIONS), "default": None}
    if not any(model.predictor.task.name == "regression" for model in service.models.all.values()):
        fields["raw_scores"] = {"const": False, "default": False}


async def _predict(service: Service, request: Request) -> Response:
    start = time.perf_counter()
    body = await _BODY.read(request, service.settings.limits)
    model = service.models.get()
    _check(body, model)
    texts, alone = _texts(body.inputs, service.settings.limits.texts)
    answered = await ask(service, request, model, texts, "inputs")
    if body.truncate is False and answered.headers:
        limit = model.predictor.bundle.max_tokens
        raise Problem(422, "tokenizer", f"A text has more than {limit} tokens.", "inputs", "Send truncate: true.")
    labels = [
        [TeiLabel(score, label) for label, score in label_scores(answered.task, prediction)]
        for prediction in answered.predictions
    ]
    headers = {**answered.headers, **_times(answered, texts, time.perf_counter() - start)}
    return Response.json(labels[0] if alone else labels, headers=headers)


def _check(body: TeiBody, model: Model) -> None:
    task = model.predictor.task
    try:
        check_labelling(task)
    except Problem as problem:  # as TEI answers where the model is no classifier
        raise Problem(424, "backend", problem.message, "", problem.hint) from None
    if body.raw_scores and task.name != "regression":
        raise invalid(
            "Scores are probabilities; what stands before them is not given.", "raw_scores", "Send raw_scores: false."
        )
    if body.truncation_direction not in DIRECTIONS:
        raise invalid("The model has its own way to shorten texts.", "truncation_direction", "Leave it out.")


def _texts(inputs: str | list[str | list[str]], most: int) -> tuple[list[Text], bool]:
    """Return the texts, and whether it was one input by itself.

    most: texts that are read. Raises Problem: 400 for none, 422 for more, or a mixture.
    """
    if isinstance(inputs, str):
        return [inputs], True
    if not inputs:
        raise Problem(400, "empty", "There is no text.", "inputs", "Send at least one.")
    if isinstance(inputs[0], str):
        return [_text(inputs, "inputs")], True
    check_number(len(inputs), most, "inputs")
    return [_text(one, f"inputs[{index}]") for index, one in enumerate(inputs)], False


def _text(values: str | list[str] | list[str | list[str]], field: str) -> Text:
    if isinstance(values, str) or not 1 <= len(values) <= 2 or not all(isinstance(one, str) for one in values):
        hint = 'A batch is a list of lists: [["text"], ["text", "second text"]].'
        raise invalid("Expected one text, or a pair of them.", field, hint)
    first, *second = (str(one) for one in values)
    return (first, second[0]) if second else first


def _times(answered: Answered, texts: list[Text], seconds: float) -> dict[str, str]:
    """Return TEI's headers, in whole milliseconds. Tokenization is a part of inference here."""
    queue = answered.job.queue_s
    characters = sum(len(one) if isinstance(one, str) else len(one[0]) + len(one[1]) for one in texts)
    total, inference = round(seconds * 1000), round(max(0.0, seconds - queue) * 1000)
    numbers = {
        "x-compute-time": total,
        "x-compute-characters": characters,
        "x-compute-tokens": sum(answered.job.tokens),
        "x-total-time": total,
        "x-tokenization-time": 0,
        "x-queue-time": round(queue * 1000),
        "x-inference-time": inference,
    }
    return {"x-compute-type": answered.model.predictor.backend.name, **{key: str(one) for key, one in numbers.items()}}


def _info(service: Service, model: Model) -> TeiInfo:
    limits, predictor = service.settings.limits, model.predictor
    names = predictor.task.label_names
    id2label: dict[str, Any] = {str(index): name for index, name in enumerate(names)}
    label2id: dict[str, Any] = {name: index for index, name in enumerate(names)}
    return TeiInfo(
        model_id=model.name,
        model_sha=model.version,
        model_dtype="float32",
        model_type={"classifier": {"id2label": id2label, "label2id": label2id}},
        max_concurrent_requests=limits.waiting_texts,
        max_input_length=predictor.bundle.max_tokens,
        max_batch_tokens=predictor.backend.batch_tokens,
        max_batch_requests=None,
        max_client_batch_size=limits.texts,
        auto_truncate=True,
        tokenization_workers=1,
        version=__version__,
    )
