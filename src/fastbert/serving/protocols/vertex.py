"""Google Vertex AI's contract: a health and a predict route, at its default paths and at those that it has chosen."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from fastbert.serving.decoding import JsonBody
from fastbert.serving.http import Request, Response
from fastbert.serving.pipeline_shapes import InputItem
from fastbert.serving.protocols.kserve import KServeError, PredictionsAnswer, answer_instances, shape
from fastbert.serving.routes import Operation, Route
from fastbert.serving.service import Service
from fastbert.serving.text_schemas import many, pipeline_item

TAG = "Vertex AI"
HEALTH = "/v1/endpoints/{endpoint}/deployedModels/{model}"


class VertexParameters(msgspec.Struct):
    """How to answer. top_k: scores of so many labels only, the highest."""

    top_k: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None


class VertexBody(msgspec.Struct):
    """What is asked. instances: texts, pairs, or records with text (and text_pair), or question and context."""

    instances: list[InputItem]
    parameters: VertexParameters | None = None


_BODY: JsonBody[VertexBody] = JsonBody(VertexBody)


def routes(service: Service) -> list[Route]:
    """Return the routes of this contract."""

    async def health(request: Request) -> Response:
        service.check_ready()
        return Response.json({})

    async def predict(request: Request) -> Response:
        body = await _BODY.read(request, service.settings.limits)
        top_k = None if body.parameters is None else body.parameters.top_k
        return await answer_instances(service, request, service.models.get(), body.instances, top_k)

    chosen = service.settings
    alive = Operation("Whether it takes requests.", TAG, statuses=(503,), error=KServeError)
    asked = Operation(
        "Answer instances.", TAG, VertexBody, PredictionsAnswer,
        statuses=(400, 413, 415, 429, 503, 504), error=KServeError, refine=_refine,
    )  # fmt: skip
    return [
        *(Route("GET", path, health, shape, alive, public=True) for path in (HEALTH, chosen.health_route) if path),
        *(Route("POST", path, predict, shape, asked) for path in (f"{HEALTH}:predict", chosen.predict_route) if path),
    ]


def _refine(schemas: dict[str, Any], service: Service) -> None:
    schemas["VertexBody"]["properties"]["instances"] = many(pipeline_item(service), service)
