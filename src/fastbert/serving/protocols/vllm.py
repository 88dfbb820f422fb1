"""The contract of vLLM's /classify: probabilities in the model's order of labels."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from fastbert.serving import text_schemas
from fastbert.serving.asking import ask
from fastbert.serving.decoding import JsonBody
from fastbert.serving.http import Request, Response
from fastbert.serving.inputs import Text
from fastbert.serving.label_scores import check_labelling, label_scores
from fastbert.serving.problems import Problem
from fastbert.serving.routes import Operation, Route
from fastbert.serving.service import Service
from fastbert.tasks.base import Prediction, Task

TAG = "vLLM"
_KINDS = {401: "AuthenticationError", 404: "NotFoundError", 429: "RateLimitError", 500: "InternalServerError"}
_KINDS |= {503: "ServiceUnavailableError", 504: "InternalServerError"}


class ClassifyBody(msgspec.Struct):
    """What is asked. input: a text, or a list of texts, or of pairs.    model: the first one if none."""

    input: str | list[Text]
    model: str | None = None


class ClassifyData(msgspec.Struct):
    """The answer to one text. label: that of the highest probability.    probs: in the model's order of labels."""

    index: int
    label: str | None
    probs: list[float]
    num_classes: int


class ClassifyUsage(msgspec.Struct):
    """The tokens of all texts."""

    prompt_tokens: int
    total_tokens: int
    completion_tokens: int = 0


class ClassifyAnswer(msgspec.Struct):
    """What is answered."""

    id: str
    object: str
    created: int
    model: str
    data: list[ClassifyData]
    usage: ClassifyUsage


class ClassifyErrorFacts(msgspec.Struct):
    """Why there is no answer."""

    message: str
    type: str
    param: str | None
    code: int


class ClassifyError(msgspec.Struct):
    """A problem in this contract."""

    error: ClassifyErrorFacts


def shape(problem: Problem, request_id: str) -> Response:
    """Return a problem as this contract shows it: what cannot be answered is 400."""
    status = 400 if problem.status == 422 else problem.status
    kind = _KINDS.get(status, "BadRequestError")
    return Response.json(ClassifyError(ClassifyErrorFacts(problem.text, kind, problem.where or None, status)), status)


_BODY: JsonBody[ClassifyBody] = JsonBody(ClassifyBody)


def routes(service: Service) -> list[Route]:
    """Return the routes of this contract."""

    async def classify(request: Request) -> Response:
        return await _classify(service, request)

    asked = Operation(
        "Labels with probabilities, as vLLM.", TAG, ClassifyBody, ClassifyAnswer,
        statuses=(400, 404, 413, 415, 429, 503, 504), error=ClassifyError, refine=_refine,
    )  # fmt: skip
    return [Route("POST", "/classify", classify, shape, asked)]


def _refine(schemas: dict[str, Any], service: Service) -> None:
    text = text_schemas.text(service)
    alone = [text_schemas.STRING] if text_schemas.STRING in text["anyOf"] else []
    schemas["ClassifyBody"]["properties"]["input"] = {"anyOf": [*alone, text_schemas.many(text, service)]}


async def _classify(service: Service, request: Request) -> Response:
    body = await _BODY.read(request, service.settings.limits)
    model = service.models.get(body.model)
    check_labelling(model.predictor.task)
    texts = [body.input] if isinstance(body.input, str) else body.input
    answered = await ask(service, request, model, texts, "input")
    data = [_data(answered.task, index, prediction) for index, prediction in enumerate(answered.predictions)]
    tokens = sum(answered.job.tokens)
    usage = ClassifyUsage(tokens, tokens)
    answer = ClassifyAnswer(f"classify-{request.id}", "list", int(time.time()), model.name, data, usage)
    return Response.json(answer, headers=answered.headers)


def _data(task: Task, index: int, prediction: Prediction) -> ClassifyData:
    ranked = label_scores(task, prediction)
    by_name = dict(ranked)
    probabilities = [by_name[name] for name in (task.label_names or by_name) if name in by_name]
    return ClassifyData(index, ranked[0][0] if ranked else None, probabilities, len(probabilities))
