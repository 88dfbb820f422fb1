"""When a model does not answer: confidence, risk, coverage and strange texts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.decisions.abstain import (
    AbstainRule,
    Abstention,
    free_energy,
    least_confidence,
    parse_rule,
    row_confidence,
    strangest,
)
from fastbert.errors import BundleError, ConfigError
from fastbert.metrics.selective import risk_curve

# N rows, C labels


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("none", AbstainRule()),
        ("0.8", AbstainRule("confidence", 0.8)),
        ("confidence >= 0.8", AbstainRule("confidence", 0.8)),
        ("risk<=0.05", AbstainRule("risk", 0.05)),
        ("coverage>=0.9", AbstainRule("coverage", 0.9)),
    ],
)
def test_a_rule_is_read(text: str, rule: AbstainRule) -> None:
    assert parse_rule(text) == rule


@pytest.mark.parametrize("text", ["", "no", "1.5", "0", "risk>=0.1", "risk<=2", "coverage>=all"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_rule(text)

    assert f"abstain is '{text}'; expected none, a confidence such as 0.8" in str(caught.value)


def test_the_confidence_of_one_label_is_its_probability() -> None:
    probs_NC, decided_NC = np.array([[0.2, 0.8], [0.6, 0.4]]), np.array([[True, False], [True, False]])

    assert row_confidence(probs_NC, decided_NC, "softmax").tolist() == [0.2, 0.6]


def test_the_confidence_of_several_labels_is_that_all_are_right() -> None:
    assert row_confidence(np.array([[0.9, 0.2]]), np.array([[True, False]]), "sigmoid") == pytest.approx(0.9 * 0.8)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=4), st.floats(-5, 5))
def test_the_energy_falls_by_what_is_added_to_all_logits(logits: list[float], more: float) -> None:
    before, after = free_energy(np.array([logits, [value + more for value in logits]]), "softmax")

    assert before - after == pytest.approx(more, abs=1e-9)
    assert before <= -max(logits)


def test_the_joint_energy_is_high_where_no_label_is_likely() -> None:
    nothing, something = free_energy(np.array([[-5.0, -5.0], [-5.0, 5.0]]), "sigmoid")

    assert nothing == pytest.approx(-2 * math.log1p(math.exp(-5)))
    assert something < nothing


def test_reasons_name_the_number_and_the_limit() -> None:
    limits = Abstention(confidence=0.7, energy=-2.0)

    reasons = limits.reasons(np.array([0.9, 0.41, 0.9]), np.array([-3.0, -3.0, -1.0]))

    assert reasons == [
        "",
        "confidence 0.41 is below 0.7",
        "unlike the training texts: energy -1.00, at most -2.00",
    ]


def test_unknown_energies_are_not_strange() -> None:
    assert not Abstention(energy=0.0).is_strange(np.array([np.nan])).any()


def curve(wrong: list[int], rows: int = 100) -> object:
    right_N = np.ones(rows, np.bool_)
    right_N[wrong] = False
    return risk_curve(np.linspace(0.99, 0.0, rows), right_N)


def test_a_risk_is_kept_counting_one_more_mistake() -> None:
    """Row 30 and all from row 60 on are wrong: of the first 61 two, (2 + 1) / 62 < 0.05; of 62 three, 4 / 63 > 0.05."""
    found = least_confidence(AbstainRule("risk", 0.05), curve([30, *range(60, 100)]))  # type: ignore[arg-type]

    answered = int((np.linspace(0.99, 0.0, 100) >= found).sum())  # type: ignore[operator]
    assert answered == 61


def test_a_risk_that_few_rows_cannot_promise_is_refused() -> None:
    with pytest.raises(ConfigError, match="No confidence keeps the share of wrong answers at 0.001"):
        least_confidence(AbstainRule("risk", 0.001), curve([]))  # type: ignore[arg-type]


def test_a_coverage_leaves_so_many_answered() -> None:
    found = least_confidence(AbstainRule("coverage", 0.9), curve([]))  # type: ignore[arg-type]

    assert int((np.linspace(0.99, 0.0, 100) >= found).sum()) == 90  # type: ignore[operator]


def test_no_rule_has_no_limit() -> None:
    assert least_confidence(AbstainRule(), curve([])) is None  # type: ignore[arg-type]
    assert least_confidence(AbstainRule("confidence", 0.8), curve([])) == 0.8  # type: ignore[arg-type]


def test_a_share_of_the_rows_is_called_strange() -> None:
    energy_N = np.arange(1000.0)

    assert (energy_N > strangest(energy_N, 0.01)).sum() == 10  # type: ignore[operator]
    assert strangest(energy_N, 0.0) is None


@pytest.mark.parametrize("limits", [Abstention(), Abstention(0.5), Abstention(energy=-1.5), Abstention(0.5, 2.0)])
def test_limits_come_back(limits: Abstention) -> None:
    assert Abstention.from_json(limits.to_json()) == limits
    assert bool(limits) == (limits != Abstention())


@pytest.mark.parametrize("value", ["0.5", float("inf"), [1]])
def test_a_damaged_limit_is_refused(value: object) -> None:
    with pytest.raises(BundleError) as caught:
        Abstention.from_json({"confidence": value})

    assert str(caught.value) == f"bundle.json: the limit of confidence is {value!r}; expected a number or nothing."


def test_people_read_the_limits() -> None:
    assert Abstention().describe() == ""
    assert Abstention(0.7, -2.0).describe() == (
        "Where the confidence is below 0.7 or the text is unlike the training texts the answer is unknown."
    )
