"""Texts that occur more than once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fastbert.config import DataConfig
from fastbert.data.examples import Example
from fastbert.insight.doctor import duplicates
from fastbert.insight.doctor.duplicates import loose_key, repeat_findings
from fastbert.insight.doctor.findings import FlaggedRow
from fastbert.insight.doctor.material import read_material
from tests.insight.doctor.made import kinds, only, read, sentence


def places(rows: object) -> list[tuple[str, str]]:
    assert isinstance(rows, list)
    return [(row.place, row.other) for row in rows if isinstance(row, FlaggedRow)]


def test_a_text_of_train_that_is_tested_on_is_a_leak(tmp_path: Path) -> None:
    train = [[sentence(number), "ab"[number % 2]] for number in range(40)]
    test = [[sentence(number).upper(), "ab"[number % 2]] for number in range(35, 45)]

    found = only(repeat_findings(read(tmp_path, train=train, test=test)), "leaked_text")

    assert found.severity == "stop"
    assert found.sentence == "5 of 10 rows (50 %) of test have a text that is in train too."
    assert places(found.rows)[0] == ("test.csv, row 2", "train.csv, row 37")


def test_a_few_leaked_rows_are_no_reason_to_stop(tmp_path: Path) -> None:
    train = [[sentence(number), "ab"[number % 2]] for number in range(10)]

    found = only(repeat_findings(read(tmp_path, train=train, test=[train[0], [sentence(99), "a"]])), "leaked_text")

    assert found.severity == "look"


def test_equal_texts_with_other_labels_conflict(tmp_path: Path) -> None:
    train = [["Love it", "a"], ["love  it", "b"], *([sentence(number), "a"] for number in range(8))]

    findings = repeat_findings(read(tmp_path, train=train))

    assert places(only(findings, "conflict").rows) == [
        ("train.csv, row 2", "train.csv, row 3"),
        ("train.csv, row 3", "train.csv, row 2"),
    ]
    assert kinds(findings) == {"conflict"}


def test_equal_texts_with_equal_labels_are_duplicates_but_for_the_first(tmp_path: Path) -> None:
    train = [["Love it", "a"], ["love it", "a"], ["Love it", "a"], *([sentence(number), "b"] for number in range(8))]

    found = only(repeat_findings(read(tmp_path, train=train)), "duplicate")

    assert places(found.rows) == [("train.csv, row 3", "train.csv, row 2"), ("train.csv, row 4", "train.csv, row 2")]
    assert found.sentence == "2 of 11 rows (18 %) of train repeat a text that is already there, with the same truth."


def test_the_order_of_several_labels_is_no_conflict(tmp_path: Path) -> None:
    train = [["a text", "x|y"], ["a text", "y|x"], ["another one", "x"]]
    options = {"text": "text", "labels": ("label",), "delimiter": "|"}

    assert kinds(repeat_findings(read(tmp_path, train=train, options=options))) == {"duplicate"}


@pytest.mark.parametrize(("value", "kind"), [("1.1", "duplicate"), ("5.0", "conflict")])
def test_numbers_conflict_where_they_are_far_apart(value: str, kind: str, tmp_path: Path) -> None:
    train = [["a text", "1.0"], ["a text", value], *([sentence(number), str(number / 2)] for number in range(10))]
    options = {"text": "text", "labels": ("label",), "task": "regression"}

    assert kinds(repeat_findings(read(tmp_path, train=train, options=options))) == {kind}


def test_both_texts_of_a_pair_count(tmp_path: Path) -> None:
    rows = [["one two", "three four", "a"], ["one two", "five six", "a"], ["one two", "three four", "a"]]
    options = {"text": ("text", "pair"), "labels": ("label",)}

    material = read(tmp_path, ("text", "pair", "label"), train=[*rows, ["x y", "z z", "b"]], options=options)

    assert places(only(repeat_findings(material), "duplicate").rows) == [("train.csv, row 4", "train.csv, row 2")]


LONG = "please add a dark mode because it hurts my eyes at night"


def test_nearly_the_same_text_in_two_splits_is_named_once(tmp_path: Path) -> None:
    train = [[LONG, "a"], [sentence(1), "b"]]
    test = [[LONG + "!!", "a"], [LONG, "a"], [sentence(2), "b"]]

    findings = repeat_findings(read(tmp_path, train=train, test=test))

    assert places(only(findings, "near_leak").rows) == [("test.csv, row 2", "train.csv, row 2")]
    assert places(only(findings, "leaked_text").rows) == [("test.csv, row 3", "train.csv, row 2")]


def test_nearly_the_same_text_with_another_label_is_a_weak_conflict(tmp_path: Path) -> None:
    train = [[LONG, "a"], [LONG + "s", "b"], [LONG + " x", "a"], [sentence(1), "b"]]

    findings = repeat_findings(read(tmp_path, train=train))

    assert only(findings, "near_conflict").severity == "note"
    assert ("train.csv, row 4", "train.csv, row 2") in places(only(findings, "near_duplicate").rows)


def test_questions_conflict_where_no_answer_is_shared_and_are_near_within_a_context_only(tmp_path: Path) -> None:
    context = "Anna lives in Berlin and works in Potsdam, by train."
    asked = [
        ("Where does Anna work?", "Potsdam"),
        ("Where does Anna work?", "Berlin"),
        ("where does Anna works", "Berlin"),
    ]
    paragraphs = [
        {"context": context, "qas": [_question(number, *pair, context) for number, pair in enumerate(asked)]},
        {"context": context + " ", "qas": [_question(9, "Where does Anna work??", "Potsdam", context)]},
    ]
    file = tmp_path / "t.json"
    file.write_text(json.dumps({"data": [{"title": "t", "paragraphs": paragraphs}]}), encoding="utf-8")

    findings = repeat_findings(read_material({"train": file}, DataConfig()))

    assert [row.row for row in only(findings, "conflict").rows] == ["question q0", "question q1"]
    assert [row.row for row in only(findings, "near_duplicate").rows] == ["question q2"]


def _question(number: int, text: str, answer: str, context: str) -> dict[str, object]:
    return {"id": f"q{number}", "question": text, "answers": [{"text": answer, "answer_start": context.index(answer)}]}


def test_tagged_texts_conflict_by_words_and_not_by_places(tmp_path: Path) -> None:
    lines = [
        "Anna B-PER",
        "sings O",
        "",
        "anna B-PER",
        "sings O",
        "",
        "Berlin B-LOC",
        "sings O",
        "",
        "berlin O",
        "sings O",
    ]
    file = tmp_path / "t.conll"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    findings = repeat_findings(read_material({"train": file}, DataConfig()))

    assert [row.row for row in only(findings, "duplicate").rows] == ["line 4"]
    assert [row.row for row in only(findings, "conflict").rows] == ["line 7", "line 10"]


def test_a_key_folds_width_case_and_blanks_but_not_signs() -> None:
    assert loose_key("ＡＢ\u00a0 c\n") == loose_key("ab c") != loose_key("ab c!")


def test_work_grows_with_the_rows_of_one_text_and_not_with_their_pairs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, truth_of = list[Example](), duplicates._truth_of

    def count(example: Example) -> frozenset[object] | None:
        looked.append(example)
        return truth_of(example)

    monkeypatch.setattr(duplicates, "_truth_of", count)
    material = read(tmp_path, train=[["good", "ab"[number % 2]] for number in range(300)])

    rows = only(repeat_findings(material), "conflict").rows

    assert [row.other for row in rows[:3]] == ["train.csv, row 3", "train.csv, row 2", "train.csv, row 3"]
    assert len(looked) < 10 * 300
