"""Wrong labels that are put in: as many as asked for, never the right one, the same every time."""

from __future__ import annotations

import numpy as np

from benchmarks.datasets import Benchmark
from benchmarks.noise import add_noise

SINGLE = Benchmark("s", [(f"t{i}", None, ("abc"[i % 3],)) for i in range(100)], {}, ("a", "b", "c"), False, "accuracy")
MULTI = Benchmark("m", [(f"t{i}", None, ("a", "b")) for i in range(50)], {}, ("a", "b", "c", "d"), True, "f1_macro")


def test_a_share_of_the_labels_is_wrong_and_known() -> None:
    rows, wrong_N = add_noise(SINGLE, 0.07, 1)

    changed = [given != true for given, true in zip(rows, SINGLE.train, strict=True)]
    assert wrong_N.tolist() == changed and wrong_N.sum() == 7


def test_one_of_several_labels_becomes_one_that_was_not_there() -> None:
    rows, wrong_N = add_noise(MULTI, 0.2, 0)

    for place in np.flatnonzero(wrong_N).tolist():
        names = set(rows[place][2])
        assert len(names) == 2 and len(names & {"a", "b"}) == 1


def test_the_seed_says_which_rows() -> None:
    first, again, other = (add_noise(SINGLE, 0.1, seed)[1].tolist() for seed in (0, 0, 1))

    assert first == again != other
