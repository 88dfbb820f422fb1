"""Characters that nobody wrote, and those that somebody did."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.insight.doctor.spelling import CONTROL, find_mojibake, is_blank, repair, repair_mojibake


@pytest.mark.parametrize("written", ["naïve", "don’t", "über", "привет", "Ελλάδα", "5 €", "“quoted”", "日本", "ok 😀"])
def test_utf8_that_was_read_as_cp1252_is_put_right(written: str) -> None:
    data = written.encode()
    wrong = "".join(
        chr(byte) if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes([byte]).decode("cp1252") for byte in data
    )

    assert find_mojibake(wrong)
    assert repair_mojibake(wrong) == written


def test_text_that_was_read_wrongly_twice_is_put_right() -> None:
    assert repair_mojibake("naÃƒÂ¯ve") == "naïve"


@pytest.mark.parametrize(
    "text", ["São Paulo", "SÃO PAULO", "garçon à l'Âge", "„KÅ“", "50 °C ± 2", "Ðorđe", "¿Qué?", "Å", "Ã", "«À»"]
)
def test_what_people_write_is_left_alone(text: str) -> None:
    assert find_mojibake(text) == []
    assert repair(text) == text


@given(st.text(st.characters(max_codepoint=127, exclude_categories=["Cc"])))
def test_plain_text_changes_only_at_its_ends(text: str) -> None:
    assert repair(text) == text.strip()


@given(st.text())
def test_a_repaired_text_needs_no_other_repair_of_control_characters(text: str) -> None:
    assert CONTROL.search(repair(text)) is None


def test_joiners_of_emoji_and_line_ends_stay() -> None:
    assert repair("👩\u200d💻\tone\nline") == "👩\u200d💻\tone\nline"


@pytest.mark.parametrize(
    ("text", "blank"),
    [
        ("", True),
        ("\u200b", True),
        ("\u200d\ufeff \xad", True),
        ("\x07", True),
        ("\x85", True),
        ("\x96", False),
        (".", False),
    ],
)
def test_a_text_without_anything_to_see_is_blank(text: str, blank: bool) -> None:
    assert is_blank(text) is blank
