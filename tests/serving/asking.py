"""A server for tests: in this process without sockets, or on a port of this machine for clients of their own.

Both run the whole application on an event loop of their own thread, with real models behind it.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import uvicorn

from fastbert.serving.app import App
from fastbert.serving.assembling import assemble
from fastbert.serving.models import Source
from fastbert.serving.running import listen
from fastbert.serving.service import Service
from fastbert.serving.settings import Settings

Value = TypeVar("Value")
QUIET = Settings(access_log=False)


@dataclass
class Answer:
    """A response. headers: with names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401  # as json.loads
        """Return the body as plain values."""
        return json.loads(self.body)


@dataclass
class Asker:
    """Asks an application that runs on a loop of another thread."""

    app: App
    service: Service
    loop: asyncio.AbstractEventLoop
    address: str = ""
    always: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask with GET."""
        return self.ask("GET", path, b"", headers)

    def post(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask with POST: bytes as they are, all else as JSON."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", path, sent, {"content-type": "application/json", **(headers or {})})

    def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask anything."""
        return self.run(self._ask(method, path, body, {**self.always, **(headers or {})}))

    def run(self, work: Coroutine[Any, Any, Value]) -> Value:
        """Run a coroutine on the loop of the application."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        raw, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": raw,
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
        }
        never = asyncio.Event()
        incoming = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[Mapping[str, Any]] = []

        async def receive() -> Mapping[str, Any]:
            if incoming:
                return incoming.pop()
            await never.wait()
            raise AssertionError

        async def send(message: Mapping[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)  # type: ignore[arg-type]
        start, end = sent
        names = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], names, end["body"])


@contextmanager
def serving(
    models: Mapping[str, Path] | Sequence[Path],
    settings: Settings = QUIET,
    *,
    backend: str = "auto",
    port: bool = False,
) -> Iterator[Asker]:
    """Serve bundles, by name or by the names of their folders, until the block ends.

    port: listen on a port of this machine, too; `Asker.address` says where.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    named = models if isinstance(models, Mapping) else {folder.name: folder for folder in models}
    asker = asyncio.run_coroutine_threadsafe(_start(named, settings, backend), loop).result(60)
    server = None
    try:
        if port:
            server, waiting = asker.run(_listen(asker))
        yield asker
        if server is not None:
            server.should_exit = True
            waiting.result(10)
    finally:
        asker.run(asker.service.models.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _start(models: Mapping[str, Path], settings: Settings, backend: str) -> Asker:
    app, service = assemble(settings)
    for name, folder in models.items():
        await service.models.load(Source(name, folder, backend))
    service.set_ready(True)
    return Asker(app, service, asyncio.get_running_loop())


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _listen(asker: Asker) -> tuple[uvicorn.Server, Any]:
    listening = listen("127.0.0.1", 0)
    asker.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    config = uvicorn.Config(asker.app, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=5)
    server = _Server(config)
    return server, asyncio.run_coroutine_threadsafe(server.serve(sockets=[listening]), asker.loop)
