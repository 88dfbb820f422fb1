"""The contract of Hugging Face's inference toolkit and endpoints: inputs as transformers' pipelines take them.

A single text that is asked with Hugging Face's own clients is answered as their hosted service does it: the answer in
a list of its own, with the five best labels. The clients take the first element of what comes.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fastbert.serving.asking import ask
from fastbert.serving.decoding import JsonBody
from fastbert.serving.http import Request, Response
from fastbert.serving.pipeline_shapes import (
    Inputs,
    PipelineAnswer,
    PipelineParameters,
    check_parameters,
    pipeline_answer,
    texts_of,
)
from fastbert.serving.problems import Problem
from fastbert.serving.routes import Operation, Route
from fastbert.serving.service import Service
from fastbert.serving.text_schemas import pipeline_inputs, refine_parameters

TAG = "Hugging Face"
HOSTED_LABELS = 5  # of a single text, as the hosted service answers
_CLIENTS = ("hf_hub/", "@huggingface/inference")  # in the user agent of huggingface_hub, and of its JavaScript twin


class PipelineBody(msgspec.Struct):
    """What is asked.

    inputs: a text, a record with text (and text_pair), or question and context, or a list of these.
    """

    inputs: Inputs
    parameters: PipelineParameters | None = None


class ToolkitError(msgspec.Struct):
    """A problem in this contract."""

    error: str


def shape(problem: Problem, request_id: str) -> Response:
    """Return a problem as this contract shows it: what cannot be answered is 400."""
    return Response.json(ToolkitError(problem.text), 400 if problem.status == 422 else problem.status)


_BODY: JsonBody[PipelineBody] = JsonBody(PipelineBody)


def routes(service: Service) -> list[Route]:
    """Return the routes of this contract."""

    async def predict(request: Request) -> Response:
        return await _predict(service, request)

    async def health(request: Request) -> Response:
        service.check_ready()
        return Response.text("Ok")

    asked = Operation(
        "Answer as transformers' pipelines.", TAG, PipelineBody, PipelineAnswer,
        statuses=(400, 413, 415, 429, 503, 504), error=ToolkitError, refine=_refine,
    )  # fmt: skip
    alive = Operation("Whether it takes requests.", TAG, answer_type="text/plain", statuses=(503,), error=ToolkitError)
    healthy = ("/health",) if service.settings.page else ("/health", "/")  # the page has it
    return [
        *(Route("POST", path, predict, shape, asked) for path in ("/", "/predict")),
        *(Route("GET", path, health, shape, alive, public=True) for path in healthy),
    ]


def _refine(schemas: dict[str, Any], service: Service) -> None:
    schemas["PipelineBody"]["properties"]["inputs"] = pipeline_inputs(service)
    refine_parameters(schemas, service)


async def _predict(service: Service, request: Request) -> Response:
    body = await _BODY.read(request, service.settings.limits)
    model = service.models.get()
    task, parameters = model.predictor.task, body.parameters or PipelineParameters()
    check_parameters(task, parameters)
    texts, form = texts_of(body.inputs, service.settings.limits.texts)
    hosted = form != "list" and task.pipeline == "text-classification" and _is_hosted_client(request)
    if hosted:
        form = "list"
        if parameters.top_k is msgspec.UNSET:
            parameters = msgspec.structs.replace(parameters, top_k=HOSTED_LABELS)
    answered = await ask(service, request, model, texts, "inputs")
    answer = pipeline_answer(task, answered.predictions, parameters, form)
    return Response.json(answer, headers=answered.headers)


def _is_hosted_client(request: Request) -> bool:
    return any(name in request.header("user-agent") for name in _CLIENTS)
