"""The ASGI application: finds the route, checks the key, calls the handler, and shows every problem in its contract.

Knows nothing of models; handlers come with the routes.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Mapping
from dataclasses import replace

from fastbert.serving.access_log import AccessLog
from fastbert.serving.auth import Keys
from fastbert.serving.http import ClientGone, Receive, Request, Response, Scope, Send
from fastbert.serving.metrics import Metrics
from fastbert.serving.problems import Problem, failed, place_of
from fastbert.serving.routes import Found, ProblemShape, Router
from fastbert.serving.settings import Settings

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-API-Key, X-Request-ID",
    "Access-Control-Max-Age": "600",
}
_FIXED = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
log = logging.getLogger(__name__)


class App:
    """An ASGI application. closing: says to clients that the connection will not be used again."""

    def __init__(
        self, router: Router, settings: Settings, metrics: Metrics, shape: ProblemShape, access_log: AccessLog | None
    ) -> None:
        self.router, self.settings, self.metrics = router, settings, metrics
        self._shape, self._access_log = shape, access_log
        self._keys = Keys(settings.api_keys)
        self.closing = False
        self.running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
            return
        start = time.perf_counter()
        request = Request(scope, receive)
        given = request.header("x-request-id")
        request.id = given if _ID.fullmatch(given) else f"{random.getrandbits(128):032x}"
        self.running += 1
        pattern = "unknown"
        status = 499  # as it is logged elsewhere: the client did not wait
        try:
            pattern, response = await self._answer(request)
            status = response.status
            await self._send(request, response, send, time.perf_counter() - start)
        except ClientGone:
            self.metrics.gone.inc()
        finally:
            self.running -= 1
            seconds = time.perf_counter() - start
            self.metrics.done(pattern, status, seconds)
            if self._access_log is not None:
                self._log(request, pattern, status, seconds)

    async def _answer(self, request: Request) -> tuple[str, Response]:
        """Return the pattern of the route and the response; all that goes wrong is a response, too."""
        shape, pattern = self.router.shape_for(request.path) or self._shape, "unknown"
        try:
            if self._is_preflight(request):
                return "preflight", Response(b"", 204, "", _PREFLIGHT)
            found = self._find(request)
            shape, pattern, request.variables = found.route.shape, found.route.pattern, found.variables
            if not found.route.public:
                self._keys.check(request)
            return pattern, await found.route.handler(request)
        except Problem as problem:
            if problem.status == 500:
                log.warning("request %s: %s", request.id, problem)
            return pattern, _with_headers(shape(problem, request.id), problem.headers)
        except ClientGone:
            raise
        except Exception as error:
            log.error("request %s: %s", request.id, place_of(error))
            return pattern, shape(failed("The server could not answer."), request.id)

    def _find(self, request: Request) -> Found:
        try:
            return self.router.find(request.method, request.path)
        except Problem:
            self._keys.check(request)  # who has no key learns nothing of what there is
            raise

    def _is_preflight(self, request: Request) -> bool:
        return bool(
            request.method == "OPTIONS" and request.header("access-control-request-method") and self._may_ask(request)
        )

    def _may_ask(self, request: Request) -> bool:
        origin = request.header("origin")
        return bool(origin) and (origin in self.settings.cors_origins or "*" in self.settings.cors_origins)

    async def _send(self, request: Request, response: Response, send: Send, seconds: float) -> None:
        headers = [(b"x-request-id", request.id.encode()), (b"server-timing", b"app;dur=%.2f" % (seconds * 1000))]
        if response.content_type:
            headers.append((b"content-type", response.content_type.encode("latin-1")))
        if response.status != 304:  # there it would be the length of what the client has (RFC 9110, 8.6)
            headers.append((b"content-length", str(len(response.body)).encode()))
        fixed: Mapping[str, str] = _FIXED
        if self.settings.cors_origins and self._may_ask(request):
            fixed = {**_FIXED, "Access-Control-Allow-Origin": request.header("origin"), "Vary": "Origin"}
        if self.closing:
            fixed = {**fixed, "Connection": "close"}
        merged = {**fixed, **response.headers}
        headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in merged.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else response.body})

    def _log(self, request: Request, pattern: str, status: int, seconds: float) -> None:
        assert self._access_log is not None
        self._access_log.write(
            {
                "event": "request",
                "id": request.id,
                "method": request.method[:16],
                "route": pattern,
                "status": status,
                "ms": round(seconds * 1000, 2),
                **request.facts,
            }
        )


def _with_headers(response: Response, headers: Mapping[str, str]) -> Response:
    return replace(response, headers={**response.headers, **headers}) if headers else response
