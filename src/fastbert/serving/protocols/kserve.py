"""Version 1 of KServe's data plane: instances in, predictions out, in order."""

from __future__ import annotations

from typing import Any

import msgspec

from fastbert.serving.asking import ask
from fastbert.serving.decoding import JsonBody
from fastbert.serving.http import Request, Response
from fastbert.serving.models import Model
from fastbert.serving.pipeline_shapes import InputItem, text_of
from fastbert.serving.problems import Problem, check_number
from fastbert.serving.protocols.native import shown
from fastbert.serving.routes import Operation, Route
from fastbert.serving.service import Service
from fastbert.serving.text_schemas import many, pipeline_item

TAG = "KServe"


class InstancesBody(msgspec.Struct):
    """What is asked. instances: texts, pairs, or records with text (and text_pair), or question and context."""

    instances: list[InputItem]


class PredictionsAnswer(msgspec.Struct):
    """What is answered: for each instance the fields of the model's task, as POST /v1/predict has them."""

    predictions: list[dict[str, Any]]


class ModelReady(msgspec.Struct):
    """Whether a model takes requests."""

    name: str
    ready: bool


class KServeError(msgspec.Struct):
    """A problem in this contract."""

    error: str


def shape(problem: Problem, request_id: str) -> Response:
    """Return a problem as this contract shows it: what cannot be answered is 400."""
    return Response.json(KServeError(problem.text), 400 if problem.status == 422 else problem.status)


_BODY: JsonBody[InstancesBody] = JsonBody(InstancesBody, loosely=True)  # its clients do not always say the type


def routes(service: Service) -> list[Route]:
    """Return the routes of this contract."""

    async def predict(request: Request) -> Response:
        body = await _BODY.read(request, service.settings.limits)
        return await answer_instances(service, request, service.models.get(request.variables["model"]), body.instances)

    async def ready(request: Request) -> Response:
        model = service.models.get(request.variables["model"])
        service.check_ready()  # callers look at the status only
        return Response.json(ModelReady(model.name, True))

    statuses = (400, 404, 413, 415, 429, 503, 504)
    asked = Operation(
        "Answer instances.", TAG, InstancesBody, PredictionsAnswer, statuses=statuses, error=KServeError, refine=_refine
    )
    told = Operation("Whether a model takes requests.", TAG, None, ModelReady, statuses=(404, 503), error=KServeError)
    return [
        Route("POST", "/v1/models/{model}:predict", predict, shape, asked),
        Route("GET", "/v1/models/{model}", ready, shape, told),
    ]


def _refine(schemas: dict[str, Any], service: Service) -> None:
    schemas["InstancesBody"]["properties"]["instances"] = many(pipeline_item(service), service)


async def answer_instances(
    service: Service, request: Request, model: Model, instances: list[InputItem], top_k: int | None = None
) -> Response:
    """Answer instances, in order. top_k: scores of so many labels only."""
    check_number(len(instances), service.settings.limits.texts, "instances")
    texts = [text_of(item, f"instances[{index}]") for index, item in enumerate(instances)]
    answered = await ask(service, request, model, texts, "instances")
    found = [shown(prediction, top_k) for prediction in answered.predictions]
    return Response.json(PredictionsAnswer(found), headers=answered.headers)
