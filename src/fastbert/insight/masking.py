"""What a model says of a text while some of its words are hidden, by any backend and without gradients.

A hidden word keeps its place: each of its tokens becomes the mask token. Windows that differ from none that was run are
not run again. Imports no torch. Knows nothing of what the numbers are for.

Axes: V sets of hidden words, K words, T outputs explained, L tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fastbert.data.features import EncodedRows, Features
from fastbert.data.windows import WINDOW, Windows
from fastbert.inference.pipeline import Backend, run_batches
from fastbert.insight.explained_outputs import Floats, Output, log_sum
from fastbert.insight.readings import NO_WORD, Reading
from fastbert.tasks.base import Array

Hidden = npt.NDArray[np.bool_]
Ids = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Masker:
    """Runs readings with words hidden. mask_id: what their tokens become.    by_token: as `Task.by_token`."""

    backend: Backend
    pad_id: int
    mask_id: int
    by_token: bool

    def outputs(self, readings: Sequence[Reading]) -> list[list[dict[str, Array]]]:
        """Return what the model says of each window of each reading, with nothing hidden."""
        rows = [(reading, window) for reading in readings for window in range(len(reading.windows))]
        found: list[dict[str, Array]] = [{} for _ in rows]
        ids = [reading.windows.ids_of(window) for reading, window in rows]
        for row, outputs in self._run(ids, rows):
            found[row] = outputs
        ends = np.cumsum([len(reading.windows) for reading in readings])
        return [found[end - len(reading.windows) : end] for reading, end in zip(readings, ends.tolist(), strict=True)]

    def values(self, cases: Sequence[HiddenWords]) -> list[Floats]:
        """Return the outputs of each case for each set of hidden words, (T, V) in float64."""
        plans = [_Plan.of(case, self.mask_id) for case in cases]
        owners = [(number, row) for number, plan in enumerate(plans) for row in range(len(plan.ids))]
        rows = [(cases[number].reading, plans[number].window[row]) for number, row in owners]
        picked: list[list[list[list[Floats]]]] = [[[[]] * len(plan.ids) for _ in plan.outputs] for plan in plans]
        for place, outputs in self._run([plans[number].ids[row] for number, row in owners], rows):
            number, row = owners[place]
            alone = {name: np.asarray(one, np.float64)[None] for name, one in outputs.items()}
            for at, output in enumerate(plans[number].outputs):
                picked[number][at][row] = output.pick(alone, plans[number].window[row])
        return [plan.values(own) for plan, own in zip(plans, picked, strict=True)]

    def _run(self, ids: Sequence[Ids], rows: Sequence[tuple[Reading, int]]) -> Iterator[tuple[int, dict[str, Array]]]:
        """Yield what the model says of each window, in any order. rows: the reading and window that ids came from."""
        if not ids:
            return
        lengths = np.array([len(one) for one in ids])
        table = np.zeros(len(ids), WINDOW)
        table["start"], table["length"] = np.cumsum(lengths) - lengths, lengths
        table["example"], table["num_windows"], table["num_tokens"] = np.arange(len(ids)), 1, lengths
        types = np.concatenate([reading.windows.types_of(window) for reading, window in rows]).astype(np.uint8)
        features = Features(Windows(np.concatenate(ids), types, table), None, lambda *_: ())
        encoded = EncodedRows.of(features, len(ids))
        for numbers, _, outputs in run_batches(self.backend, encoded, self.pad_id, by_token=self.by_token):
            for at, number in enumerate(numbers.tolist()):
                length = int(lengths[number]) if self.by_token else None
                yield number, {name: values[at][:length] for name, values in outputs.items()}


@dataclass(frozen=True)
class HiddenWords:
    """An example, what is explained of it, and the sets of words that are hidden in turn, bool (V, K)."""

    reading: Reading
    outputs: tuple[Output, ...]
    hidden_VK: Hidden

    def num_passes(self, mask_id: int) -> int:
        """Return how many windows have to be run."""
        return len(_Plan.of(self, mask_id).ids)


@dataclass
class _Plan:
    """The different windows of one case. ids, window: their tokens and which window they are.

    rows_VW: which of them stands for each window under each set.
    """

    outputs: tuple[Output, ...]
    ids: list[Ids] = field(default_factory=list)
    window: list[int] = field(default_factory=list)
    rows_VW: list[list[int]] = field(default_factory=list)

    @classmethod
    def of(cls, case: HiddenWords, mask_id: int) -> _Plan:
        plan = cls(case.outputs)
        reading, known = case.reading, dict[tuple[int, bytes], int]()
        # one column more: NO_WORD is the last, and never hidden
        padded_VK = np.pad(case.hidden_VK, [(0, 0), (0, 1)])
        assert NO_WORD == -1
        for hidden_K in padded_VK:
            rows = []
            for window in range(len(reading.windows)):
                part = reading.part(window)
                hidden_L = hidden_K[reading.word_T[part]]
                key = (window, hidden_L.tobytes())
                if key not in known:
                    known[key] = len(plan.ids)
                    ids_L = reading.windows.ids_T[part]
                    plan.ids.append(np.where(hidden_L, np.int32(mask_id), ids_L).astype(np.int32))
                    plan.window.append(window)
                rows.append(known[key])
            plan.rows_VW.append(rows)
        return plan

    def values(self, picked: Sequence[Sequence[Sequence[Floats]]]) -> Floats:
        """Return (T, V). picked: by output and row."""
        found_TV = np.zeros((len(self.outputs), len(self.rows_VW)))
        for at, output in enumerate(self.outputs):
            for number, rows in enumerate(self.rows_VW):
                own = [value for row in rows for value in picked[at][row]]
                found_TV[at, number] = output.value(own, log_sum)[0]
        return found_TV


def hidden_sets(num_words: int, sets: Sequence[Sequence[int]]) -> Hidden:
    """Return sets of word numbers as a boolean matrix.

    >>> hidden_sets(3, [[], [0, 2]]).astype(int).tolist()
    [[0, 0, 0], [1, 0, 1]]
    """
    hidden_VK = np.zeros((len(sets), num_words), np.bool_)
    for number, words in enumerate(sets):
        hidden_VK[number, list(words)] = True
    return hidden_VK
