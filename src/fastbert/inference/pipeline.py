"""From encoded windows to predictions: batches by length through a backend, answers in the order of the texts.

Training evaluates and bundles answer through this one function. Knows nothing of files or of where a
backend comes from. Imports neither torch nor transformers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar, cast

import numpy as np

from fastbert.data.batches import Indices, prediction_batches
from fastbert.data.features import EncodedRows, Features
from fastbert.data.tokens import Tokenizer
from fastbert.decisions.rules import Decisions
from fastbert.tasks.base import Array, Batch, Example, Feature, Prediction, Task, pad_batch

SMALLEST_TOKENS = 128  # of a pass that is made smaller so that every worker has one
Item = TypeVar("Item")
Result = TypeVar("Result")


class Backend(Protocol):
    """Runs an encoder on one padded batch.

    workers: passes that may run at the same time.    batch_tokens: padded tokens of one pass, which one
    long window may exceed.
    """

    name: str
    workers: int
    batch_tokens: int

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return the outputs, one row per window of the batch."""


def predict_features(
    task: Task,
    backend: Backend,
    features: Sequence[Feature],
    examples: Sequence[Example],
    decisions: Decisions,
    tokenizer: Tokenizer,
    batch_tokens: int | None = None,
) -> list[Prediction]:
    """Return predictions in the order of examples; batches are formed by length inside.

    features: all windows of the examples, in order, with `example` counted from 0.
    batch_tokens: padded tokens of one pass, if not what the backend likes best.
    """
    if not examples:
        return []
    encoded = EncodedRows.of(features, len(examples))
    answers: list[Prediction | None] = [None] * len(examples)
    passes = run_batches(backend, encoded, tokenizer.pad_id, batch_tokens, by_token=task.by_token)
    for rows, windows, outputs in passes:
        decoded = task.decode(outputs, windows, [examples[row] for row in rows], decisions)
        for row, prediction in zip(rows.tolist(), decoded, strict=True):
            answers[row] = prediction
    return cast("list[Prediction]", answers)


def run_batches(
    backend: Backend,
    encoded: EncodedRows,
    pad_id: int,
    batch_tokens: int | None = None,
    *,
    by_token: bool = False,
) -> Iterator[tuple[Indices, Features, dict[str, Array]]]:
    """Yield which rows, their windows and the outputs for them, the longest rows first.

    batch_tokens: as in `predict_features`.    by_token: outputs have an axis of tokens.
    """
    budget = batch_tokens or _shared_out(encoded, backend)
    batches = prediction_batches(encoded.costs, batch_tokens=budget)

    def forward(rows: Indices) -> tuple[Features, dict[str, Array]]:
        windows = encoded.windows_of(rows)
        return windows, _forward(backend, windows, pad_id, budget, by_token=by_token)

    for rows, (windows, outputs) in zip(batches, _in_order(forward, batches, backend.workers), strict=True):
        yield rows, windows, outputs


def _shared_out(encoded: EncodedRows, backend: Backend) -> int:
    """Return the tokens of one pass: fewer where a short list of texts would leave workers idle."""
    tokens = int((encoded.costs.longest_N * encoded.costs.windows_N).sum())
    return min(backend.batch_tokens, max(SMALLEST_TOKENS, -(-tokens // backend.workers)))


def _in_order(function: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Result]:
    """Yield function(item) in order, with at most workers calls at a time and one more waiting."""
    if workers == 1 or len(items) == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="fastbert") as pool:
        remaining: Iterable[Item] = iter(items)
        waiting: deque[Future[Result]] = deque()
        try:
            for item in remaining:
                waiting.append(pool.submit(function, item))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _forward(
    backend: Backend, windows: Sequence[Feature], pad_id: int, batch_tokens: int, *, by_token: bool
) -> dict[str, Array]:
    """Run windows in as many passes as batch_tokens asks for: one text alone may have more than fit in one."""
    longest = int(Features.of(windows).length_W.max())
    size = max(1, batch_tokens // longest)
    if len(windows) <= size:
        return backend.forward(pad_batch(windows, pad_id))
    parts = [
        backend.forward(pad_batch(windows[start : start + size], pad_id)) for start in range(0, len(windows), size)
    ]
    return {name: _joined([part[name] for part in parts], longest, by_token=by_token) for name in parts[0]}


def _joined(parts: Sequence[Array], longest: int, *, by_token: bool) -> Array:
    """Return the outputs of several passes as one array; those of tokens are padded to the longest window."""
    if by_token:
        parts = [np.pad(part, [(0, 0), (0, longest - part.shape[1]), *[(0, 0)] * (part.ndim - 2)]) for part in parts]
    return np.concatenate(parts)
