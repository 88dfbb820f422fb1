"""The tables of the decisions benchmark, and the distance to known rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.decisions import NEIGHBOURS, _far, main, table


def line(seed: int, **more: object) -> dict[str, Any]:
    return {"dataset": "trec6", "seed": seed, **more}


def test_rules_are_averaged_over_seeds() -> None:
    lines = [line(seed, what="rules", rule="defaults", scores={"f1_macro": 0.4 + seed / 10}) for seed in (0, 1)]

    assert table(lines).splitlines()[-1] == "| trec6 (2) | defaults | 0.450 ± 0.071 |"


def test_strange_texts_have_a_row_for_each_doubt() -> None:
    facts = {"what": "outside", "strange": "sst2", "auroc": 0.9, "fpr95": 0.2, "aurc": 0.1}
    lines = [line(0, by=by, **facts) for by in ("confidence", "energy")]

    assert table(lines).splitlines()[2:] == [
        "| trec6 (1) | sst2 | confidence | 0.900 | 0.200 | 0.100 |",
        "| trec6 (1) | sst2 | energy | 0.900 | 0.200 | 0.100 |",
    ]


def test_the_distance_is_that_to_the_tenth_neighbour() -> None:
    known = np.array([[1.0, 0.0]] * NEIGHBOURS + [[0.0, 1.0]])

    assert _far(np.array([[1.0, 0.0], [0.0, 1.0]]), known).tolist() == [0.0, 1.0]


def test_no_measurements_make_no_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table", "--out", str(tmp_path / "none.jsonl")]) == 0
    assert capsys.readouterr().out == "\n"
