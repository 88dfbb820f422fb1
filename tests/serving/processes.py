"""`fastbert serve` as a process of its own, for tests of signals and exit codes."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Served:
    """A server that runs. lines: of its standard error so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._ended = threading.Event()
        self._news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        match = re.search(r"http://[\d.]+:(\d+)", self.wait_for("ready "))
        assert match is not None
        self.port = int(match.group(1))

    def wait_for(self, text: str, count: int = 1) -> str:
        """Return the line in which a text stands, the count-th; wait until it is written."""

        def found() -> list[str]:
            return [line for line in self.lines if text in line]

        with self._news:
            assert self._news.wait_for(lambda: len(found()) >= count or self._ended.is_set(), 60)
            assert len(found()) >= count, "".join(self.lines)
            return found()[count - 1]

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(self, path: str, body: object = None) -> tuple[int, object]:
        """Ask on a connection of its own; return status and JSON."""
        connection = self.connect()
        if body is None:
            connection.request("GET", path)
        else:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, json.loads(text) if text.startswith(b"{") else text.decode()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                with self._news:
                    self.lines.append(line)
                    self._news.notify_all()
        with self._news:
            self._ended.set()
            self._news.notify_all()


@contextmanager
def serve(*arguments: str | Path) -> Iterator[Served]:
    """Run `fastbert serve` on a free port until the block ends."""
    command = [sys.executable, "-m", "fastbert", "serve", *map(str, arguments), "--port", "0"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        yield Served(process)
    finally:
        process.kill()
        process.wait(10)
