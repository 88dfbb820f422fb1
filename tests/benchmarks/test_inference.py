"""The table of the inference benchmark: ratios within a round, and every system with its own score."""

from __future__ import annotations

from typing import Any

from benchmarks.inference import latencies, table

LINE: dict[str, Any] = {
    "dataset": "cola",
    "rows": 100,
    "tokens": 1200,
    "metric": "mcc",
    "seconds": {"fastbert": [1.0, 2.0, 1.0], "peer": [8.0, 20.0, 9.0], "embeddings": [3.0, 6.0, 3.0]},
    "scores": {"fastbert": 0.5, "peer": 0.502},
    "latency_ms": {name: {"p50": value, "p99": 2 * value} for name, value in
                   {"fastbert": 2.0, "peer": 9.0, "embeddings": 4.0}.items()},
}  # fmt: skip


def test_ratios_are_taken_within_each_round() -> None:
    rows = table([LINE]).splitlines()

    assert rows[2] == "| cola, 12 tokens | fastbert | 100 | - | mcc 0.5000 | 2.00 / 4.00 | - |"
    assert rows[3] == "| cola, 12 tokens | peer | 11 | 9.00 [8.50-9.50] | mcc 0.5020 | 9.00 / 18.00 | 4.50 |"
    assert rows[4].startswith("| cola, 12 tokens | embeddings | 33 | 3.00 [3.00-3.00] | - |")


def test_systems_take_turns_with_single_texts() -> None:
    order: list[str] = []

    found = latencies({"a": lambda texts: order.append("a"), "b": lambda texts: order.append("b")}, "text", 3)

    assert order == ["a", "b"] * 13
    assert set(found) == {"a", "b"}


def test_the_exported_model_stands_beside_itself_in_torch() -> None:
    scores = LINE["scores"] | {"fastbert, torch": 0.511}

    assert (
        table([LINE | {"scores": scores}]).splitlines()[-1] == "| cola | fastbert, torch | - | - | mcc 0.5110 | - | - |"
    )
