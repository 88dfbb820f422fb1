"""A server that says what a test tells it to, and steps carried out without a network and without time."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import TypeVar

import httpx2

from fastbert.client.exchange import Outcome, Send, Steps, Wait

Value = TypeVar("Value")
LABELS = ("bug", "praise")


def busy(status: int = 429, **headers: str) -> httpx2.Response:
    """Return what a full server answers, without saying when there is room unless told to."""
    return refusal(status, "queue_full", "The queue is full.", **headers)


def refusal(status: int, code: str, message: str, field: str = "", hint: str = "", **headers: str) -> httpx2.Response:
    """Return a problem as FastBert's own contract shows it. headers: with _ for -."""
    facts = {"code": code, "message": message, "field": field, "hint": hint}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, json={"error": facts, "request_id": "r"}, headers=named)


class Script:
    """Answers each request with the next of its outcomes; without any left, each text with its length as a score.

    requests: what came.    pauses: seconds that the client waited.    most: texts that are taken at a time.
    """

    def __init__(self, *outcomes: httpx2.Response | Exception, most: int = 1024, version: str = "1") -> None:
        self.requests: list[httpx2.Request] = []
        self.pauses: list[float] = []
        self.most, self.version = most, version
        self._outcomes = list(outcomes)
        self._lock = threading.Lock()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request."""
        with self._lock:
            self.requests.append(request)
            outcome = self._outcomes.pop(0) if self._outcomes else self._answer(request)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    @property
    def bodies(self) -> list[dict[str, object]]:
        """Return what was sent."""
        return [json.loads(request.content) for request in self.requests]

    @property
    def sizes(self) -> list[int]:
        """Return how many texts each request had."""
        return [len(body["texts"]) for body in self.bodies if isinstance(body["texts"], list)]

    def pause(self, ended: object, seconds: float) -> None:
        """Stand in for waiting in a thread."""
        self.pauses.append(seconds)

    async def pause_async(self, seconds: float) -> None:
        """Stand in for waiting on an event loop."""
        self.pauses.append(seconds)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        texts = json.loads(request.content)["texts"]
        if len(texts) > self.most:
            return refusal(422, "invalid_value", "There are too many texts.", "texts", "Send them in parts.")
        found = [{"labels": ["bug"], "scores": {"bug": len("".join(text)), "praise": 0.0}} for text in texts]
        values = {"model": "m", "version": self.version, "task": "single_label", "predictions": found}
        return httpx2.Response(200, json=values | {"request_id": "r"})


class Clock:
    """A time that passes only where it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


def carry_out(
    steps: Steps[Value], outcomes: Sequence[Outcome], clock: Clock | None = None, each_s: float = 0.0
) -> tuple[Value, list[Send | Wait]]:
    """Carry out steps; return what they come to, and the steps. each_s: that a request takes."""
    clock, left, found = clock or Clock(), list(outcomes), list[Send | Wait]()
    outcome: Outcome | None = None
    while True:
        try:
            step = steps.send(outcome)
        except StopIteration as done:
            assert not left
            value: Value = done.value
            return value, found
        found.append(step)
        clock.now += step.seconds if isinstance(step, Wait) else each_s
        outcome = left.pop(0) if isinstance(step, Send) else None
