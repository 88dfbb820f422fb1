"""The client: against a real server, and against one that is busy, starts, breaks off or is none at all."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np
import pytest

import fastbert
from fastbert.client.client import Client
from fastbert.errors import DataError, MissingExtraError, ServerError
from fastbert.inference.predictor import Predictor
from fastbert.serving.settings import Limits, Settings
from fastbert.tasks.label_prediction import LabelPrediction
from tests.bundles import NAMES
from tests.client.scripted import Script, busy, refusal
from tests.serving.asking import Asker, serving

TEXTS = ["the app is slow", "bug", "good " * 50, ""]
KEY = "0123456789abcdef"


def scripted(script: Script, timeout_s: float = 30.0, retries: int = 5) -> Client:
    client = Client(
        "http://s", "secret-key", timeout_s=timeout_s, retries=retries, transport=httpx2.MockTransport(script)
    )
    client._pause = script.pause
    return client


def lengths(client: Client, count: int) -> list[float]:
    return [one.scores["bug"] for one in client.predict(["a" * number for number in range(count)])]


# --- a real server ------------------------------------------------------------------------------------


def test_answers_are_those_of_the_predictor(server: Asker, single: Path) -> None:
    with Client(server.address) as client:
        found = client(TEXTS)

    for answer, expected in zip(found, Predictor.load(single)(TEXTS), strict=True):
        assert (answer.labels, answer.text, answer.cut) == (expected.labels, expected.text, expected.cut)
        np.testing.assert_allclose(list(answer.scores.values()), list(expected.scores.values()), atol=1e-6)


def test_options_are_those_of_the_server(server: Asker) -> None:
    with Client(server.address) as client:
        (few,) = client.predict(["bug"], model="single", top_k=2)
        (unknown,) = client.predict(["bug"], threshold=1.0)
        (given,) = client.predict(["bug"], thresholds=dict.fromkeys(NAMES, 0.0))

    assert len(few.scores) == 2
    assert isinstance(unknown, LabelPrediction) and unknown.reason
    assert given.labels


def test_explanations_value_each_word(server: Asker) -> None:
    with Client(server.address) as client:
        found = client.explain(["the app is slow"] * 9)

    assert len(found) == 9
    assert [word.text for word in found[0].words] == ["the", "app", "is", "slow"]
    assert found[0].prediction.labels == (found[0].attributions[0].name,)


def test_the_models_are_told(server: Asker) -> None:
    with Client(server.address) as client:
        (model,) = client.models()
        ready = client.ready()

    assert (model.name, model.labels, model.reads, ready) == ("single", NAMES, "text", True)
    assert model.answer_columns == ("predicted", *(f"score:{name}" for name in NAMES))


def test_a_refusal_has_status_code_field_and_hint(server: Asker) -> None:
    with Client(server.address) as client, pytest.raises(ServerError, match="The model has no such label") as caught:
        client.predict(["bug"], thresholds={"bugg": 0.5})

    error = caught.value
    assert (error.status, error.code, error.field, error.hint) == (
        422, "invalid_value", "thresholds", "Did you mean 'bug'?",
    )  # fmt: skip
    assert error.request_id


def test_a_key_opens_a_server_and_is_not_shown(single: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FASTBERT_API_KEY", raising=False)
    with serving([single], Settings(access_log=False, api_keys=(KEY,)), port=True) as guarded:
        with Client(guarded.address, KEY) as client:
            assert client(["bug"])
        with Client(guarded.address, "wrong-" + KEY) as client, pytest.raises(ServerError) as caught:
            client(["bug"])

    assert (caught.value.status, caught.value.exit_code) == (401, 2)
    assert KEY not in str(caught.value)


def test_a_server_with_low_limits_is_asked_in_smaller_parts(single: Path) -> None:
    with (
        serving([single], Settings(Limits(texts=3), access_log=False), port=True) as low,
        Client(low.address) as client,
    ):
        assert len(client(["bug"] * 10)) == 10


# --- many texts -------------------------------------------------------------------------------------------


def test_many_texts_are_sent_in_parts_and_answered_in_order() -> None:
    script = Script()

    assert lengths(scripted(script), 200) == list(range(200))
    assert sorted(script.sizes) == [8, 64, 64, 64]


def test_no_texts_are_no_request() -> None:
    script = Script()

    assert scripted(script).predict([]) == []
    assert script.requests == []


def test_a_few_requests_are_on_their_way_at_a_time() -> None:
    together = threading.Barrier(4)
    script = Script()

    def answer(request: httpx2.Request) -> httpx2.Response:
        together.wait(30)
        return script(request)

    with Client("http://s", transport=httpx2.MockTransport(answer)) as client:
        assert len(list(client.stream(["a"] * 8, chunk=1))) == 8


def test_a_stream_reads_no_further_than_it_is_asked() -> None:
    read = 0

    def texts() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "a"

    found = scripted(Script()).stream(texts(), chunk=2)
    next(found)

    assert read <= 2 * 4 + 1


def test_an_error_ends_a_stream() -> None:
    script = Script(refusal(422, "invalid_value", "No.", "top_k"))

    with pytest.raises(ServerError, match="top_k: No"):
        lengths(scripted(script), 640)

    assert len(script.requests) <= 7  # four on their way, and one more for each of three that were answered before


def test_a_text_that_is_refused_is_named() -> None:
    script = Script(refusal(422, "invalid_value", "The model reads a single text.", "texts[1]"))

    with pytest.raises(ServerError, match=r"422: item 1: The model reads a single text\."):
        scripted(script).predict(["a", ("b", "c")])


@pytest.mark.parametrize("texts", ["a single text", [1], [("a", "b", "c")]])
def test_what_is_no_list_of_texts_is_refused(texts: list[str]) -> None:
    script = Script()

    with pytest.raises(DataError):
        scripted(script).predict(texts)
    assert script.requests == []


# --- what may pass ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "outcome",
    [busy(429), busy(503), httpx2.ConnectError("no"), httpx2.ReadError("cut"), httpx2.RemoteProtocolError("cut")],
)
def test_a_request_is_sent_again_after_a_pause(outcome: httpx2.Response | Exception) -> None:
    script = Script(outcome)

    assert lengths(scripted(script), 2) == [0, 1]
    assert (len(script.requests), len(script.pauses)) == (2, 1)
    assert script.bodies[0] == script.bodies[1]


def test_retry_after_is_kept_to() -> None:
    script = Script(busy(429, Retry_After="2"), busy(503, Retry_After="3"))

    lengths(scripted(script), 1)

    assert [int(seconds) for seconds in script.pauses] == [2, 3]


def test_retries_end() -> None:
    script = Script(*[busy() for _ in range(3)])

    with pytest.raises(ServerError, match=r"answered 429 \(asked 3 times\): The queue is full") as caught:
        lengths(scripted(script, retries=2), 1)

    assert (caught.value.status, caught.value.code, len(script.pauses)) == (429, "queue_full", 2)


def test_a_server_that_asks_for_more_time_than_there_is_is_left_at_once() -> None:
    script = Script(busy(429, Retry_After="20"))

    with pytest.raises(ServerError, match="answered 429"):
        lengths(scripted(script, timeout_s=10.0), 1)
    assert script.pauses == []


def test_a_server_that_is_too_slow_is_told() -> None:
    script = Script(httpx2.ReadTimeout("secret"))

    with pytest.raises(ServerError, match="http://s does not answer: no answer in time") as caught:
        lengths(scripted(script, retries=0), 1)
    assert (caught.value.status, caught.value.exit_code) == (None, 1)


def test_nobody_at_an_address_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"

    with Client(address, retries=0) as client:
        assert client.ready() is False
        with pytest.raises(ServerError, match="does not answer: no connection"):
            client(["a"])


@contextmanager
def cutting(sent: bytes, times: int) -> Iterator[str]:
    """Take so many connections, send the same on each and cut it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run() -> None:
            for _ in range(times):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(sent)

        thread = threading.Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(30)


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", b"HTTP/1.1 2"])
def test_a_connection_that_breaks_is_told(sent: bytes) -> None:
    script = Script()

    with cutting(sent, 2) as address, Client(address, retries=1) as client:
        client._pause = script.pause
        with pytest.raises(ServerError, match=r"does not answer: the connection broke \(asked 2 times\)"):
            client(["a"])
    assert len(script.pauses) == 1


