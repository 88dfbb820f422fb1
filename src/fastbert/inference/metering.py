"""A backend that counts what passes through it, for the closing line of a command.

Imports neither torch nor transformers.
"""

from __future__ import annotations

import threading
import time

from fastbert.inference.pipeline import Backend
from fastbert.tasks.base import Array, Batch


class MeteredBackend:
    """Runs another backend and counts its real tokens since it was made.

    >>> predictor.backend = MeteredBackend(predictor.backend)   # doctest: +SKIP
    """

    def __init__(self, backend: Backend) -> None:
        self.name, self.workers, self.batch_tokens = backend.name, backend.workers, backend.batch_tokens
        self.tokens = 0
        self._backend = backend
        self._start = time.perf_counter()
        self._lock = threading.Lock()  # passes may run at the same time

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return what the other backend returns."""
        with self._lock:
            self.tokens += int(batch["attention_mask"].sum())
        return self._backend.forward(batch)

    def describe_speed(self, texts: int) -> str:
        """Return texts and real tokens a second since it was made, reading and writing included."""
        seconds = time.perf_counter() - self._start
        return f"{texts / seconds:,.0f} texts/s, {self.tokens / seconds:,.0f} tokens/s"
