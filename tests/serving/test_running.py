"""A server's process: signals, its end, and what it refuses to begin with."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import shutil
import signal
import socket
import time
from pathlib import Path

import pytest

from fastbert.errors import ConfigError
from fastbert.serving.models import Models, Source
from fastbert.serving.running import Process, _Server, close_idle, listen, on_signal, set_up_logging
from fastbert.serving.settings import Settings
from tests.serving.processes import serve

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of Unix")


def test_it_ends_without_losing_a_request_and_says_that_it_is_not_ready(single: Path) -> None:
    with serve(single, "--linger", "0.3", "--no-access-log") as served:
        connection = served.connect()
        body = json.dumps({"texts": ["the app is slow"] * 500})
        connection.request("POST", "/v1/predict", body, {"Content-Type": "application/json"})
        served.process.send_signal(signal.SIGTERM)
        served.wait_for("stopping")
        status, _ = served.ask("/health/ready")  # a new connection is taken still
        answer = connection.getresponse()

        assert status == 503
        assert answer.status == 200
        assert len(json.loads(answer.read())["predictions"]) == 500
        assert served.process.wait(20) == 0
        with pytest.raises(ConnectionRefusedError):
            served.ask("/health/live")


def test_a_request_that_nobody_has_read_yet_keeps_its_connection() -> None:
    class Connection:
        def __init__(self, transport: asyncio.BaseTransport) -> None:
            self.transport, self.closed = transport, False

        def shutdown(self) -> None:
            self.closed = True

    async def work() -> list[bool]:
        loop, found = asyncio.get_running_loop(), []
        for sent in (b"GET", b""):
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
            transport.pause_reading()
            theirs.sendall(sent)
            found.append(Connection(transport))
            with theirs:
                assert close_idle(found[-1:]) == bool(sent)
            transport.close()
        await asyncio.sleep(0)
        return [one.closed for one in found]

    assert asyncio.run(work()) == [False, True]


def test_a_signal_is_heard_where_loops_know_none(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        loop, heard = asyncio.get_running_loop(), asyncio.Event()
        monkeypatch.setattr(loop, "add_signal_handler", _unknown)
        on_signal(loop, signal.SIGUSR1, heard.set)
        signal.raise_signal(signal.SIGUSR1)
        await asyncio.wait_for(heard.wait(), 10)
        assert heard.is_set()

    before = signal.getsignal(signal.SIGUSR1)
    try:
        asyncio.run(work())
    finally:
        signal.signal(signal.SIGUSR1, before)


def _unknown(*_: object) -> None:
    raise NotImplementedError


def test_a_second_signal_ends_it_at_once(single: Path) -> None:
    with serve(single, "--linger", "60") as served:
        start = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        served.wait_for("stopping")
        served.process.send_signal(signal.SIGTERM)

        served.process.wait(20)
        assert time.monotonic() - start < 20


def test_bundles_are_opened_again_on_request(single: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(single, folder)
    with serve(folder) as served:
        served.process.send_signal(signal.SIGHUP)
        served.wait_for("reloaded: model ")
        (folder / "tokenizer.json").write_text("{}")
        served.process.send_signal(signal.SIGHUP)
        served.wait_for("is served as before")

        assert served.ask("/v1/predict", {"text": "bug"})[0] == 200


@pytest.mark.parametrize(
    ("one_of_several", "order"), [(False, ["answers", "has loaded"]), (True, ["has loaded", "answers"])]
)
def test_a_worker_leaves_requests_to_others_until_it_is_ready(
    one_of_several: bool, order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    happened = []

    async def answer(server: _Server, sockets: list[socket.socket]) -> None:
        happened.append("answers")

    async def load(models: Models, source: Source) -> None:
        await asyncio.sleep(0)  # lets a server begin that was told to
        happened.append("has loaded")

    monkeypatch.setattr(_Server, "serve", answer)
    monkeypatch.setattr(Models, "load", load)
    _ours, theirs = multiprocessing.Pipe()
    with listen("127.0.0.1", 0) as listening:
        source = Source.parse("model", "auto")
        supervisor = theirs if one_of_several else None
        Process([source], Settings(access_log=False), listening, lambda service: None, supervisor).run()

    assert happened == order


def test_an_address_that_is_taken_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ConfigError, match=f"127.0.0.1:{port} cannot be listened on"):
            listen("127.0.0.1", port)


def test_messages_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    ours = logging.getLogger("fastbert")
    before, level = ours.handlers, ours.level
    try:
        set_up_logging(Settings(access_log=False))
        logging.getLogger("fastbert.serving").warning("careful")
    finally:
        ours.handlers, ours.level = before, level
        logging.getLogger("uvicorn").handlers = []

    assert capsys.readouterr().err == "WARNING: careful\n"


def test_it_needs_neither_torch_nor_transformers(single: Path) -> None:
    with serve(single, "--backend", "onnx", "--no-access-log") as served:
        assert served.ask("/v1/predict", {"text": "bug"})[0] == 200
        if Path("/proc").is_dir():
            loaded = Path(f"/proc/{served.process.pid}/maps").read_text()
            assert "onnxruntime" in loaded
            assert "libtorch" not in loaded