# --- what is kept to oneself --------------------------------------------------------------------------


def test_neither_texts_nor_the_key_are_logged_or_shown(caplog: pytest.LogCaptureFixture) -> None:
    script = Script(busy(), httpx2.ReadError("secret text"), refusal(500, "model_failed", "No answer."))
    client = scripted(script)

    with caplog.at_level(logging.DEBUG), pytest.raises(ServerError) as caught:
        client(["secret text"])

    assert script.requests[0].headers["authorization"] == "Bearer secret-key"
    assert "secret" not in f"{caplog.text}{caught.value}{client!r}"


PROGRAM = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name == "httpx2":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
if sys.argv[1] == "hidden":
    sys.meta_path.insert(0, Hide())
import fastbert
fastbert.Client, fastbert.AsyncClient
print(sorted({"torch", "transformers", "pandas"} & set(sys.modules)))
"""


def fresh(how: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True)


def test_a_client_loads_nothing_heavy() -> None:
    assert fresh("whole").stdout == "[]\n"


def test_without_its_package_a_client_names_the_extra() -> None:
    done = fresh("hidden")

    assert MissingExtraError.__name__ in done.stderr
    assert "fastbert.Client needs the package httpx2, which is not installed." in done.stderr
    assert 'pip install "fastbert-nlp[client]"' in done.stderr


def test_the_names_are_public() -> None:
    assert (fastbert.Client, fastbert.ServerError) == (Client, ServerError)
