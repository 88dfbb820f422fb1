"""Lines of JSON, also for messages; a stream that is closed fails no request."""

from __future__ import annotations

import io
import json
import logging

from fastbert.serving.access_log import AccessLog, JsonHandler


def test_a_line_is_an_object_with_a_time() -> None:
    stream = io.BytesIO()

    AccessLog(stream).write({"event": "request", "status": 200})

    line = json.loads(stream.getvalue())
    assert (line["event"], line["status"]) == ("request", 200)
    assert line["time"].endswith("+00:00")


def test_a_closed_stream_is_no_reason_to_fail() -> None:
    stream = io.BytesIO()
    stream.close()

    AccessLog(stream).write({"event": "request"})

    assert stream.closed  # and nothing was raised


def test_a_message_is_a_line_without_its_traceback() -> None:
    stream = io.BytesIO()
    logger = logging.getLogger("fastbert.test_access_log")
    handler = JsonHandler(AccessLog(stream))
    logger.addHandler(handler)
    try:
        try:
            raise ValueError("a text")
        except ValueError:
            logger.exception("request %s failed", "abc")
    finally:
        logger.removeHandler(handler)

    line = json.loads(stream.getvalue())
    assert (line["level"], line["message"]) == ("error", "request abc failed")
    assert b"a text" not in stream.getvalue()
