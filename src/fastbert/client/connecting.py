"""Where a server is, with which key it is asked, and how an outcome of httpx2 is told: what both clients share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import httpx2

from fastbert.client.asking import Questions
from fastbert.client.exchange import Call, Lost, Patience
from fastbert.client.failures import API_KEY
from fastbert.errors import ConfigError
from fastbert.inference.predictor import TextInput, as_example, checked_list
from fastbert.tasks.base import Example

KEEP_ALIVE_S = 60.0  # shorter than the server's 75 s, so that no request meets a connection that is being closed
# More requests than these wait in this process: 1,000 at once over as many connections made 58 texts a second, or came
# too late; over 100 connections 230 to 300.
LIMITS = httpx2.Limits(max_connections=100, keepalive_expiry=KEEP_ALIVE_S)


class Connected:
    """A client without its connections. Its `repr` names the address and nothing else."""

    def __init__(self, url: str, api_key: str | None, timeout_s: float, retries: int) -> None:
        self.address = checked_address(url)
        self._key = key_headers(os.environ.get(API_KEY, "") if api_key is None else api_key)
        self._questions = Questions(self.address, Patience(timeout_s, retries))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"


def checked_address(url: str) -> str:
    """Return the address of a server without a slash at its end. Raises ConfigError for anything else.

    >>> checked_address("http://localhost:8080/")
    'http://localhost:8080'
    """
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        known = False
    if known and "@" in parts.netloc:
        raise ConfigError(
            "The address of the server holds a user or a key.", f"Leave it out, and set the variable {API_KEY}."
        )
    if not known or parts.query or parts.fragment or not url.isprintable() or " " in url:
        raise ConfigError(
            f"'{url}' is no address of a server.", "Write it with http:// or https://, such as http://localhost:8080."
        )
    return url.rstrip("/")


def key_headers(key: str) -> dict[str, str]:
    """Return the header that holds a key, none for an empty one. Raises ConfigError for what no header can hold."""
    key = key.strip()
    if not key.isascii() or any(not "!" <= one <= "~" for one in key):
        raise ConfigError(
            "The API key has characters that no key has: spaces, or letters beyond ASCII.", f"Look at {API_KEY}."
        )
    return {"Authorization": f"Bearer {key}"} if key else {}


def headers_of(call: Call) -> dict[str, str]:
    """Return what is said of a body."""
    return {"Content-Type": "application/json"} if call.body else {}


def lost(error: httpx2.RequestError) -> Lost:
    """Return why there is no answer, for people; never the message of the error, which may hold what was sent."""
    known = {
        httpx2.ConnectTimeout: "no connection in time",
        httpx2.TimeoutException: "no answer in time",
        httpx2.ConnectError: "no connection",
        httpx2.DecodingError: "an answer that is garbled",
        httpx2.NetworkError: "the connection broke",
        httpx2.ProtocolError: "the connection broke",
        httpx2.ProxyError: "the proxy does not let it through",
    }
    return Lost(next((reason for kind, reason in known.items() if isinstance(error, kind)), type(error).__name__))


def examples_of(texts: Iterable[TextInput]) -> Iterator[Example]:
    """Return texts, or pairs, as examples. Raises DataError for a single text, or for what is none when it comes."""
    return (as_example(item, row) for row, item in enumerate(checked_list(texts)))
