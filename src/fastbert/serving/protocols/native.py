"""FastBert's own contract: predictions with names, models, health, metrics.

The shapes of requests and answers are the types below; the OpenAPI description is made of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from fastbert.inference.evaluation import saved_layout
from fastbert.serving import metrics, text_schemas
from fastbert.serving.decoding import JsonBody
from fastbert.serving.http import JSON, Request, Response
from fastbert.serving.inputs import Text, decisions_of, examples_of, thresholds_of, whole
from fastbert.serving.models import Model
from fastbert.serving.problems import Problem, invalid
from fastbert.serving.routes import Operation, Route
from fastbert.serving.service import Service
from fastbert.tasks.base import Prediction

TAG = "FastBert"
# JSON knows no whole numbers apart: 5.0 is one, too.
Count = Annotated[float, msgspec.Meta(ge=1, le=10_000)]
Probability = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class PredictBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is asked. Exactly one of text and texts.

    text, texts: a string, or a pair: ["text", "second text"], ["question", "context"].
    model: a name of GET /v1/models, the first one if none.    top_k: scores of so many labels only, the highest.
    threshold: for all labels, instead of the model's own rule.    thresholds: for some labels.
    explain: also return what each word is worth to the answer.
    """

    text: Text | None = None
    texts: list[Text] | None = None
    model: str | None = None
    top_k: Count | None = None
    threshold: Probability | None = None
    thresholds: dict[str, Probability] | None = None
    explain: bool = False


class PredictAnswer(msgspec.Struct):
    """What is answered. predictions: one for each text, in order; their fields are those of the model's task."""

    model: str
    version: str
    task: str
    predictions: list[dict[str, Any]]
    request_id: str


class ModelFacts(msgspec.Struct):
    """What a model is. reads: "text", or "pair".    version: changes with the model's files.

    thresholds: by label, from which score on it is given; null for never; {} where the highest score decides.
    has_report, has_card: whether /v1/models/{model}/report and /card have something to show.
    answer_columns: that an answer adds to a table.    layout: how the training table was written, so that a client
    reads others alike; {} where it was none.
    """

    name: str
    version: str
    task: str
    labels: list[str]
    reads: str
    rule: str
    max_tokens: int
    backend: str
    loaded: str
    scores: dict[str, dict[str, float | None]]
    thresholds: dict[str, float | None]
    has_report: bool
    has_card: bool
    answer_columns: list[str]
    layout: dict[str, Any]


class ModelsAnswer(msgspec.Struct):
    """The models by name; the first one is asked where a request names none."""

    models: list[str]
    details: list[ModelFacts]


class Health(msgspec.Struct):
    """Whether the server lives, or takes requests."""

    status: str


class ErrorFacts(msgspec.Struct):
    """Why there is no answer. field: of the request.    hint: what to do."""

    code: str
    message: str
    field: str
    hint: str


class ErrorAnswer(msgspec.Struct):
    """A problem in this contract."""

    error: ErrorFacts
    request_id: str


def shape(problem: Problem, request_id: str) -> Response:
    """Return a problem as this contract shows it."""
    facts = ErrorFacts(problem.code, problem.message, problem.where, problem.hint)
    return Response.json(ErrorAnswer(facts, request_id), problem.status)


_PREDICT: JsonBody[PredictBody] = JsonBody(PredictBody)


def routes(service: Service) -> list[Route]:
    """Return the routes of this contract."""

    async def predict(request: Request) -> Response:
        return await _predict(service, request)

    async def models(request: Request) -> Response:
        facts = [_facts(model, service.settings.page) for model in service.models.all.values()]
        return Response.json(ModelsAnswer([one.name for one in facts], facts))

    async def live(request: Request) -> Response:
        return Response.json(Health("live"))

    async def ready(request: Request) -> Response:
        service.check_ready()
        return Response.json(Health("ready"))

    async def counters(request: Request) -> Response:
        for model in service.models.all.values():
            service.metrics.of_model(model.name).waiting.set(model.batcher.waiting)
        return Response(service.metrics.render(), 200, metrics.CONTENT_TYPE)

    asked = Operation(
        "Answer one text, or many.",
        TAG,
        PredictBody,
        PredictAnswer,
        statuses=(404, 422, 429, 504),
        error=ErrorAnswer,
        refine=_refine,
    )

    def told(summary: str, answer: object, kind: str = JSON) -> Operation:
        return Operation(summary, TAG, answer=answer, answer_type=kind, error=ErrorAnswer)

    return [
        Route("POST", "/v1/predict", predict, shape, asked),
        Route("GET", "/v1/models", models, shape, told("List the models.", ModelsAnswer)),
        Route("GET", "/health/live", live, shape, told("Whether it lives.", Health), public=True),
        Route("GET", "/health/ready", ready, shape, told("Whether it takes requests.", Health), public=True),
        Route("GET", "/metrics", counters, shape, told("Counters for Prometheus.", None, metrics.CONTENT_TYPE)),
    ]


