"""The pages for people: / to try a model, /docs to read the API, and the report and the card of each model.

Their files are part of the package and read once. They ask this server and nobody else: the policy sent with them
forbids all that is not a file of ours. Knows nothing of what the pages show.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from fastbert.serving.http import Request, Response
from fastbert.serving.problems import Problem
from fastbert.serving.protocols import native
from fastbert.serving.routes import Operation, Route
from fastbert.serving.service import Service

REPORT, CARD = "report.html", "README.md"  # of a bundle; `insight.report` writes them
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FRAMES = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
POLICY = f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; {_FRAMES}"
# A report has its style and its script within itself. In the sandbox it has no origin: it can neither ask this server
# nor use what a browser remembers for it, whoever made the bundle.
REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    f"img-src data:; {_FRAMES}"
)
_FACTS = re.compile(rb"\A---\n.*?\n---\n\s*", re.DOTALL)  # of a card, for hubs; people begin below
_ALWAYS = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}


@dataclass(frozen=True)
class File:
    """A file as it is sent. tag: changes with its bytes."""

    body: bytes
    content_type: str
    tag: str

    @classmethod
    def of(cls, body: bytes, content_type: str) -> File:
        """Return a file with its tag."""
        return cls(body, content_type, f'"{hashlib.sha256(body).hexdigest()[:20]}"')

    def answer(self, request: Request, policy: str) -> Response:
        """Return it, or that the browser has it."""
        headers = {"Content-Security-Policy": policy, "ETag": self.tag, **_ALWAYS}
        known = [one.strip().removeprefix("W/") for one in request.header("if-none-match").split(",")]
        if self.tag in known or known == ["*"]:
            return Response(b"", 304, "", headers)
        return Response(self.body, 200, self.content_type, headers)


@cache
def files() -> Mapping[str, File]:
    """Return the files of the pages by name."""
    folder = resources.files("fastbert.serving.page") / "static"
    found = [(one.name, one.read_bytes()) for one in folder.iterdir() if Path(one.name).suffix in TYPES]
    return {name: File.of(body, TYPES[Path(name).suffix]) for name, body in sorted(found)}


def routes(service: Service) -> list[Route]:
    """Return the routes of the pages."""

    def page(pattern: str, file: File, policy: str = POLICY) -> Route:
        async def show(request: Request) -> Response:
            return file.answer(request, policy)

        summary = "The page to try a model." if pattern == "/" else ""  # the path is one of contracts, too
        operation = Operation(summary, native.TAG, answer_type="text/html") if summary else None
        # Public: it is a file of the package, and asks for the key itself where one is wanted.
        return Route("GET", pattern, show, native.shape, operation, public=True)

    async def report(request: Request) -> Response:
        file = await _paper(service, request, REPORT, "text/html; charset=utf-8")
        return file.answer(request, REPORT_POLICY)

    async def card(request: Request) -> Response:
        file = await _paper(service, request, CARD, "text/plain; charset=utf-8")
        file = File.of(_FACTS.sub(b"", file.body), file.content_type)
        return file.answer(request, f"default-src 'none'; {_FRAMES}")

    def told(summary: str, kind: str) -> Operation:
        return Operation(summary, native.TAG, answer_type=kind, statuses=(404,), error=native.ErrorAnswer)

    own = files()
    return [
        page("/", own["index.html"]),
        page("/docs", own["docs.html"]),
        page("/page/paper.html", own["paper.html"], REPORT_POLICY),
        *(page(f"/page/{name}", file) for name, file in own.items() if not name.endswith(".html")),
        Route("GET", "/v1/models/{model}/report", report, native.shape, told("How good a model is.", "text/html")),
        Route("GET", "/v1/models/{model}/card", card, native.shape, told("What a model is for.", "text/plain")),
    ]


async def _paper(service: Service, request: Request, name: str, content_type: str) -> File:
    """Return a file that lies beside a model. Raises Problem (404)."""
    model = service.models.get(request.variables["model"])
    path = model.source.folder / name
    try:
        body = await asyncio.to_thread(path.read_bytes)
    except OSError:
        what = f"The bundle of '{model.name}' has no {name}."
        raise Problem(404, "not_found", what, "model", "`fastbert train` writes one beside the model.") from None
    return File.of(body, content_type)
