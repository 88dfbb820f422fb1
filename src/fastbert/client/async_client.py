"""`AsyncClient`: `Client` for programs with an event loop, step by step the same."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import closing
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import httpx2

from fastbert.client.answers import ServedModel, Values, explanation_of, prediction_of
from fastbert.client.asking import EXPLAINED, TEXTS, Answers, Options, Parts, Window, taken
from fastbert.client.connecting import LIMITS, Connected, examples_of, headers_of, lost
from fastbert.client.exchange import Lost, Outcome, Reply, Send, Steps
from fastbert.inference.predictor import TextInput, as_example
from fastbert.tasks.base import Example, Prediction

if TYPE_CHECKING:
    from fastbert.insight.explanation import Explanation

Answer = TypeVar("Answer")
Read = Callable[[Values, Example], Answer]


class AsyncClient(Connected):
    """Asks a FastBert server without blocking the event loop. Arguments, methods and errors are those of `Client`.

    >>> async with AsyncClient("http://localhost:8080") as client:  # doctest: +SKIP
    ...     await client(["The export button does nothing"])
    [LabelPrediction(labels=('Bugs',), scores={'Bugs': 0.97, ...}, ...)]
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout_s: float = 30.0,
        retries: int = 5,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(url, api_key, timeout_s, retries)
        self._http = httpx2.AsyncClient(base_url=self.address, headers=self._key, limits=LIMITS, transport=transport)
        self._pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def __call__(self, texts: Iterable[TextInput]) -> list[Prediction]:
        """Return one prediction per text, in order."""
        return await self.predict(texts)

    async def predict(
        self,
        texts: Iterable[TextInput],
        *,
        model: str | None = None,
        top_k: int | None = None,
        threshold: float | None = None,
        thresholds: Mapping[str, float] | None = None,
    ) -> list[Prediction]:
        """Return one prediction per text, in order; arguments as of `Client.predict`."""
        options = Options(model, top_k, threshold, thresholds)
        return [one async for one in self._many(texts, options, prediction_of, TEXTS)]

    async def explain(
        self,
        texts: Iterable[TextInput],
        *,
        model: str | None = None,
        threshold: float | None = None,
        thresholds: Mapping[str, float] | None = None,
    ) -> list[Explanation]:
        """Return for each text its prediction and what each word is worth to it; arguments as of `Client.predict`."""
        options = Options(model, None, threshold, thresholds, explain=True)
        return [one async for one in self._many(texts, options, explanation_of, EXPLAINED)]

    def stream(
        self, texts: Iterable[TextInput] | AsyncIterable[TextInput], *, model: str | None = None, chunk: int = TEXTS
    ) -> AsyncIterator[Prediction]:
        """Yield predictions in order, while texts are read; see `Client.stream`."""
        return self._many(texts, Options(model), prediction_of, chunk)

    async def models(self) -> list[ServedModel]:
        """Return the models of the server; the first one is asked where none is named."""
        return await self._drive(self._questions.models())

    async def ready(self) -> bool:
        """Return whether the server takes requests, asked once; False where it cannot be reached."""
        return await self._drive(self._questions.ready())

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _many(
        self, texts: Iterable[TextInput] | AsyncIterable[TextInput], options: Options, read: Read[Answer], most: int
    ) -> AsyncIterator[Answer]:
        window = Window.of(options)
        waiting: deque[asyncio.Task[Answers[Answer]]] = deque()
        try:
            async for part in _parts(texts, most):
                waiting.append(asyncio.create_task(self._drive(self._questions.texts(part, options, read))))
                while len(waiting) >= window.size:
                    for answer in taken(await waiting.popleft(), window):
                        yield answer
            while waiting:
                for answer in taken(await waiting.popleft(), window):
                    yield answer
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _drive(self, steps: Steps[Answer]) -> Answer:
        """Carry out steps and return what they come to."""
        outcome: Outcome | None = None
        with closing(steps):
            try:
                while True:
                    step = steps.send(outcome)
                    outcome = await self._send(step) if isinstance(step, Send) else None
                    if not isinstance(step, Send):
                        await self._pause(step.seconds)
            except StopIteration as done:
                found: Answer = done.value
                return found

    async def _send(self, step: Send) -> Outcome:
        call = step.call
        try:
            async with asyncio.timeout(step.timeout_s):
                response = await self._http.request(
                    call.method, call.path, content=call.body, headers=headers_of(call), timeout=step.timeout_s
                )
        except TimeoutError:
            return Lost("no answer in time")
        except httpx2.RequestError as error:
            return lost(error)
        return Reply(response.status_code, dict(response.headers), response.content)


async def _examples(texts: Iterable[TextInput] | AsyncIterable[TextInput]) -> AsyncIterator[Example]:
    if not isinstance(texts, AsyncIterable):
        for example in examples_of(texts):
            yield example
        return
    row = 0
    async for item in texts:
        yield as_example(item, row)
        row += 1


async def _parts(texts: Iterable[TextInput] | AsyncIterable[TextInput], most: int) -> AsyncIterator[list[Example]]:
    parts = Parts(most)
    async for example in _examples(texts):
        part = parts.add(example)
        if part is not None:
            yield part
    part = parts.rest()
    if part is not None:
        yield part