def _refine(schemas: dict[str, Any], service: Service) -> None:
    """Say in the schema what the types cannot: one of two fields, the limits, the labels, texts or pairs."""
    body = schemas["PredictBody"]
    fields = body["properties"]
    text = text_schemas.text(service)
    given = {"text": text, "texts": text_schemas.many(text, service)}
    for name, kind in given.items():
        fields[name] = text_schemas.optional(kind)
    body["oneOf"] = [{"required": [name], "properties": {name: kind}} for name, kind in given.items()]
    body["if"] = {"required": ["explain"], "properties": {"explain": {"const": True}}}
    body["then"] = {"properties": {"texts": {"maxItems": service.settings.limits.explained}}}
    fields["top_k"] = text_schemas.optional({"type": "integer", "minimum": 1, "maximum": 10_000})
    labels = sorted({label for model in service.models.all.values() for label in model.predictor.labels})
    if labels:
        fields["thresholds"]["propertyNames"] = {"enum": labels}


async def _predict(service: Service, request: Request) -> Response:
    limits = service.settings.limits
    body = await _PREDICT.read(request, limits)
    top_k = None if body.top_k is None else whole(body.top_k, "top_k")
    if (body.text is None) == (body.texts is None):
        raise invalid("Expected exactly one of 'text' and 'texts'.", "texts", 'Send {"texts": ["..."]}.')
    model = service.models.get(body.model)
    texts = body.texts if body.texts is not None else [body.text or ""]
    examples = examples_of(model, texts, "texts" if body.texts is not None else "text", limits)
    decisions = decisions_of(model, body.threshold, body.thresholds)
    if body.explain:
        if len(examples) > limits.explained:
            raise invalid(f"At most {limits.explained} texts are explained at a time.", "explain", "Send fewer.")
        explanations = await service.explain(request, model, examples, decisions)
        found = [shown(one.prediction, top_k) | {"explanation": _why(one.to_json())} for one in explanations]
        cut = sum(one.prediction.cut for one in explanations)
    else:
        job = await service.ask(request, model, examples, decisions)
        found = [shown(prediction, top_k) for prediction in job.predictions]
        cut = sum(prediction.cut for prediction in job.predictions)
    answer = PredictAnswer(model.name, model.version, model.predictor.task.name, found, request.id)
    return Response.json(answer, headers={"X-FastBert-Cut": str(cut)} if cut else None)


def shown(prediction: Prediction, top_k: int | None = None) -> dict[str, Any]:
    """Return a prediction as plain values, without what the caller has. top_k: scores of so many labels."""
    values = prediction.to_json()
    values.pop("pair", None)  # the caller has it
    if top_k is not None and isinstance(values.get("scores"), Mapping):
        ranked = sorted(prediction.scores.items(), key=lambda item: -item[1])
        values["scores"] = dict(ranked[:top_k])
    return values


def _why(values: dict[str, object]) -> dict[str, object]:
    """Return an explanation without what the caller has, or gets beside it."""
    return {name: value for name, value in values.items() if name not in ("text", "pair", "prediction")}


def _facts(model: Model, pages: bool) -> ModelFacts:
    predictor, bundle = model.predictor, model.predictor.bundle
    folder = model.source.folder
    layout = saved_layout(predictor)
    return ModelFacts(
        name=model.name,
        version=model.version,
        task=predictor.task.name,
        labels=list(predictor.labels),
        reads="pair" if bundle.reads_pairs else "text",
        rule=predictor.task.rule(bundle.decisions),
        max_tokens=bundle.max_tokens,
        backend=predictor.backend.name,
        loaded=model.loaded,
        scores={split: dict(scores) for split, scores in bundle.scores.items()},
        thresholds=thresholds_of(model),
        has_report=pages and (folder / "report.html").is_file(),
        has_card=pages and (folder / "README.md").is_file(),
        answer_columns=list(predictor.answer_columns),
        layout={} if layout is None else {**layout.to_json(), "reasons": []},  # they may quote cells of the table
    )
