"""Odd texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.insight.doctor.texts import common_words, script_of, text_findings
from tests.insight.doctor.made import Rows, kinds, only, read, sentence


def table(*texts: str, count: int = 20) -> Rows:
    return [*([text, "a"] for text in texts), *([sentence(number), "ab"[number % 2]] for number in range(count))]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x", "one_character"),
        ("12-34 !", "no_letters"),
        ("https://example.org/abc", "no_letters"),
        ("<br />It works", "markup"),
        ("this &amp; that", "markup"),
        ("cafÃ© closed", "mojibake"),
        ("n\u00c5\u0093ud", "mojibake"),
        ("caf\ufffd closed", "lost_characters"),
        ("zero\u200bwidth", "control_characters"),
        ("добрый день всем", "other_script"),
        ("word " * 1200, "very_long"),
    ],
)
def test_an_odd_text_is_named_for_what_is_odd(text: str, kind: str, tmp_path: Path) -> None:
    findings = text_findings(read(tmp_path, train=table(text)))

    assert kinds(findings) == {kind}
    assert [row.place for row in only(findings, kind).rows] == ["train.csv, row 2"]


@pytest.mark.parametrize(
    "text",
    ["a < b and c > d", "I <3 this", "AT&T; and R&D", "see ?a=1&action;x", "naïve café", "ok 👍 fine", "See www.x.org"],
)
def test_a_text_as_people_write_it_is_left_alone(text: str, tmp_path: Path) -> None:
    assert text_findings(read(tmp_path, train=table(text))) == []


def test_the_second_text_of_a_pair_is_looked_at(tmp_path: Path) -> None:
    rows = [["one two", "<b>three</b>", "a"], *([sentence(number), sentence(number + 50), "b"] for number in range(9))]
    options = {"text": ("text", "pair"), "labels": ("label",)}

    findings = text_findings(read(tmp_path, ("text", "pair", "label"), train=rows, options=options))

    assert only(findings, "markup").rows[0].text == "one two | <b>three</b>"


def test_severity_follows_the_share(tmp_path: Path) -> None:
    assert only(text_findings(read(tmp_path, train=table("x", count=9))), "one_character").severity == "look"
    assert only(text_findings(read(tmp_path, train=table("x", count=90))), "one_character").severity == "note"


def test_mixed_scripts_have_no_usual_one(tmp_path: Path) -> None:
    rows = [[f"{text} {number}", "ab"[number % 2]] for number in range(10) for text in ("hello", "привет")]

    assert "other_script" not in kinds(text_findings(read(tmp_path, train=rows)))


def test_common_beginnings_and_ends_are_quoted(tmp_path: Path) -> None:
    rows = [
        [f"Dear support team, {sentence(number)} {number} sent from my phone", "ab"[number % 2]] for number in range(12)
    ]

    findings = text_findings(read(tmp_path, train=rows))

    assert "begin with the same 3 words: 'Dear support team,'" in only(findings, "same_beginning").sentence
    assert "end with the same 4 words: 'sent from my phone'" in only(findings, "same_end").sentence


@pytest.mark.parametrize("sequences", [[], [["a", "b", "c"]], [["a"], ["a"]], [["a", "b", "c"], ["x", "b", "c"]]])
def test_nothing_in_common(sequences: list[list[str]]) -> None:
    assert common_words(sequences) == ((), 0)


@pytest.mark.parametrize(("text", "script"), [("日本語です", "CJK"), ("ｆｕｌｌ", "LATIN"), ("👍", ""), ("é", "LATIN")])
def test_the_script_is_that_of_most_letters(text: str, script: str) -> None:
    assert script_of(text) == script


def test_a_long_common_end_takes_one_look_at_each_word() -> None:
    mail = [f"word{number}" for number in range(2000)]  # by whole beginnings it would be 200 million looks

    assert common_words([[*mail, f"own{number}"] for number in range(100)]) == (tuple(mail), 100)


def test_both_texts_of_a_pair_are_one_row(tmp_path: Path) -> None:
    rows = [["<b>one</b> text", "<b>two</b> text", "x"], ["a b", "c d", "y"]]
    options = {"text": ("one", "two"), "labels": ("label",)}

    found = only(text_findings(read(tmp_path, ("one", "two", "label"), train=rows, options=options)), "markup")

    assert (found.sentence, len(found.rows)) == ("1 of 2 rows (50 %) hold HTML tags or entities.", 1)
