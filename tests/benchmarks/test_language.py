"""What `benchmarks/language.py` concludes from its lines, and that both sides see the same text."""

from __future__ import annotations

from typing import Any

from benchmarks import language


def line(side: str, seconds: float) -> dict[str, Any]:
    return {"side": side, "seconds": seconds, "tokens": 1000}


def test_ratios_are_taken_within_a_round() -> None:
    """The machine was twice as slow in the second round: that must not show."""
    lines = [line(language.OURS, one) for one in (1.0, 2.0)] + [line(language.TUNED, one) for one in (3.0, 6.0)]

    assert language.table(lines).splitlines()[2:] == [
        "| fastbert | 750 | - |",
        "| trainer, same precision | 250 | 3.00 (3.00 to 3.00) |",
    ]


def test_blocks_are_full_and_in_order() -> None:
    blocks = language.group_texts([list(range(100)), list(range(100, 300))])

    assert [len(block) for block in blocks] == [128, 128]
    assert blocks[0] + blocks[1] == list(range(256))
