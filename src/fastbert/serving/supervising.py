"""Several processes of a server on one socket: started, watched, started again when they die, ended together.

Each worker holds its own models and answers what it accepts; the kernel shares connections out. Knows nothing of
requests. A worker whose supervisor is gone ends by itself.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from prometheus_client.multiprocess import mark_process_dead

from fastbert.errors import FastBertError, TrainingError
from fastbert.processors import num_processors
from fastbert.serving.metrics import SEVERAL
from fastbert.serving.models import Source
from fastbert.serving.settings import Settings

QUICK_S = 10.0  # a worker that dies sooner has not served
QUICK_DEATHS = 5  # of them in a row, and the server gives up
KILL_AFTER_S = 5.0  # past the time that a worker has to end by itself
log = logging.getLogger(__name__)


@dataclass
class _Worker:
    """A worker process. pipe: it says "ready" or an error through it; its end says that the supervisor is gone.

    heard: nothing more is to come through it.
    """

    process: SpawnProcess
    pipe: Connection
    born: float
    ready: bool = False
    heard: bool = False


class Supervisor:
    """Runs workers until a signal ends it. on_ready: is called once, when all of them take requests."""

    def __init__(
        self,
        sources: Sequence[Source],
        settings: Settings,
        listening: socket.socket,
        num_workers: int,
        on_ready: Callable[[], None],
    ) -> None:
        self._sources, self._settings, self._listening = sources, settings, listening
        self._num_workers, self._on_ready = num_workers, on_ready
        self._workers: list[_Worker] = []
        self._said_ready = self._stopping = False
        self._kill_at = float("inf")
        self._deaths = 0

    def run(self) -> None:
        """Serve until a signal ends it.

        Raises the error of a worker that cannot open its models, TrainingError where workers die one after another.
        """
        folder = tempfile.mkdtemp(prefix="fastbert-metrics-")
        os.environ[SEVERAL] = folder
        os.environ["OMP_NUM_THREADS"] = str(max(1, num_processors() // self._num_workers))  # each its share of cores
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: self._stop())
        signal.signal(signal.SIGHUP, lambda number, frame: self._tell(signal.SIGHUP))
        try:
            while len(self._workers) < self._num_workers:
                self._start()
            while self._workers:
                self._watch()
        finally:
            self._tell(signal.SIGKILL)
            shutil.rmtree(folder, ignore_errors=True)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        arguments = (self._sources, self._settings, self._listening, theirs)
        process = context.Process(target=run_worker, args=arguments, name="fastbert-worker")
        process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours, time.monotonic()))

    def _watch(self) -> None:
        """Hear what workers say, and take note of those that are gone."""
        by_handle = {one.process.sentinel: one for one in self._workers}
        pipes = {one.pipe: one for one in self._workers if not one.heard}
        for handle in wait([*by_handle, *pipes], timeout=0.2):
            if isinstance(handle, Connection):
                self._hear(pipes[handle])
            else:
                self._bury(by_handle[handle])  # type: ignore[index]  # a sentinel is a number
        if time.monotonic() > self._kill_at:
            log.error("workers did not end in time and are killed")
            self._tell(signal.SIGKILL)
        if not self._said_ready and self._workers and all(one.ready for one in self._workers):
            self._said_ready = True
            self._on_ready()

    def _hear(self, worker: _Worker) -> None:
        worker.heard = True
        try:
            said = worker.pipe.recv()
        except (EOFError, OSError):
            return  # it has died; its sentinel tells the rest
        if isinstance(said, FastBertError):
            raise said
        worker.ready = True

    def _bury(self, worker: _Worker) -> None:
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        mark_process_dead(worker.process.pid)  # type: ignore[no-untyped-call]
        if self._stopping:
            return
        self._deaths = self._deaths + 1 if time.monotonic() - worker.born < QUICK_S else 1
        log.error("a worker ended with code %s; another one is started", worker.process.exitcode)
        if self._deaths >= QUICK_DEATHS:
            raise TrainingError(
                f"{self._deaths} workers ended one after another, the last with code {worker.process.exitcode}.",
                "The lines before this one say why; memory is a common cause: try fewer --workers.",
            )
        self._start()

    def _stop(self) -> None:
        self._tell(signal.SIGTERM)
        if not self._stopping:
            self._kill_at = time.monotonic() + self._settings.linger_s + self._settings.drain_s + KILL_AFTER_S
        self._stopping = True

    def _tell(self, number: int) -> None:
        for worker in self._workers:
            if worker.process.pid is not None and worker.process.is_alive():
                os.kill(worker.process.pid, number)


def run_worker(sources: Sequence[Source], settings: Settings, listening: socket.socket, supervisor: Connection) -> None:
    """Serve in this process; the entry point of a worker."""
    from fastbert.serving.running import Process, set_up_logging

    set_up_logging(settings)
    try:
        Process(sources, settings, listening, lambda service: supervisor.send("ready"), supervisor).run()
    except FastBertError as error:
        supervisor.send(error)
