"""Lines of JSON: one for each request, and one for each message of the server itself.

Of a request: when, which route, how long, how many texts; never what was in them. The path is logged as the route's
pattern: what a caller writes into a path may be anything.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec

_encode = msgspec.json.Encoder().encode


class AccessLog:
    """Writes lines to a stream, such as standard error in binary."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, facts: Mapping[str, object]) -> None:
        """Write one line; a stream that is closed or full is no reason to fail a request."""
        now = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds")
        try:
            self._stream.write(_encode({"time": now, **facts}) + b"\n")
            self._stream.flush()
        except (OSError, ValueError):
            return


class JsonHandler(logging.Handler):
    """Writes messages as lines like those of requests. Tracebacks are left out: they may hold a text."""

    def __init__(self, log: AccessLog) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message."""
        facts = {"event": "log", "level": record.levelname.lower(), "logger": record.name}
        self._log.write({**facts, "message": record.getMessage()})
