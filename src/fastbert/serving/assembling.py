"""A whole application put together: the models, the routes of all contracts, the description of them."""

from __future__ import annotations

import sys

from fastbert.serving.access_log import AccessLog
from fastbert.serving.app import App
from fastbert.serving.metrics import Metrics
from fastbert.serving.models import Models
from fastbert.serving.protocols import native
from fastbert.serving.routes import Router
from fastbert.serving.service import Service
from fastbert.serving.settings import Settings


def assemble(settings: Settings) -> tuple[App, Service]:
    """Return an application without models, not ready, and its service. Called on the event loop that runs it."""
    metrics = Metrics()
    service = Service(settings, metrics, Models(settings, metrics))
    routes = [*native.routes(service)]
    access_log = AccessLog(sys.stderr.buffer) if settings.access_log else None
    return App(Router(routes), settings, metrics, native.shape, access_log), service
