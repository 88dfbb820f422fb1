"""What `benchmarks/quality.py` concludes from measurements; the measurements themselves are not run here."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import quality

BATCH_8 = "hf_trainer, batch 8"


def line(dataset: str, system: str, score: float, *, test: str = "test", seconds: float = 100.0) -> dict[str, Any]:
    """Return a measurement as the scripts write it; system is "fastbert" or the peer's batch size."""
    return {
        "dataset": dataset,
        "system": "fastbert" if system == "fastbert" else "hf_trainer",
        "batch": 16 if system == "fastbert" else int(system),
        "metric": "accuracy",
        "scores": {test: {"accuracy": score}},
        "cpu_seconds": seconds,
        "machine": {"processor": "one", "precision": "bf16"},
    }


def lines_of(dataset: str, system: str, *scores: float) -> list[dict[str, Any]]:
    """Return one measurement a score."""
    return [line(dataset, system, score) for score in scores]


def test_noise_is_the_standard_deviation_over_seeds_of_both_sides() -> None:
    lines = [*lines_of("trec6", "fastbert", 0.80, 0.82, 0.84), *lines_of("trec6", "8", 0.70, 0.70, 0.70)]

    (found,) = quality.differences(lines)

    assert (found.name, found.peer) == ("trec6", BATCH_8)
    assert found.value == pytest.approx(0.12)
    assert found.noise == pytest.approx((0.02**2 / 2) ** 0.5)


def test_one_seed_gives_no_difference() -> None:
    assert quality.differences([*lines_of("trec6", "fastbert", 0.8), *lines_of("trec6", "8", 0.7, 0.7)]) == []


def test_the_verdict_names_what_is_behind_by_more_than_the_noise_and_nothing_else() -> None:
    lines = [
        *lines_of("trec6", "fastbert", 0.90, 0.91),
        *lines_of("trec6", "8", 0.60, 0.61),
        *lines_of("sst2", "fastbert", 0.79, 0.85),
        *lines_of("sst2", "8", 0.80, 0.85),  # behind by 0.005, noise about 0.04
        *lines_of("mrpc", "fastbert", 0.700, 0.701),
        *lines_of("mrpc", "8", 0.800, 0.801),
    ]

    said = quality.verdict(quality.differences(lines))

    assert said == f"{BATCH_8}: mean difference +0.065 over 3 data sets; behind by more than the noise on mrpc."


def test_a_data_set_with_two_test_sets_counts_once_in_the_mean() -> None:
    inside = [{**one, "scores": {"inside": s, "outside": s}} for one in both(0.9, 0.5) for s in [one["scores"]["test"]]]

    said = quality.verdict(quality.differences([*inside, *[{**one, "dataset": "sst2"} for one in both(0.5, 0.7)]]))

    assert "mean difference +0.100 over 2 data sets" in said
    assert said.endswith("behind by more than the noise on sst2.")


def test_seconds_of_another_processor_are_not_averaged_in() -> None:
    lines = [
        line("trec6", "fastbert", 0.9, seconds=10),
        line("trec6", "fastbert", 0.9, seconds=20),
        {**line("trec6", "fastbert", 0.9, seconds=900), "machine": {"processor": "two", "precision": "fp32"}},
    ]

    assert quality.scores_table(lines).splitlines()[2].endswith("| 15 / - / - |")


def test_scores_of_several_processors_and_precisions_are_counted() -> None:
    other = {**line("trec6", "8", 0.9), "machine": {"processor": "two", "precision": "fp32"}}

    said = quality.scores_table([line("trec6", "fastbert", 0.9), line("trec6", "8", 0.9), other, other])

    assert said.endswith(f"Scores: fastbert: 1 x one bf16; {BATCH_8}: 1 x one bf16; {BATCH_8}: 2 x two fp32.")


def both(ours: float, theirs: float) -> list[dict[str, Any]]:
    """Return two seeds of each side on one data set."""
    return [*lines_of("cola", "fastbert", ours, ours), *lines_of("cola", "8", theirs, theirs)]
