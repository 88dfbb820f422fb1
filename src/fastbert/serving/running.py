"""One process of a server: its event loop, its signals, and how it ends without losing a request.

SIGTERM and SIGINT: it says that it is not ready, lingers while load balancers take notice, stops accepting, finishes
what it accepted, and is gone; a second one ends it at once. SIGHUP: bundles are opened again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any

import uvicorn

from fastbert.errors import ConfigError
from fastbert.serving.access_log import AccessLog, JsonHandler
from fastbert.serving.app import App
from fastbert.serving.assembling import assemble
from fastbert.serving.models import Source
from fastbert.serving.service import Service
from fastbert.serving.settings import Settings

BACKLOG = 2048
REST_S = 1.0  # at its end it takes what has come so far, for at most so long
KEEP_ALIVE_S = 75  # longer than the 60 s of common load balancers, so that they hang up first
log = logging.getLogger(__name__)
OnReady = Callable[[Service], None]


class _Server(uvicorn.Server):
    """uvicorn's server without signals of its own, and with an ear for requests that come as it closes."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: `Process` handles them."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what has come on connections that looked idle, and close them all."""
        until = time.monotonic() + REST_S
        while close_idle(self.server_state.connections) and time.monotonic() < until:
            await asyncio.sleep(0)
        await super().shutdown(sockets)


def close_idle(connections: Iterable[Any]) -> int:
    """Close connections of uvicorn, after their answer if they have a request; return how many have one unread.

    A request that the kernel has taken and nobody has read would be lost with its connection; it is left open.
    """
    unread = 0
    for one in list(connections):
        if _has_unread(one.transport):
            unread += 1
        else:
            one.shutdown()
    return unread


def _has_unread(transport: asyncio.BaseTransport) -> bool:
    known = transport.get_extra_info("socket")
    if known is None or transport.is_closing() or not hasattr(select, "poll"):
        return False
    waiting = select.poll()
    waiting.register(known.fileno(), select.POLLIN)
    return any(event & select.POLLIN for _, event in waiting.poll(0))


class Process:
    """A server in this process. sources: of the models.    on_ready: is told when requests are taken.

    supervisor: when its other end is closed, whoever started this process is gone, and so it ends.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        settings: Settings,
        listening: socket.socket,
        on_ready: OnReady,
        supervisor: Connection | None = None,
    ) -> None:
        self._supervisor = supervisor
        self._sources, self._settings, self._listening, self._on_ready = sources, settings, listening, on_ready
        self._ending: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self) -> None:
        """Serve until a signal ends it. Raises what `Predictor.load` raises for the models it begins with."""
        config = uvicorn.Config("", log_config=None)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        app, service = assemble(self._settings)
        server = self._server(app)
        loop = asyncio.get_running_loop()
        stop = lambda: self._stop(app, service, server)  # noqa: E731
        for number in (signal.SIGTERM, signal.SIGINT):
            on_signal(loop, number, stop)
        if hasattr(signal, "SIGHUP"):
            on_signal(loop, signal.SIGHUP, lambda: self._start(self._reload(service)))
        if self._supervisor is not None:
            loop.add_reader(self._supervisor.fileno(), self._orphaned, stop)

        def serve() -> asyncio.Task[None]:
            return loop.create_task(server.serve(sockets=[self._listening]))

        # Alone it answers for its health while models load. One of several leaves all requests to the others till then.
        serving = serve() if self._supervisor is None else None
        try:
            for source in self._sources:
                await service.models.load(source)
            if self._ending is None:
                service.set_ready(True)
                self._on_ready(service)
        except BaseException:
            server.should_exit = True
            if serving is not None:
                await serving
            raise
        await (serving or serve())
        await asyncio.wait_for(service.models.close(), self._settings.drain_s)

    def _server(self, app: App) -> _Server:
        return _Server(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,  # nothing is made of a client's address
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=max(1, round(self._settings.drain_s)),
                h11_max_incomplete_event_size=self._settings.limits.header_bytes,
            )
        )

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reload(self, service: Service) -> None:
        for failure in await service.models.reload():
            log.error("%s", failure)
        log.info("reloaded: %s", ", ".join(f"{one.name} {one.version}" for one in service.models.all.values()))

    def _orphaned(self, stop: Callable[[], None]) -> None:
        assert self._supervisor is not None
        asyncio.get_running_loop().remove_reader(self._supervisor.fileno())
        log.error("the supervisor is gone")
        stop()

    def _stop(self, app: App, service: Service, server: _Server) -> None:
        if self._ending is not None:
            server.force_exit = server.should_exit = True
            return
        self._ending = asyncio.get_running_loop().create_task(self._end(app, service, server))

    async def _end(self, app: App, service: Service, server: _Server) -> None:
        service.set_ready(False)
        app.closing = True  # with each answer a client is told to connect anew, elsewhere
        log.info("stopping: not ready, %d requests are being answered", app.running)
        await asyncio.sleep(self._settings.linger_s)
        await self._accept_rest()
        server.should_exit = True

    async def _accept_rest(self) -> None:
        """Let connections in that the kernel has made already: closing the socket would reset them."""
        until = time.monotonic() + REST_S
        while time.monotonic() < until and select.select([self._listening], [], [], 0)[0]:
            await asyncio.sleep(0.001)


def on_signal(loop: asyncio.AbstractEventLoop, number: int, handle: Callable[[], None]) -> None:
    """Call a function on the loop when a signal comes; also where loops know no signals, as on Windows."""
    try:
        loop.add_signal_handler(number, handle)
    except NotImplementedError:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(handle))


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises ConfigError for an address that is taken or not this machine's."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with contextlib.ExitStack() as opened:
            listening = opened.enter_context(socket.socket(family, socket.SOCK_STREAM))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, port))
            listening.listen(BACKLOG)
            listening.setblocking(False)
            opened.pop_all()  # it stays open
    except OSError as error:
        raise ConfigError(
            f"{host}:{port} cannot be listened on ({error.strerror or error}).", "Choose another --port or --host."
        ) from error
    return listening


def set_up_logging(settings: Settings) -> None:
    """Write the messages of this process to standard error: as JSON beside the lines of requests, else as text."""
    handler = JsonHandler(AccessLog(sys.stderr.buffer)) if settings.access_log else logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    ours = logging.getLogger("fastbert")
    ours.handlers = [handler]
    ours.setLevel(logging.INFO)
    logging.getLogger("uvicorn").handlers = [handler]
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
