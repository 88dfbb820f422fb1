"""What an answer costs: milliseconds a text, texts a second, measured here in turn, and the size of the model.

The models take turns, so that a busy moment of the machine hits all of them. Knows nothing of what they answer.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastbert.data.examples import Example
from fastbert.insight.contestants import Contestant

SINGLES, BATCH, ROUNDS = 24, 256, 3  # texts answered one by one, texts of one batch, and how often it is answered
PATIENCE_S = 10.0  # a batch that takes longer than this is answered once


@dataclass(frozen=True)
class Cost:
    """ms_per_text: median of texts that come alone.    texts_per_second: of a batch, the median round.

    size_bytes: of the bundle's folder, exports included; None for a baseline.
    """

    name: str
    ms_per_text: float
    texts_per_second: float
    size_bytes: int | None
    num_parameters: int | None

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        names = ("name", "ms_per_text", "texts_per_second", "size_bytes", "num_parameters")
        return {name: getattr(self, name) for name in names}


def measure_costs(contestants: Sequence[Contestant], examples: Sequence[Example]) -> list[Cost]:
    """Return what each contestant costs on up to 256 of the rows, evenly spread."""
    batch, singles = _spread(examples, BATCH), _spread(examples, SINGLES)
    for one in contestants:
        one.answer(batch[:1])  # the first call of an engine prepares it
    alone: dict[str, list[float]] = {one.name: [] for one in contestants}
    together: dict[str, list[float]] = {one.name: [] for one in contestants}
    for example in singles:
        for one in contestants:
            alone[one.name].append(_seconds(one.answer, [example]))
    for _ in range(ROUNDS):
        for one in contestants:
            if not together[one.name] or together[one.name][0] < PATIENCE_S:
                together[one.name].append(_seconds(one.answer, batch))
    return [
        Cost(
            one.name,
            1000 * statistics.median(alone[one.name]),
            len(batch) / max(statistics.median(together[one.name]), 1e-9),
            None if one.folder is None else folder_size(one.folder),
            one.num_parameters if one.folder is None else count_parameters(one.folder),
        )
        for one in contestants
    ]


def folder_size(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def count_parameters(folder: Path) -> int | None:
    """Return the numbers in the safetensors files of a folder, read from their headers; None where there are none."""
    files = sorted(folder.glob("*.safetensors"))
    return sum(map(_count_in, files)) if files else None


def _count_in(path: Path) -> int:
    # 8 bytes little-endian: the length of the JSON header that follows (the format's own description)
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    total = 0
    for name, tensor in header.items():
        if name != "__metadata__":
            size = 1
            for length in tensor["shape"]:
                size *= int(length)
            total += size
    return total


def _spread(examples: Sequence[Example], count: int) -> list[Example]:
    step = max(1, len(examples) // count)
    return list(examples[::step][:count])


def _seconds(answer: Callable[[Sequence[Example]], object], examples: Sequence[Example]) -> float:
    began = time.perf_counter()
    answer(examples)
    return time.perf_counter() - began
