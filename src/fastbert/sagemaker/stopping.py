"""SIGTERM, which SageMaker sends to a job that is stopped or a spot instance that is taken away, 120 s before SIGKILL.

While the model to save is trained, the signal ends the training after the present step, and all that follows is done:
the best weights are evaluated and saved. Before that there is nothing to save, and the process ends at once. A second
signal ends it at once whatever it does. Knows nothing of what is saved.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from fastbert.sagemaker.parts import can_save
from fastbert.training.callbacks import Callback
from fastbert.training.state import RunState

EXIT_CODE = 128 + signal.SIGTERM
REASON = "the job was asked to stop (SIGTERM)"


class Stopped(BaseException):
    """The job was asked to stop, and there is nothing to save, or no more time."""


class StopRequests(Callback):
    """Has a training stopped by a signal. asked: whether the signal has come."""

    def __init__(self) -> None:
        self.asked = False
        self._part = ""
        self._began = False  # the training of the model to save

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Receive the signal within a block; only the main thread of a process can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGTERM, self._receive)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.request()

    def request(self) -> None:
        """Ask for a stop. Raises Stopped where nothing can be saved, and the second time."""
        if self.asked or not self._began or not can_save(self._part):
            raise Stopped
        self.asked = True

    def on_part(self, name: str) -> None:
        """Note what is trained next; end if it leads to nothing that can be saved."""
        self._part = name
        if self.asked and not can_save(name):
            raise Stopped

    def on_start(self, state: RunState) -> None:
        """From the first step on there is something to save."""
        self._began = self._began or can_save(self._part)
        self._stop(state)

    def on_step(self, state: RunState) -> None:
        """Stop after this step, if it was asked for."""
        self._stop(state)

    def on_evaluate(self, state: RunState) -> None:
        """Stop after this evaluation, if it was asked for."""
        self._stop(state)

    def _stop(self, state: RunState) -> None:
        if self.asked:
            state.stop.ask(REASON)
