"""An explanation in a terminal, readable without colour."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fastbert.insight.explanation import Neighbour
from fastbert.insight.explanation_text import explanation_text, footnote, headline, marked_text
from tests.insight.explained import made_up, made_up_check


def test_words_carry_signs_by_size() -> None:
    explanation = made_up()

    assert marked_text(explanation, explanation.attributions[0]) == ["slow(+++) <b>(--) app , cut"]


def test_colour_is_added_to_the_signs() -> None:
    explanation = made_up()
    (coloured,) = marked_text(explanation, explanation.attributions[0], colour=True)

    assert coloured.startswith("\x1b[1;34mslow(+++)\x1b[0m \x1b[1;33m<b>(--)\x1b[0m app")
    assert "\x1b" not in explanation_text(explanation)


def test_the_lines_hold_values_bars_and_how_they_were_made() -> None:
    lines = explanation_text(made_up()).splitlines()

    assert lines[0] == "answer: bug 0.90"
    assert lines[2] == "bug  0.900, +2.20 log-odds; -0.30 with every word hidden"
    assert "  slow  +2.000  ++++++++++++++++++++" in lines
    assert "  <b>   -1.000  ----------" in lines
    assert "  1 words were not read" in lines
    assert lines[-1] == (
        "  integrated gradients, 32 steps: values add up to +2.50 within 0.4 %; hidden words are [MASK]; "
        "read in 2 windows, averaged"
    )


def test_the_check_and_training_rows_follow() -> None:
    rows = [Neighbour(0.91, "bug", "it is slow", "t.csv, row 3"), Neighbour(0.5, "praise", "a", "row 4", pair="b")]

    text = explanation_text(made_up(made_up_check()).with_similar(rows[:1], rows[1:]))

    assert "  The words shown carry the answer" in text
    assert "nearest training rows\n  0.910  bug  t.csv, row 3  it is slow" in text
    assert "nearest of another truth\n  0.500  praise  row 4  a | b" in text


def test_occlusion_and_numbers_are_said_in_their_own_words() -> None:
    (one,) = made_up().attributions

    assert footnote(replace(one, method="occlusion"), made_up()).startswith(
        "occlusion: by how much it falls without the word alone; hidden words are [MASK]"
    )
    number = replace(one, unit="value", score=4.25, value=4.25, hidden=3.0)
    assert headline(number) == "bug  4.25; +3.00 with every word hidden"


def test_an_answer_without_outputs_says_so() -> None:
    assert "There is nothing to explain" in explanation_text(replace(made_up(), attributions=()))


@pytest.mark.parametrize(("count", "shown"), [(12, 0), (20, 8)])
def test_long_texts_are_cut_to_the_words_that_count(count: int, shown: int) -> None:
    explanation = made_up()
    words = tuple(replace(explanation.words[0], start=0, end=0) for _ in range(count))
    one = replace(explanation.attributions[0], values=(1.0,) * count)

    text = explanation_text(replace(explanation, words=words, attributions=(one,)))

    assert (f"  ... and {shown} words that count less" in text) == bool(shown)
