"""Goals as a user writes them, and files of costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.decisions.goals import Goal, check_labels, parse_goal, read_costs
from fastbert.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        ("default", Goal()),
        ("f1", Goal("fbeta", 1.0)),
        ("f1_micro", Goal("micro")),
        ("fbeta:2", Goal("fbeta", 2.0)),
        ("precision>=0.9", Goal("precision", 0.9)),
        (" recall >= 0.95", Goal("recall", 0.95)),
        ("recall>=0.95@very angry", Goal("recall", 0.95, "very angry")),
    ],
)
def test_a_goal_is_read_and_written(text: str, goal: Goal) -> None:
    assert parse_goal(text) == goal
    assert parse_goal(str(goal)) == goal


@pytest.mark.parametrize("text", ["", "f2", "precision", "precision=0.9", "accuracy>=0.9", "cost"])
def test_what_is_no_goal_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_goal(text)

    assert f"The goal is '{text}'; expected f1, f1_micro, fbeta:2, precision>=0.9" in str(caught.value)


@pytest.mark.parametrize("text", ["precision>=1.5", "recall>=0", "precision>=high", "fbeta:0", "fbeta:nan"])
def test_a_number_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="needs a number above 0"):
        parse_goal(text)


def test_costs_by_pair_of_labels(tmp_path: Path) -> None:
    place = tmp_path / "costs.csv"
    place.write_text("true,decided,cost\nspam,ham,1\nham,spam,20\n", encoding="utf-8")

    assert parse_goal(f"cost:{place}").costs == (("spam", "ham", 1.0), ("ham", "spam", 20.0))


def test_costs_by_label(tmp_path: Path) -> None:
    place = tmp_path / "costs.csv"
    place.write_text("label,false_positive,false_negative\nbug,1,5\n\n", encoding="utf-8")

    assert read_costs(place) == (("", "bug", 1.0), ("bug", "", 5.0))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "the columns are"),
        ("", "the columns are none"),
        ("true,decided,cost\na,b,many\n", "row 2: the cost is 'many'; expected a number from 0 on."),
        ("true,decided,cost\na,b,-1\n", "row 2: the cost is '-1'"),
        ("label,false_positive,false_negative\na,1\n", "row 2: the cost is None"),
        (
            "label,false_positive,false_negative\na,1,2\n,,\n,1,2\n",
            "row 4: label is empty; expected the name of a label.",
        ),
        ("true,decided,cost\na,,1\n", "row 2: decided is empty"),
    ],
)
def test_a_file_that_holds_no_costs_is_refused(tmp_path: Path, content: str, message: str) -> None:
    place = tmp_path / "costs.csv"
    place.write_text(content, encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        read_costs(place)

    assert message in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the costs cannot be read"):
        parse_goal(f"cost:{tmp_path / 'none.csv'}")


def test_a_label_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        check_labels(parse_goal("recall>=0.9@spm"), ("spam", "ham"))

    assert "The goal names the label 'spm', which the model does not have." in str(caught.value)
    assert "Did you mean 'spam'?" in str(caught.value.hint)
