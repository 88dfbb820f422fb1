"""Words that tell a label."""

from __future__ import annotations

from pathlib import Path

from fastbert.insight.doctor.telling import telling_findings, telling_words, words_of
from tests.insight.doctor.made import only, read, sentence


def rows_of(count: int, words: set[str]) -> list[frozenset[str]]:
    return [frozenset(words | {f"w{number % 7}"}) for number in range(count)]


def test_precision_and_coverage_are_counted_by_rows() -> None:
    words = [*rows_of(40, {"[bug]"}), *rows_of(60, set()), *rows_of(100, set()), *rows_of(2, {"[bug]"})]
    labels = [frozenset({"bug"})] * 100 + [frozenset({"praise"})] * 102

    (found,) = telling_words(words, labels)

    assert (found.word, found.label, found.rows, found.hits, found.total) == ("[bug]", "bug", 42, 40, 100)
    assert (found.precision, found.coverage, found.marked) == (40 / 42, 0.4, True)


def test_a_plain_word_must_be_nearly_sure_and_frequent() -> None:
    labels = [frozenset({"a"})] * 200 + [frozenset({"b"})] * 200
    sure = [*rows_of(80, {"who"}), *rows_of(320, set())]
    unsure = [*rows_of(80, {"who"}), *rows_of(120, set()), *rows_of(10, {"who"}), *rows_of(190, set())]
    rare = [*rows_of(20, {"who"}), *rows_of(380, set())]

    assert [(one.word, one.label) for one in telling_words(sure, labels)] == [("who", "a")]
    assert telling_words(unsure, labels) == telling_words(rare, labels) == []


def test_few_rows_and_a_label_of_nearly_all_rows_tell_nothing() -> None:
    few = [*rows_of(10, {"[bug]"}), *rows_of(10, set())]
    assert telling_words(few, [frozenset({"a"})] * 10 + [frozenset({"b"})] * 10) == []

    most = [*rows_of(90, {"[bug]"}), *rows_of(10, set())]
    assert telling_words(most, [frozenset({"a"})] * 90 + [frozenset({"b"})] * 10) == []


def test_the_name_of_a_label_in_its_texts_is_worth_a_look(tmp_path: Path) -> None:
    train = [
        [f"{sentence(number)} Praise" if number % 2 else sentence(number), ["bug", "praise"][number % 2]]
        for number in range(80)
    ]

    found = only(telling_findings(read(tmp_path, train=train)), "label_in_text")

    assert found.severity == "look"
    assert found.sentence.endswith("'praise' is 'praise' in 100 % of 40 rows.")
    assert found.table[0][:5] == ("praise", "praise", "40", "100 %", "100 %")
    assert len(found.rows) == 20


def test_a_word_of_a_kind_of_text_is_a_note(tmp_path: Path) -> None:
    train = [[f"Who {sentence(number)}" if number % 2 else sentence(number), "ab"[number % 2]] for number in range(200)]

    assert only(telling_findings(read(tmp_path, train=train)), "telling_word").severity == "note"


def test_words_that_are_spread_evenly_are_silent(tmp_path: Path) -> None:
    train = [[f"who {sentence(number)}", "ab"[number % 2]] for number in range(200)]

    assert telling_findings(read(tmp_path, train=train)) == []


def test_words_of_both_texts_of_a_pair() -> None:
    assert list(words_of("Don’t #stop", "@me [NAME]")) == ["don’t", "#stop", "@me", "[name]"]
