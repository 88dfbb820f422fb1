"""A whole application put together: the models, the routes of all contracts, the description of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fastbert.serving.access_log import AccessLog
from fastbert.serving.app import App
from fastbert.serving.http import Request, Response
from fastbert.serving.metrics import Metrics
from fastbert.serving.models import Models
from fastbert.serving.openapi import describe
from fastbert.serving.page import pages
from fastbert.serving.protocols import (
    huggingface,
    inference_v2,
    kserve,
    mlflow,
    native,
    sagemaker,
    sagemaker_multi,
    tei,
    vertex,
    vllm,
)
from fastbert.serving.routes import Route, Router
from fastbert.serving.service import Service
from fastbert.serving.settings import Settings
from fastbert.serving.shared_paths import settled

CONTRACTS = {
    "native": native.routes,
    "sagemaker": sagemaker.routes,
    "sagemaker_multi": sagemaker_multi.routes,
    "inference_v2": inference_v2.routes,
    "kserve": kserve.routes,
    "vertex": vertex.routes,
    "huggingface": huggingface.routes,
    "tei": tei.routes,
    "vllm": vllm.routes,
    "mlflow": mlflow.routes,
}


def assemble(settings: Settings) -> tuple[App, Service]:
    """Return an application without models, not ready, and its service. Called on the event loop that runs it."""
    metrics = Metrics()
    service = Service(settings, metrics, Models(settings, metrics))
    contracts = CONTRACTS | ({"page": pages.routes} if settings.page else {})
    routes = settled({name: routes_of(service) for name, routes_of in contracts.items()}, settings)
    routes.append(_description(routes, service))
    access_log = AccessLog(sys.stderr.buffer) if settings.access_log else None
    return App(Router(routes), settings, metrics, native.shape, access_log), service


def _description(routes: Sequence[Route], service: Service) -> Route:
    async def describe_all(request: Request) -> Response:
        return Response.json(describe(routes, service))

    return Route("GET", "/openapi.json", describe_all, native.shape)
