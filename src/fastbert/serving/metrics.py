"""What a server counts, in the format of Prometheus. Numbers and names of models and routes only, never texts.

Each server has a registry of its own, so that several in one process do not add up.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from fastbert._version import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SEVERAL = "PROMETHEUS_MULTIPROC_DIR"  # set by the server for its worker processes


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self._registry = own = CollectorRegistry()
        self.requests = Counter("fastbert_requests", "Requests answered.", ["route", "status"], registry=own)
        self.seconds = Histogram(
            "fastbert_request_seconds",
            "From a request's headers to its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=own,
        )
        self.running = Gauge(
            "fastbert_requests_running", "Requests being answered.", registry=own, multiprocess_mode="livesum"
        )
        self.ready = Gauge(
            "fastbert_ready", "1 where the server takes requests.", registry=own, multiprocess_mode="livemin"
        )
        self.gone = Counter("fastbert_clients_gone", "Clients that did not wait for their answer.", registry=own)
        self.info = Gauge(
            "fastbert_model_info", "The models that are served.", ["model", "task", "backend", "version", "fastbert"],
            registry=own, multiprocess_mode="livemax",
        )  # fmt: skip
        self._texts = Counter("fastbert_texts", "Texts answered.", ["model"], registry=own)
        self._tokens = Counter("fastbert_tokens", "Tokens of these, uncut.", ["model"], registry=own)
        self._waiting = Gauge(
            "fastbert_queue_texts", "Texts in the queue.", ["model"], registry=own, multiprocess_mode="livesum"
        )
        self._queued = Histogram(
            "fastbert_queue_seconds", "How long texts waited in the queue.", ["model"], buckets=_SECONDS, registry=own
        )
        self._sizes = Histogram("fastbert_pass_texts", "Texts of a pass.", ["model"], buckets=_SIZES, registry=own)
        self._passes = Histogram("fastbert_pass_seconds", "A pass.", ["model"], buckets=_SECONDS, registry=own)

    def of_model(self, name: str) -> ModelMeter:
        """Return the counters of one model."""
        return ModelMeter(self, name)

    def done(self, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self.requests.labels(route, status).inc()
        self.seconds.labels(route).observe(seconds)

    def render(self) -> bytes:
        """Return all of it as text; of several processes their sums."""
        if SEVERAL not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


class ModelMeter:
    """The counters of one model."""

    def __init__(self, metrics: Metrics, name: str) -> None:
        self.name = name
        self._metrics = metrics
        self._texts, self._tokens = metrics._texts.labels(name), metrics._tokens.labels(name)
        self._queued, self.waiting = metrics._queued.labels(name), metrics._waiting.labels(name)
        self._sizes, self._passes = metrics._sizes.labels(name), metrics._passes.labels(name)

    def passed(self, texts: int, tokens: int, seconds: float, queued_s: Sequence[float]) -> None:
        """Count a pass of the model. queued_s: how long each of its texts waited."""
        self._texts.inc(texts)
        self._tokens.inc(tokens)
        self._sizes.observe(texts)
        self._passes.observe(seconds)
        for one in queued_s:
            self._queued.observe(one)

    def describe(self, task: str, backend: str, version: str) -> None:
        """Say what the model is."""
        self._metrics.info.labels(self.name, task, backend, version, __version__).set(1)
