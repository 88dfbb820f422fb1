"""The page: escaped, offline, with all numbers, and with text that can be read on its shades."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from fastbert.errors import TrainingError
from fastbert.insight.explanation import Neighbour
from fastbert.insight.explanation_page import STRONGEST, STYLE, explanation_page, write_page
from fastbert.insight.page import STYLE as PAGE_STYLE
from tests.insight.explained import made_up, made_up_check

Colour = tuple[float, float, float]


def test_texts_are_escaped_and_nothing_is_fetched() -> None:
    rows = [Neighbour(0.9, "bug", "<script>", "t.csv, row 3")]

    page = explanation_page([made_up(made_up_check()).with_similar(rows)], "A & B")

    assert "<b> app" not in page and "&lt;b&gt;" in page and "&lt;script&gt;" in page
    assert "<script" not in page and not re.search(r"https?://|src=|@import|url\(", page)
    assert "<title>A &amp; B</title>" in page


def test_a_word_has_its_value_on_it_and_in_the_table() -> None:
    page = explanation_page([made_up()], "x")

    assert '<span class="w for" title="+2.000" style="--a:1.00">slow</span>' in page
    assert '<span class="w unread" title="not read">cut</span>' in page
    assert '<th scope="row">slow</th><td>+2.0000</td><td>0</td>' in page


def test_words_that_hardly_count_are_left_plain() -> None:
    assert '<span class="w" title="+0.050" style="--a:0.03">app</span>' in explanation_page([made_up()], "x")


def test_signs_are_told_without_colour() -> None:
    assert "solid" in STYLE and "dotted" in STYLE
    assert all(key in explanation_page([made_up()], "x") for key in ("raises it", "lowers it", "not read"))


def test_the_characters_of_an_entity_are_outlined() -> None:
    one = replace(made_up().attributions[0], place=(0, 4))

    page = explanation_page([replace(made_up(), attributions=(one,))], "x")

    assert '<span class="w place for" title="+2.000" style="--a:1.00">slow</span>' in page


def test_the_check_is_drawn() -> None:
    page = explanation_page([made_up(made_up_check())], "x")

    assert "Score while words are hidden" in page
    assert "The words shown carry the answer" in page


def test_an_answer_without_outputs_is_shown_too() -> None:
    assert "There is nothing to explain" in explanation_page([replace(made_up(), attributions=())], "x")


def test_the_legend_is_written_in_the_color_of_the_words() -> None:
    """The color of a header is too soft for its shades, which are the strongest that a word can have."""
    assert ".fbx .legend{color:var(--text)}" in STYLE


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("sign", ["for", "against"])
def test_text_keeps_its_contrast_on_the_strongest_shade(mode: str, sign: str) -> None:
    """At least 4.5 to 1: WCAG 2.2, success criterion 1.4.3, with its formula of relative luminance."""
    part = 0 if mode == "light" else 1
    back, text = (_hex(re.findall(rf"--{name}:(#[0-9a-f]+)", PAGE_STYLE)[part]) for name in ("back", "text"))
    shade = tuple(float(number) for number in re.findall(rf"--{sign}:([\d,]+)", STYLE)[part].split(","))
    most = STRONGEST * (1.0 if mode == "light" else float(re.findall(r"--most:([\d.]+)", STYLE)[0]))
    mixed = tuple(most * over + (1 - most) * under for over, under in zip(shade, back, strict=True))

    lighter, darker = sorted((_luminance(mixed), _luminance(text)), reverse=True)

    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def _hex(code: str) -> Colour:
    digits = code[1:] if len(code) == 7 else "".join(digit * 2 for digit in code[1:])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _luminance(colour: tuple[float, ...]) -> float:
    parts = [value / 255 for value in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_page([made_up()], "x", tmp_path / "page.html")

    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    with pytest.raises(TrainingError, match=r"gone/page.html could not be written"):
        write_page([made_up()], "x", tmp_path / "gone" / "page.html")
