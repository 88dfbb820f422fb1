"""Data to standard output, everything else to standard error."""

from __future__ import annotations

import pytest

from fastbert.cli.output import print_data, print_json, say, score_block, show, show_error
from fastbert.display import Block, View
from fastbert.errors import DataError
from tests.bundles import MULTI, SINGLE

BLOCK = Block("Title", ("a line",))


def test_messages_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    say("hello")
    show(BLOCK)
    show(View((BLOCK,)))

    assert tuple(capsys.readouterr()) == ("", "hello\nTitle\n  a line\nTitle\n  a line\n")


def test_results_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    print_data(BLOCK)
    print_data(View((BLOCK,)))

    assert tuple(capsys.readouterr()) == ("Title\n  a line\nTitle\n  a line\n", "")


def test_json_is_one_line_with_letters_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"label": "größer"})

    assert tuple(capsys.readouterr()) == ('{"label": "größer"}\n', "")


def test_numbers_that_json_does_not_know_are_null(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"score": float("nan")})

    assert capsys.readouterr().out == '{"score": null}\n'


def test_an_error_is_shown_with_its_hint(capsys: pytest.CaptureFixture[str]) -> None:
    show_error(DataError("train.csv is empty.", "Check it."))

    assert tuple(capsys.readouterr()) == ("", "error: train.csv is empty.\nhint: Check it.\n")


def test_scores_are_the_headlines_of_the_task() -> None:
    block = score_block(SINGLE, {"valid": {"accuracy": 0.5, "f1_macro": 0.25, "balanced_accuracy": 0.1}})

    assert (block.headers, block.rows) == (("rows", "accuracy", "f1_macro"), (("valid", "0.5000", "0.2500"),))


def test_a_score_that_one_split_lacks_is_a_dash() -> None:
    block = score_block(MULTI, {"valid": {"f1_macro": 0.5}, "test": {"exact_match": 1.0}})

    assert block.rows == (("valid", "0.5000", "-"), ("test", "-", "1.0000"))
