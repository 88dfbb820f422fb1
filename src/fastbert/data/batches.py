"""Which rows go together: batches of near-equal length, in an order fixed by (seed, epoch).

Works on lengths and indices alone; knows nothing of tokens, labels or tensors.

Axes: N examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastbert.data.repeats import Floats, draw_rounds

Indices = npt.NDArray[np.intp]
POOL_BATCHES = 50  # rows of so many batches are shuffled, then sorted by length among themselves


@dataclass(frozen=True)
class Costs:
    """What each example costs the encoder. longest_N: tokens of its longest window.

    windows_N: number of its windows.    repeats_N: how often it comes in an epoch on average; None: once.
    """

    longest_N: Indices
    windows_N: Indices
    repeats_N: Floats | None = None

    @classmethod
    def single(cls, lengths: Sequence[int] | Indices) -> Costs:
        """Return the costs of examples with one window each."""
        return cls(np.asarray(lengths, np.intp), np.ones(len(lengths), np.intp))


def training_steps(costs: Costs, *, batch_size: int, batch_tokens: int, seed: int, epoch: int) -> list[list[Indices]]:
    """Return one epoch: optimiser steps, each a list of parts that fit in batch_tokens.

    Every example occurs exactly once, or as often as `Costs.repeats_N` says; never twice in a step. A step has
    batch_size examples (the last one of a round what is left). The order is a pure function of (lengths, repeats,
    batch_size, seed, epoch): it does not depend on batch_tokens, so that accumulation changes nothing but rounding.
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(costs.longest_N))
    rounds = [order] if costs.repeats_N is None else draw_rounds(order, costs.repeats_N, rng)
    batches = [batch for rows in rounds for batch in _batches(rows, costs, batch_size)]
    shuffled = rng.permutation(len(batches))
    return [split_by_cost(batches[index], costs, batch_tokens) for index in shuffled]


def _batches(order: Indices, costs: Costs, batch_size: int) -> list[Indices]:
    """Cut rows in random order into batches of near-equal length."""
    pool = batch_size * POOL_BATCHES
    batches: list[Indices] = []
    for start in range(0, len(order), pool):
        rows = order[start : start + pool]
        # stable sort: equal lengths stay in their shuffled order
        rows = rows[np.argsort(-costs.longest_N[rows], kind="stable")]
        batches += [rows[begin : begin + batch_size] for begin in range(0, len(rows), batch_size)]
    return batches


def epoch_padding(costs: Costs, *, batch_size: int, batch_tokens: int, seed: int) -> float:
    """Return which part of the padded tokens of a first epoch is padding; a window counts as its example's longest."""
    steps = training_steps(costs, batch_size=batch_size, batch_tokens=batch_tokens, seed=seed, epoch=0)
    padded = int(padded_tokens(steps, costs).sum())
    rows = np.concatenate([part for step in steps for part in step]) if steps else np.zeros(0, np.intp)
    return 1 - int((costs.longest_N * costs.windows_N)[rows].sum()) / max(padded, 1)


def padded_tokens(steps: Sequence[Sequence[Indices]], costs: Costs) -> Indices:
    """Return the padded tokens of each optimiser step."""
    return np.array(
        [sum(costs.longest_N[part].max() * costs.windows_N[part].sum() for part in step) for step in steps], np.intp
    )


def middle_step(steps: Sequence[Sequence[Indices]], costs: Costs) -> tuple[Sequence[Indices], float]:
    """Return the step whose padded tokens are nearest to the mean, and how many times as many all steps have."""
    tokens = padded_tokens(steps, costs)
    chosen = int(np.argmin(np.abs(tokens - tokens.mean())))
    return steps[chosen], float(tokens.sum() / tokens[chosen])


def prediction_batches(costs: Costs, *, batch_tokens: int, max_rows: int = 256) -> list[Indices]:
    """Return all examples, longest first, in batches of at most batch_tokens padded tokens."""
    order = np.argsort(-costs.longest_N, kind="stable")
    parts = split_by_cost(order, costs, batch_tokens)
    return [part[start : start + max_rows] for part in parts for start in range(0, len(part), max_rows)]


def split_by_cost(rows: Indices, costs: Costs, batch_tokens: int) -> list[Indices]:
    """Cut rows into parts of at most batch_tokens padded tokens; one row alone may exceed it."""
    parts: list[Indices] = []
    start = longest = windows = 0
    for position, row in enumerate(rows):
        new_longest = max(longest, int(costs.longest_N[row]))
        new_windows = windows + int(costs.windows_N[row])
        if position > start and new_longest * new_windows > batch_tokens:
            parts.append(rows[start:position])
            start, new_longest, new_windows = position, int(costs.longest_N[row]), int(costs.windows_N[row])
        longest, windows = new_longest, new_windows
    if start < len(rows):
        parts.append(rows[start:])
    return parts


def num_steps(num_rows: int | Sequence[int], batch_size: int) -> int:
    """Return the optimiser steps of one epoch; equals len(training_steps(...)).

    num_rows: of the epoch, or of each of its rounds.

    >>> num_steps(100, 32)
    4
    """
    if not isinstance(num_rows, int):
        return sum(num_steps(rows, batch_size) for rows in num_rows)
    pool = batch_size * POOL_BATCHES
    full, rest = divmod(num_rows, pool)
    return full * POOL_BATCHES + -(-rest // batch_size)
