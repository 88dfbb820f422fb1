"""What every contract answers with: the models, the settings, and one way to ask and to wait.

A client that is gone is taken out of the queue. Knows no contract.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from fastbert.data.examples import TextExample
from fastbert.decisions.rules import Decisions
from fastbert.insight.explanation import Explanation
from fastbert.serving.batcher import Job
from fastbert.serving.http import ClientGone, Request
from fastbert.serving.metrics import Metrics
from fastbert.serving.models import Model, Models
from fastbert.serving.problems import not_ready
from fastbert.serving.settings import Settings

# A client that hangs up sooner than this is answered all the same: to watch for it costs more than its answer.
WATCH_AFTER_S = 0.02


@dataclass
class Service:
    """A server's state. ready: whether it takes requests."""

    settings: Settings
    metrics: Metrics
    models: Models
    ready: bool = False

    def set_ready(self, ready: bool) -> None:
        """Say whether it takes requests."""
        self.ready = ready
        self.metrics.ready.set(int(ready))

    def check_ready(self) -> None:
        """Raise Problem (503) while it takes no requests."""
        if not self.ready:
            raise not_ready("The server starts or stops.")

    async def ask(
        self, request: Request, model: Model, examples: Sequence[TextExample], decisions: Decisions | None = None
    ) -> Job:
        """Return a job that is done. Raises Problem: 429, 500, 503 or 504; ClientGone."""
        job = model.submit(examples, decisions)
        request.facts |= {"model": model.name, "texts": len(examples)}
        try:
            await _done_or_gone(job.future, request)
        except (ClientGone, asyncio.CancelledError):
            model.batcher.drop(job)
            raise
        request.facts |= {"tokens": sum(job.tokens), "queue_ms": round(job.queue_s * 1000, 2)}
        return job

    async def explain(
        self, request: Request, model: Model, examples: Sequence[TextExample], decisions: Decisions | None
    ) -> list[Explanation]:
        """Return explanations. Raises Problem: 422, 429, or 504."""
        request.facts |= {"model": model.name, "texts": len(examples), "explained": True}
        return await model.explain(examples, decisions)


async def _done_or_gone(future: asyncio.Future[None], request: Request) -> None:
    """Wait for a future. Raises its exception, or ClientGone if the client hangs up before."""
    loop = asyncio.get_running_loop()
    watcher: list[asyncio.Task[None]] = []

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        if not future.done():
            future.set_exception(ClientGone())

    timer = loop.call_later(WATCH_AFTER_S, lambda: watcher.append(loop.create_task(watch())))
    try:
        await future
    finally:
        timer.cancel()
        for task in watcher:
            task.cancel()
