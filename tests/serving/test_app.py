"""The application: ids, headers, other sites, and errors that tell nothing of a text."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest

from fastbert.serving.access_log import AccessLog
from fastbert.serving.problems import place_of
from fastbert.serving.settings import Settings
from tests.serving.asking import Asker, serving

CANARY = "canary zebra 4711"


def test_a_request_keeps_a_sensible_id_and_gets_one_otherwise(asker: Asker) -> None:
    assert asker.get("/health/live", {"x-request-id": "abc-1.2_3"}).headers["x-request-id"] == "abc-1.2_3"
    assert asker.get("/health/live", {"x-request-id": "a b\tc"}).headers["x-request-id"] != "a b\tc"
    assert len(asker.get("/health/live").headers["x-request-id"]) == 32


def test_a_response_says_how_long_the_server_took(asker: Asker) -> None:
    name, _, value = asker.get("/health/live").headers["server-timing"].partition(";dur=")

    assert name == "app"
    assert 0 <= float(value) < 10_000


def test_other_sites_may_not_ask_unless_they_are_named(single: Path, asker: Asker) -> None:
    preflight = {"origin": "https://a.example", "access-control-request-method": "POST"}

    assert asker.ask("OPTIONS", "/v1/predict", b"", preflight).status == 405
    assert "access-control-allow-origin" not in asker.get("/health/live", preflight).headers
    with serving([single], Settings(cors_origins=("https://a.example",), access_log=False)) as named:
        answer = named.ask("OPTIONS", "/v1/predict", b"", preflight)
        assert answer.status == 204
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        other = {**preflight, "origin": "https://b.example"}
        assert named.ask("OPTIONS", "/v1/predict", b"", other).status == 405
        assert "access-control-allow-origin" not in named.get("/health/live", other).headers


def test_head_has_the_headers_of_get_and_no_body(asker: Asker) -> None:
    answer = asker.ask("HEAD", "/v1/models", b"")

    assert answer.status == 200
    assert answer.body == b""
    assert int(answer.headers["content-length"]) > 0


def test_a_bug_of_ours_is_an_answer_and_tells_no_text(
    asker: Asker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr("fastbert.serving.protocols.native.examples_of", broken)
    with caplog.at_level(logging.DEBUG):
        answer = asker.post("/v1/predict", {"text": CANARY})

    assert answer.status == 500
    assert "ValueError in" in caplog.text
    assert CANARY not in caplog.text + answer.body.decode()


def test_an_error_is_told_by_its_place() -> None:
    def fails() -> None:
        raise KeyError(CANARY)

    with pytest.raises(KeyError) as caught:
        fails()

    assert place_of(caught.value).startswith("KeyError in test_an_error_is_told_by_its_place.<locals>.fails, line ")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/predict", {"text": CANARY}),
        ("POST", "/v1/predict", {"texts": [CANARY, 5]}),
        ("POST", "/v1/predict", {CANARY: CANARY}),
        ("POST", "/v1/predict", {"text": "a", "thresholds": {CANARY: CANARY}}),
        ("POST", "/v1/predict", {"text": "a", "model": CANARY}),
        ("POST", f"/{CANARY}", {"text": CANARY}),
        ("GET", f"/v1/predict?q={CANARY}", {}),
    ],
)
def test_no_text_of_a_user_is_logged_counted_or_sent_back_in_a_problem(
    asker: Asker, caplog: pytest.LogCaptureFixture, method: str, path: str, body: object
) -> None:
    lines = io.BytesIO()
    asker.app._access_log = AccessLog(lines)
    try:
        with caplog.at_level(logging.DEBUG):
            answer = asker.ask(method, path, json.dumps(body).encode(), {"content-type": "application/json"})
    finally:
        asker.app._access_log = None

    told = lines.getvalue().decode() + caplog.text + asker.get("/metrics").body.decode()
    told += "" if answer.status == 200 else answer.body.decode()
    assert CANARY not in told
    (line,) = lines.getvalue().splitlines()
    assert json.loads(line)["status"] == answer.status


def test_while_it_ends_clients_are_told_to_connect_anew(asker: Asker) -> None:
    asker.app.closing = True
    try:
        assert asker.get("/health/live").headers["connection"] == "close"
    finally:
        asker.app.closing = False
