"""Requests and responses over ASGI, and nothing more: a body read within a limit, headers, a route's variables.

A framework would do, and takes as long for a request as everything else here together: 54 microseconds against 36
with Starlette 1.10 (LOG 2026-11-30). Knows no route and no model.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec
import numpy as np

from fastbert.serving.problems import Problem, malformed, too_large

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
JSON = "application/json"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Response:
    """What is sent back. body: bytes as they go out.    headers: beside content type and length."""

    body: bytes = b""
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, values: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """Return a response of plain values, dataclasses or structs. A number that is not finite becomes null."""
        return cls(_encode(values), status, JSON, headers or {})

    @classmethod
    def text(cls, text: str, status: int = 200, content_type: str = "text/plain; charset=utf-8") -> Response:
        """Return a response of text."""
        return cls(text.encode(), status, content_type)


class ClientGone(Exception):
    """The client closed the connection before it was answered."""


class Request:
    """A request as it comes in.

    id: names it in the log and in the response.    variables: of the path, by the names in the route's pattern.
    facts: what handlers note for the log: numbers and names of models, never texts.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self.id = ""
        self.variables: Mapping[str, str] = {}
        self.facts: dict[str, object] = {}

    @property
    def method(self) -> str:
        """Return GET, POST and so on."""
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        """Return the path, decoded, without the query."""
        return str(self.scope["path"])

    def header(self, name: str) -> str:
        """Return the first header of a name in lower case, "" for none."""
        wanted = name.encode("latin-1")
        for key, value in self.scope["headers"]:
            if key == wanted:
                return str(value.decode("latin-1"))
        return ""

    @cached_property
    def query(self) -> dict[str, str]:
        """Return the parameters behind the path; the last one of a name counts."""
        raw = self.scope.get("query_string", b"").decode("latin-1")
        return dict(parse_qsl(raw, keep_blank_values=True)) if raw else {}

    @property
    def media_type(self) -> str:
        """Return the content type without its parameters, in lower case."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str:
        """Return the charset of the content type, in lower case; utf-8 if it names none."""
        for part in self.header("content-type").split(";")[1:]:
            name, _, value = part.partition("=")
            if name.strip().lower() == "charset":
                return value.strip().strip('"').lower()
        return "utf-8"

    async def body(self, limit: int) -> bytes:
        """Return the whole body.

        Raises Problem (413) for more than limit bytes, before they are read where the length is said; ClientGone.
        """
        said = self.header("content-length")
        if said and (not said.isdecimal() or int(said) > limit):
            raise _over(limit)
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            part = message.get("body", b"")
            if part:
                size += len(part)
                if size > limit:
                    raise _over(limit)
                parts.append(part)
            if not message.get("more_body", False):
                break
        if self.header("content-encoding") not in ("", "identity"):
            raise Problem(
                415, "unsupported_encoding", "The body is compressed; expected it as it is.", "Content-Encoding"
            )
        return parts[0] if len(parts) == 1 else b"".join(parts)


Handler = Callable[[Request], Awaitable[Response]]


def check_depth(body: bytes, limit: int, most: int = 1_000_000) -> None:
    """Raise Problem for JSON that is nested deeper than limit, or has more than most lists and objects.

    Brackets inside strings do not count.

    >>> check_depth(b'{"a": [[["[[[[["]]]}', 4)
    """
    if body.count(b"[") + body.count(b"{") <= limit:
        return
    # Escapes are blanked first, so that each quote that is left opens or closes a string. All of it in C:
    # 6 MB of brackets take 60 ms, in a loop of Python's half a second in which nobody else is answered.
    plain = np.frombuffer(body.replace(b"\\\\", b"  ").replace(b'\\"', b"  "), np.uint8)
    outside_N = (np.cumsum(plain == 0x22, dtype=np.int32) & 1) == 0
    opened_N = ((plain == 0x5B) | (plain == 0x7B)) & outside_N
    closed_N = ((plain == 0x5D) | (plain == 0x7D)) & outside_N
    depth_N = np.cumsum(opened_N.astype(np.int32) - closed_N)
    if int(depth_N.max()) > limit:
        raise malformed(f"The JSON is nested deeper than {limit} levels.", "Send a flatter body.")
    if int(np.count_nonzero(opened_N)) > most:  # a list that is parsed costs a hundred times its two bytes
        raise malformed(f"The JSON has more than {most:,} lists and objects.", "Send fewer texts at a time.")


def _over(limit: int) -> Problem:
    # The rest of the body is not read: the connection cannot be used again.
    problem = too_large(f"The body has more than {limit:,} bytes.", "", "Send it in several requests.")
    problem.headers = {"Connection": "close"}
    return problem


def decoded_path(raw: str) -> str:
    """Return a part of a path without its escapes."""
    return unquote(raw, errors="replace")
