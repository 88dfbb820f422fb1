"""Problems: a status, a place, and what to do, in one line for contracts that know one string only."""

from __future__ import annotations

from fastbert.errors import DataError
from fastbert.serving.problems import busy, from_error, invalid


def test_a_problem_is_one_line_for_people() -> None:
    assert invalid("Expected a text.", "texts[1]", "Send one.").text == "texts[1]: Expected a text. Send one."


def test_a_busy_server_says_whole_seconds() -> None:
    assert busy(0.2).headers == {"Retry-After": "1"}
    assert busy(3.6).headers == {"Retry-After": "4"}


def test_an_error_of_the_library_keeps_its_hint() -> None:
    problem = from_error(DataError("What.", "Do this."))

    assert (problem.status, problem.message, problem.hint) == (422, "What.", "Do this.")
