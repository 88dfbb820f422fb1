"""API keys: who may ask. Keys come from a file or the environment, and are compared in constant time.

Kept are digests only. Knows nothing of routes but which requests it is shown.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence
from pathlib import Path

from fastbert.errors import ConfigError
from fastbert.serving.http import Request
from fastbert.serving.problems import Problem

VARIABLE = "FASTBERT_API_KEYS"  # several are separated by commas


class Keys:
    """The keys of a server; with none everybody may ask."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._digests = [hashlib.sha256(key.encode()).digest() for key in keys]

    def __bool__(self) -> bool:
        return bool(self._digests)

    def check(self, request: Request) -> None:
        """Raise Problem (401) unless the request has one of the keys.

        Authorization: Bearer KEY, or X-API-Key: KEY. Not Basic: a browser sends it along with what other sites ask.
        """
        if not self._digests:
            return
        given = _given(request)
        digest = hashlib.sha256(given.encode("utf-8", "surrogateescape")).digest()
        # All are compared, whichever fits: how long it takes says nothing.
        known = [hmac.compare_digest(digest, one) for one in self._digests]
        if not given or not any(known):
            what = "The API key is not known." if given else "There is no API key."
            challenge = {"WWW-Authenticate": 'Bearer realm="fastbert"'}
            raise Problem(
                401, "unauthorized", what, "Authorization", "Send the header `Authorization: Bearer KEY`.", challenge
            )


def _given(request: Request) -> str:
    scheme, _, value = request.header("authorization").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else request.header("x-api-key")


def read_keys(file: Path | None) -> tuple[str, ...]:
    """Return the keys of a file, one a line, # begins a comment; without a file those of FASTBERT_API_KEYS.

    Raises ConfigError for a file that cannot be read or holds none.
    """
    if file is None:
        return tuple(key.strip() for key in os.environ.get(VARIABLE, "").split(",") if key.strip())
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: the keys cannot be read ({error}).") from error
    keys = tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
    if not keys:
        raise ConfigError(f"{file} holds no API key.", "Write one a line.")
    return keys
