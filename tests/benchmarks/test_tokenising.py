"""A small run of `benchmarks/tokenising.py`, and what its table concludes from lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks import tokenising
from benchmarks.datasets import Benchmark
from fastbert.data import token_cache
from fastbert.data.tokens import Tokenizer
from tests.data.test_tokens import small


def line(side: str, seconds: float, **more: float) -> dict[str, Any]:
    return {"side": side, "seconds": seconds, **more}


def test_ratios_are_taken_within_a_round() -> None:
    """The machine was twice as slow in the second round: that must not show."""
    peers = [line("peer", seconds, cpu_seconds=1.0, growth_mb=1.0, result_mb=0.0) for seconds in (10.0, 20.0)]
    ours = [line("fastbert", seconds, cpu_seconds=1.5, growth_mb=9.0, result_mb=7.0) for seconds in (11.0, 22.0)]

    rows = tokenising.table([*peers, *ours, line("warm cache", 0.5), line("warm cache", 0.5)]).splitlines()[2:]

    assert rows == [
        "| peer | 15.00 | 1.10 (1.10 to 1.10) | 1.50 (1.50 to 1.50) | 1 |",
        "| fastbert | 16.50 | - | - | 9, of it the result 7 |",
        "| warm cache | 0.50 | - | - | - |",
    ]


def test_work_that_is_too_short_for_the_clock_has_no_ratio() -> None:
    def lines(cpu_seconds: float) -> list[dict[str, Any]]:
        measured = {"cpu_seconds": cpu_seconds, "growth_mb": 1.0, "result_mb": 0.0}
        return [line("peer", 0.5, **measured), line("fastbert", 0.5, **measured)]

    assert "| 0.50 | 1.00 (1.00 to 1.00) | too short to tell | 1 |" in tokenising.table(lines(0.0))
    assert "too short" not in tokenising.table(lines(0.1))


def test_texts_are_many_and_all_different(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str, root: Path | None) -> Benchmark:
        return Benchmark(name, [(f"a text of {name}", None, ("0",))], {}, ("0", "1"), False, "accuracy")

    monkeypatch.setattr("benchmarks.datasets.load", load)

    texts = tokenising.short_texts(50)

    assert len(set(texts)) == 50
    assert texts[:4] == ["a text of cola 0", "a text of sst2 1", "a text of goemotions 2", "a text of cola 3"]


@pytest.mark.parametrize("measure", [partial(tokenising.compare, rounds=2), tokenising.time_cache])
def test_every_side_is_measured(
    measure: Callable[[Tokenizer, list[str]], Iterator[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_cache, "LEAST_CHARACTERS", token_cache.LEAST_CHARACTERS)  # restored afterwards

    lines = list(measure(small(128), ["the app works"] * 50))

    assert {one["side"] for one in lines} in (
        {"encode_batch_fast", "fastbert", "encode_batch"},
        {"cold cache", "warm cache"},
    )
    assert len(tokenising.table(lines).splitlines()) == 2 + len({one["side"] for one in lines})
