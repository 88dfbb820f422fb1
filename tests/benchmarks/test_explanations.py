"""The table of the explanations benchmark."""

from benchmarks.explanations import METHODS, table
from fastbert.insight.faithfulness_table import FaithfulnessSummary
from tests.insight.explained import made_up_check


def test_the_table_has_a_row_for_each_method_and_for_random_words() -> None:
    summary = FaithfulnessSummary.of("gradients", [made_up_check(), made_up_check()])

    rows = table({"sst2": dict.fromkeys(METHODS, summary)}).splitlines()

    assert len(rows) == 6
    assert rows[2].startswith("| sst2, 2 | integrated gradients | 0.287 (-0.306 ± 0.000) | 0.757 | 0.300 |")
    assert rows[4].startswith("| | random | 0.594 | 0.594 | 0.825 | 0.400 |")
