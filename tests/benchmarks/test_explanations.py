"""The table of the explanations benchmark."""

from benchmarks.explanations import METHODS, table
from fastbert.insight.faithfulness_table import FaithfulnessSummary
from tests.insight.explained import made_up_check


def test_the_table_has_a_row_for_each_method_and_for_random_words() -> None:
    summary = FaithfulnessSummary.of("gradients", [made_up_check(), made_up_check()]).to_json()
    lines = [{"dataset": "sst2", "seed": seed, "words_by": title, **summary} for title in METHODS for seed in (0, 1)]
    lines[0] = {**lines[0], "area": round(float(str(summary["area"])), 9) + 0.01, "error": 0.02}

    rows = table(lines).splitlines()

    assert len(rows) == 6
    assert rows[2].startswith("| sst2, 2 x 2 | integrated gradients | 0.292 (-0.301 ± 0.020) | 0.757 | 0.300 |")
    assert rows[3].startswith("| sst2, 2 x 2 | occlusion | 0.287 (-0.306 ± 0.000) | 0.757 |")
    assert rows[4].startswith("| | random | 0.594 | 0.594 | 0.825 | 0.400 |")
