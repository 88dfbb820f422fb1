"""`Client`: a server's model asked as a `Predictor` of this process would be.

It carries out the steps of `asking` over HTTP, by httpx2. It logs nothing; neither texts nor the key are in what it
raises or shows. `AsyncClient` is its twin.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import closing
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import httpx2

from fastbert.client.answers import ServedModel, Values, explanation_of, prediction_of
from fastbert.client.asking import EXPLAINED, IN_FLIGHT, TEXTS, Answers, Options, Window, parts_of, taken
from fastbert.client.connecting import LIMITS, Connected, examples_of, headers_of, lost
from fastbert.client.exchange import Lost, Outcome, Reply, Send, Steps
from fastbert.inference.predictor import TextInput
from fastbert.tasks.base import Example, Prediction

if TYPE_CHECKING:
    from fastbert.insight.explanation import Explanation

Answer = TypeVar("Answer")
Read = Callable[[Values, Example], Answer]


class Client(Connected):
    """Asks a FastBert server. Threads may share one; connections are kept, so make one and close it at the end.

    url: of the server, such as "http://localhost:8080".    api_key: that of FASTBERT_API_KEY if none.
    timeout_s: for each request, of at most 64 texts, with all its attempts.    retries: after a server that is busy
        (429) or not ready (503), or a connection that failed, with growing pauses; Retry-After is kept to.
    transport: how bytes travel, if not over the network.

    Its methods raise ServerError where the server does not answer or refuses, and DataError or ConfigError for what
    cannot even be sent.

    >>> with Client("http://localhost:8080") as client:             # doctest: +SKIP
    ...     client(["The export button does nothing"])
    [LabelPrediction(labels=('Bugs',), scores={'Bugs': 0.97, ...}, ...)]
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout_s: float = 30.0,
        retries: int = 5,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        super().__init__(url, api_key, timeout_s, retries)
        self._http = httpx2.Client(base_url=self.address, headers=self._key, limits=LIMITS, transport=transport)
        self._pause: Callable[[threading.Event, float], object] = threading.Event.wait  # until the time or the event

    def __call__(self, texts: Iterable[TextInput]) -> list[Prediction]:
        """Return one prediction per text, in order, as a `Predictor` does. A pair is a tuple of two texts."""
        return self.predict(texts)

    def predict(
        self,
        texts: Iterable[TextInput],
        *,
        model: str | None = None,
        top_k: int | None = None,
        threshold: float | None = None,
        thresholds: Mapping[str, float] | None = None,
    ) -> list[Prediction]:
        """Return one prediction per text, in order.

        model: by name, the server's first one if none.    top_k: scores of so many labels only, the highest.
        threshold: for all labels, instead of the model's own rule.    thresholds: for some labels.
        """
        return self._all(texts, Options(model, top_k, threshold, thresholds), prediction_of, TEXTS)

    def explain(
        self,
        texts: Iterable[TextInput],
        *,
        model: str | None = None,
        threshold: float | None = None,
        thresholds: Mapping[str, float] | None = None,
    ) -> list[Explanation]:
        """Return for each text its prediction and what each word is worth to it; arguments as of `predict`."""
        options = Options(model, None, threshold, thresholds, explain=True)
        return self._all(texts, options, explanation_of, EXPLAINED)

    def stream(
        self, texts: Iterable[TextInput], *, model: str | None = None, chunk: int = TEXTS
    ) -> Iterator[Prediction]:
        """Yield predictions in order, while texts are read: a few requests of `chunk` texts are on their way at a time.

        However many texts there are, no more of them are held. Fewer requests are sent where the server is busy.
        """
        return self.stream_examples(examples_of(texts), Options(model), chunk)

    def stream_examples(
        self, examples: Iterable[Example], options: Options, chunk: int = TEXTS
    ) -> Iterator[Prediction]:
        """Yield predictions of examples, as `stream` does of texts."""
        return self._many(parts_of(examples, chunk), options, prediction_of)

    def models(self) -> list[ServedModel]:
        """Return the models of the server; the first one is asked where none is named."""
        return self._drive(self._questions.models())

    def ready(self) -> bool:
        """Return whether the server takes requests, asked once; False where it cannot be reached."""
        return self._drive(self._questions.ready())

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _all(self, texts: Iterable[TextInput], options: Options, read: Read[Answer], most: int) -> list[Answer]:
        parts = list(parts_of(examples_of(texts), most))
        if len(parts) != 1:
            return list(self._many(parts, options, read))
        return list(self._drive(self._questions.texts(parts[0], options, read)).found)

    def _many(self, parts: Iterable[list[Example]], options: Options, read: Read[Answer]) -> Iterator[Answer]:
        window, ended = Window.of(options), threading.Event()
        waiting: deque[Future[Answers[Answer]]] = deque()
        pool = ThreadPoolExecutor(IN_FLIGHT, "fastbert-client")
        try:
            for part in parts:
                waiting.append(pool.submit(self._drive, self._questions.texts(part, options, read), ended))
                while len(waiting) >= window.size:
                    yield from taken(waiting.popleft().result(), window)
            while waiting:
                yield from taken(waiting.popleft().result(), window)
        finally:
            ended.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _drive(self, steps: Steps[Answer], ended: threading.Event | None = None) -> Answer:
        """Carry out steps and return what they come to. ended: nobody waits for it any more."""
        ended = ended or threading.Event()
        outcome: Outcome | None = None
        with closing(steps):
            try:
                while not ended.is_set():
                    step = steps.send(outcome)
                    outcome = self._send(step) if isinstance(step, Send) else None
                    if not isinstance(step, Send):
                        self._pause(ended, step.seconds)
            except StopIteration as done:
                found: Answer = done.value
                return found
        raise CancelledError

    def _send(self, step: Send) -> Outcome:
        call, until, body = step.call, time.monotonic() + step.timeout_s, []
        try:
            with self._http.stream(
                call.method, call.path, content=call.body, headers=headers_of(call), timeout=step.timeout_s
            ) as response:
                for part in response.iter_bytes():
                    body.append(part)
                    if time.monotonic() > until:  # the time limit of httpx2 is one for each part
                        return Lost("no answer in time")
                return Reply(response.status_code, dict(response.headers), b"".join(body))
        except httpx2.RequestError as error:
            return lost(error)
