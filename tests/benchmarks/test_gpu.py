"""What `benchmarks/gpu.py` concludes from measurements; they need a GPU."""

from __future__ import annotations

from benchmarks import gpu


def test_the_table_gives_ratios_and_says_where_nothing_was_measured() -> None:
    line = {
        "shape": "bert",
        "data": "cola",
        "device": "H100",
        "training": [(20.0, 10.0), (30.0, 10.0), (40.0, 10.0)],
        "inference": [(30.0, 10.0), (30.0, 10.0), (30.0, 10.0)],
        "mfu": 0.41,
    }
    none = {"device": "none", "reason": "not measured: no GPU"}
    assert gpu.table([line, none]).splitlines()[2:] == [
        "| bert | cola | H100 | 3.00 (2.00 to 4.00, 3 rounds) | 3.00 (3.00 to 3.00, 3 rounds) | 41% |",
        "| - | - | none | not measured: no GPU | | |",
    ]
