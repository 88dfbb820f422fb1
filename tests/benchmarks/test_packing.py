"""What `benchmarks/packing.py` concludes from measurements; the measurements themselves are not run here."""

from __future__ import annotations

from benchmarks import packing


def test_the_table_gives_the_ratio_of_the_same_step_both_ways() -> None:
    line = {
        "work": "cola",
        "batches": "random",
        "padding_share": 0.5,
        "padded_seconds": [2.0, 3.0, 6.0],
        "packed_seconds": [1.0, 1.0, 2.0],
    }
    assert packing.table([line]).splitlines()[-1] == "| cola | random | 50.0% | 3.00 (2.00 to 3.00) |"
