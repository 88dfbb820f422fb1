"""What rows are called, and what is said of a row without its text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fastbert.decisions.abstain import Abstention
from fastbert.decisions.rules import Decisions
from fastbert.insight.evidence import Evidence
from tests.insight.made_rows import EVERY, SECRET, entities, multi, questions, single, values
from tests.insight.made_up import BUNDLE


def test_scores_are_those_of_the_bundle_unless_others_are_given() -> None:
    assert Evidence(BUNDLE, "test").scores["accuracy"] == 0.9
    assert Evidence(BUNDLE, "new.csv", own_scores={"accuracy": 0.5}).scores == {"accuracy": 0.5}


@pytest.mark.parametrize(("split", "name"), [("test", "test rows"), ("new.csv", "rows of new.csv")])
def test_rows_go_by_their_split_or_their_table(split: str, name: str) -> None:
    assert Evidence(BUNDLE, split).rows_name == name


def test_rows_that_models_of_others_answered_are_called_so() -> None:
    bundle = replace(BUNDLE, facts={"plan": {"options": {"valid_folds": 3}}})

    assert [Evidence(bundle, split).rows_name for split in ("valid", "test")] == ["out-of-fold rows", "test rows"]


@pytest.mark.parametrize(
    ("found", "row", "words"),
    [
        (single(), 4, ("Billing", "<b>&")),
        (multi(), 0, ("Bugs, Billing, <b>&", "Billing, Bugs")),
        (values(), 39, ("39", "50")),
        (entities(), 3, ("place 0-4", "person 0-4")),
        (entities(), 4, ("person 0-4", "(none)")),
        (questions(), 1, ("an answer", "an answer, F1 1.00")),
        (questions(), 0, ("an answer", "no answer")),
    ],
)
def test_a_row_is_told_without_its_text(found: Evidence, row: int, words: tuple[str, str]) -> None:
    true, said = found.words(row)

    assert true == words[0]
    assert sorted(said.split(", ")) == sorted(words[1].split(", "))


def test_an_answer_that_was_held_back_is_unknown() -> None:
    assert single(Decisions(abstention=Abstention(confidence=0.8))).words(4)[1] == "unknown"


@pytest.mark.parametrize("name", EVERY)
def test_no_row_is_told_with_its_text(name: str) -> None:
    found = EVERY[name]()

    assert not any(SECRET[:4] in word for row in range(found.num_rows) for word in found.words(row))
    assert replace(found, texts=("a",)).texts == ("a",)
