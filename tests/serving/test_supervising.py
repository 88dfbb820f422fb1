"""Several processes: one that dies is replaced, counters are added up, and all end together."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import socket
from pathlib import Path

import pytest

from fastbert.serving.settings import Settings
from fastbert.serving.supervising import Supervisor, _Worker
from tests.serving.processes import Served, serve

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="children are found in /proc")


def children(served: Served) -> list[int]:
    """Return the worker processes of a server."""
    found = []
    for task in Path(f"/proc/{served.process.pid}/task").iterdir():
        found += [int(number) for number in (task / "children").read_text().split()]
    return [number for number in found if b"spawn_main" in Path(f"/proc/{number}/cmdline").read_bytes()]


def test_a_worker_that_is_killed_is_replaced_and_counters_add_up(single: Path) -> None:
    with serve(single, "--workers", "2", "--linger", "0", "--access-log") as served:
        first = children(served)
        assert len(first) == 2
        os.kill(first[0], signal.SIGKILL)
        served.wait_for("a worker ended with code -9")
        for _ in range(6):
            assert served.ask("/v1/predict", {"text": "bug"})[0] == 200
        _, text = served.ask("/metrics")
        assert 'fastbert_texts_total{model="single"} 6.0' in str(text)
        assert first[1] in children(served)
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(30) == 0
        assert not re.search("Traceback", "".join(served.lines))


def test_workers_end_when_their_supervisor_is_gone(single: Path) -> None:
    with serve(single, "--workers", "2", "--linger", "0", "--access-log") as served:
        workers = children(served)
        served.process.send_signal(signal.SIGKILL)
        served.wait_for("the supervisor is gone", len(workers))
        served.wait_for("stopping", len(workers))
        assert len(workers) == 2


def test_a_worker_that_dies_before_it_is_ready_is_not_called_ready() -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    theirs.close()  # as the death of its process does
    worker = _Worker(context.Process(), ours, born=0.0)
    with socket.socket() as listening:
        Supervisor([], Settings(), listening, 1, lambda: None)._hear(worker)

    assert (worker.heard, worker.ready) == (True, False)


def test_a_bundle_that_cannot_be_opened_ends_the_server_with_its_error(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="is not a bundle"), serve(tmp_path, "--workers", "2"):
        pass
