"""A backend that waits until it is let through, so that tests decide what is in the queue and what in a pass."""

from __future__ import annotations

import threading

from fastbert.inference.pipeline import Backend
from fastbert.tasks.base import Array, Batch


class Gate:
    """Runs another backend one pass at a time. entered: passes that have begun.    sizes: windows of each.

    poison: a pass with this token id fails.
    """

    workers = 1

    def __init__(self, backend: Backend, *, opened: bool = False) -> None:
        self.name, self.batch_tokens, self._backend = backend.name, backend.batch_tokens, backend
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)
        self.sizes: list[int] = []
        self.poison: int | None = None
        if opened:
            self.open.set()

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return what the backend returns, once it is let through."""
        self.sizes.append(len(batch["input_ids"]))
        self.entered.release()
        assert self.open.wait(30)
        if self.poison is not None and (batch["input_ids"] == self.poison).any():
            raise RuntimeError("secret text")
        return self._backend.forward(batch)
