"""A backend that counts what passes through it, for the closing line of a command.

Imports neither torch nor transformers.
"""

from __future__ import annotations

import time

from fastbert.inference.predictor import Backend
from fastbert.tasks.base import Array, Batch


class MeteredBackend:
    """Runs another backend and counts its real tokens since it was made.

    >>> predictor.backend = MeteredBackend(predictor.backend)   # doctest: +SKIP
    """

    def __init__(self, backend: Backend) -> None:
        self.name = backend.name
        self.tokens = 0
        self._backend = backend
        self._start = time.perf_counter()

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return what the other backend returns."""
        self.tokens += int(batch["attention_mask"].sum())
        return self._backend.forward(batch)

    def describe_speed(self, texts: int) -> str:
        """Return texts and real tokens a second since it was made, reading and writing included."""
        seconds = time.perf_counter() - self._start
        return f"{texts / seconds:,.0f} texts/s, {self.tokens / seconds:,.0f} tokens/s"
