"""Questions with and without an answer, and F1 by length."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastbert.insight.report_answers import answers
from tests.insight.made_rows import questions, single
from tests.insight.pages import Page


def test_it_says_who_was_answered_and_who_had_an_answer() -> None:
    text = Page(answers(questions())).text

    assert "has an answer 12 6 6 0.5000" in text
    assert "has none 12 6 6 0.5000" in text
    assert "Nothing is answered above 0." in text


def test_f1_is_told_by_length() -> None:
    rows = questions().answers
    assert rows is not None
    longer = replace(rows, words_N=np.where(np.arange(24) < 12, 3, 20))

    assert (
        "3 to 4 12 0.5000 0.5000 17 or more 12 0.5000 0.5000"
        in Page(answers(replace(questions(), answers=longer))).text
    )


def test_where_every_question_is_answered_no_table_says_so() -> None:
    rows = questions().answers
    assert rows is not None
    every = np.ones(24, bool)

    assert "left unanswered" not in answers(
        replace(questions(), answers=replace(rows, has_answer_N=every, said_answer_N=every))
    )


def test_labels_are_no_answers() -> None:
    assert answers(single()) == ""
