"""Labels as a whole: names, counts, splits, and which go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.insight.doctor.findings import Finding
from fastbert.insight.doctor.labels import LabelCounts, _slips, fold_label, label_findings, pairs_by
from tests.insight.doctor.made import kinds, only, read, sentence

MULTI: dict[str, object] = {"text": "text", "labels": ("label",), "delimiter": "|", "task": "multi_label"}


def rows(**counts: int) -> list[list[str]]:
    labels = [name.replace("__", " ") for name, count in counts.items() for _ in range(count)]
    return [[sentence(number), label] for number, label in enumerate(labels)]


def labelled(folder: Path, *names: str) -> list[Finding]:
    """Check a table in which each name labels as many rows as it is told after a colon."""
    pairs = [name.rpartition(":") for name in names]
    labels = [name for name, _, count in pairs for _ in range(int(count))]
    return label_findings(read(folder, train=[[sentence(number), label] for number, label in enumerate(labels)]))


def test_balanced_labels_are_silent(tmp_path: Path) -> None:
    material = read(tmp_path, train=rows(bug=30, praise=30), valid=rows(bug=10, praise=12))

    assert label_findings(material) == []
    assert dict(LabelCounts.of(material).by_split["valid"]) == {"bug": 10, "praise": 12}


def test_a_label_that_train_does_not_have_stops(tmp_path: Path) -> None:
    findings = label_findings(read(tmp_path, train=rows(bug=30, praise=30), test=rows(bug=10, praise=9, rating=2)))

    found = only(findings, "unknown_label")
    assert (found.severity, len(found.rows)) == ("stop", 2)
    assert found.sentence == "test has 1 label that train does not have: 'rating'."


def test_a_label_that_is_never_tested_is_named(tmp_path: Path) -> None:
    findings = label_findings(read(tmp_path, train=rows(bug=30, praise=30, rating=30), valid=rows(bug=5, praise=6)))

    assert only(findings, "absent_label").sentence == "valid has no rows of 1 of 3 labels: 'rating'."


@pytest.mark.parametrize("other", ["Bug report", "bug  report", "bug-report", "bug_report", "ｂug report."])
def test_names_that_differ_in_case_blanks_or_signs_stop(other: str, tmp_path: Path) -> None:
    found = only(labelled(tmp_path, "bug report:20", f"{other}:9", "praise:20"), "label_spelling")

    assert (found.severity, len(found.rows)) == ("stop", 9)


@pytest.mark.parametrize("other", ["postive", "possitive", "positivo", "psoitive"])
def test_a_rare_name_one_letter_off_a_frequent_one_is_a_slip(other: str, tmp_path: Path) -> None:
    found = only(labelled(tmp_path, "positive:90", f"{other}:8", "negative:90"), "label_typo")

    assert found.sentence == f"1 pair of labels is the same but for one letter: 'positive' (90) and '{other}' (8)."


@pytest.mark.parametrize(
    "names",
    [
        ("1:90", "2:8"),
        ("class1:90", "class2:8"),
        ("dog:90", "dot:8"),
        ("review:90", "reviews:8"),
        ("rating:9", "dating:9"),
    ],
)
def test_names_that_may_be_meant_are_no_slips(names: tuple[str, ...], tmp_path: Path) -> None:
    assert kinds(labelled(tmp_path, *names)).isdisjoint({"label_typo", "label_spelling"})


def test_rare_labels_are_counted(tmp_path: Path) -> None:
    found = only(labelled(tmp_path, "bug:30", "praise:7", "rating:3"), "rare_label")

    assert found.sentence == "2 of 3 labels have fewer than 8 rows in train: 'rating' (3), 'praise' (7)."


def test_far_from_balanced_is_a_note(tmp_path: Path) -> None:
    assert only(labelled(tmp_path, "bug:210", "praise:10"), "imbalance").severity == "note"
    assert "imbalance" not in kinds(labelled(tmp_path, "bug:200", "praise:10"))


def test_a_shift_between_splits_is_found_and_chance_is_not(tmp_path: Path) -> None:
    train = rows(bug=100, praise=100)

    shifted = label_findings(read(tmp_path, train=train, test=rows(bug=80, praise=20)))
    alike = label_findings(read(tmp_path, train=train, test=rows(bug=54, praise=46)))
    few = label_findings(read(tmp_path, train=train, test=rows(bug=4, praise=1)))

    assert only(shifted, "label_shift").severity == "look"
    assert "'bug' 50 % and 80 %" in only(shifted, "label_shift").sentence
    assert "label_shift" not in kinds(alike) | kinds(few)


# --- several labels a row ---------------------------------------------------------------------------


def several(folder: Path, *cells: tuple[str, int]) -> list[Finding]:
    labels = [cell for cell, count in cells for _ in range(count)]
    table = [[sentence(number), label] for number, label in enumerate(labels)]
    return label_findings(read(folder, train=table, options=MULTI))


def test_labels_on_the_same_rows_and_labels_that_imply_another(tmp_path: Path) -> None:
    findings = several(tmp_path, ("a|b", 25), ("c|d", 25), ("d", 25), ("e", 100), ("e|f", 3))

    assert "'a' and 'b' (25)" in only(findings, "same_label").sentence
    assert "'c' has 'd' in 25 of 25 rows (100 %)" in only(findings, "implied_label").sentence


def test_labels_that_chance_would_bring_together_and_never_are(tmp_path: Path) -> None:
    findings = several(tmp_path, ("a", 40), ("b", 40), ("a|c", 10), ("b|c", 10))

    assert only(findings, "never_together").sentence.endswith("'a' and 'b' (25 expected).")


def test_one_label_on_each_row_of_several_is_said(tmp_path: Path) -> None:
    assert "--task single_label" in only(several(tmp_path, ("a", 30), ("b", 30)), "one_label_each").advice


def test_a_label_on_every_row_teaches_nothing(tmp_path: Path) -> None:
    assert "'a'" in only(several(tmp_path, ("a|b", 30), ("a", 30)), "constant_label").sentence


def test_a_name_of_signs_alone_is_not_folded_to_nothing() -> None:
    assert len({fold_label(name) for name in ("+", "-", "", "1", "-1")}) == 5


def test_of_many_names_only_those_that_can_be_slips_are_compared() -> None:
    names = [f"{number:05b}".replace("0", "left").replace("1", "right") for number in range(300)]

    assert len(pairs_by(names, _slips)) < 300
    assert pairs_by(["payment", "refund", "paymnet", "payments"], _slips) == [
        ("payment", "paymnet"),
        ("payment", "payments"),
    ]


@pytest.mark.parametrize("other", ["paymont", "paymnet", "paymen", "payyment", "apyment", "paymenT", "payment1"])
def test_no_slip_is_missed(other: str) -> None:
    assert pairs_by(["payment", other], _slips) == [("payment", other)]


def test_a_label_that_is_known_and_has_no_rows_in_train_is_not_refused_by_training(tmp_path: Path) -> None:
    header = ("text", "a", "b", "c")
    train = [[sentence(number), int(number % 2), int(number % 3 == 0), 0] for number in range(60)]
    test = [[sentence(900 + number), 1, 0, number % 2] for number in range(60)]

    findings = label_findings(
        read(tmp_path, header, train=train, test=test, options={"text": "text", "labels": ("a", "b", "c")})
    )

    assert "unknown_label" not in kinds(findings)
    found = only(findings, "unseen_label")
    assert found.severity == "look"
    assert found.sentence == "test has rows of 1 label of which train has none: 'c'."
    assert only(findings, "rare_label").sentence == "1 of 3 labels have fewer than 8 rows in train: 'c' (0)."
