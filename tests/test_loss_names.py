"""Names of losses with and without a number, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.config import TrainConfig
from fastbert.errors import ConfigError
from fastbert.loss_names import LOSSES, NUMBERS, parse_loss, read_weights


@pytest.mark.parametrize("name", LOSSES)
def test_a_name_alone_has_the_number_of_its_paper_or_none(name: str) -> None:
    assert parse_loss(name) == (name, NUMBERS.get(name, 0.0))


@pytest.mark.parametrize(("text", "meaning"), [("focal:0", ("focal", 0.0)), ("asymmetric:2.5", ("asymmetric", 2.5))])
def test_a_number_stands_behind_a_colon(text: str, meaning: tuple[str, float]) -> None:
    assert parse_loss(text) == meaning


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("focla", "Did you mean 'focal'?"),
        (
            "hinge",
            "loss is 'hinge'; expected one of default, balanced, focal, asymmetric, resampled, huber, auto, weights.",
        ),
        ("balanced:2", "'balanced' takes no number."),
        ("focal:", "behind the colon is a number from 0 to 10 expected."),
        ("focal:much", "focal:2 is what focal alone means."),
        ("focal:-1", "a number from 0 to 10"),
        ("focal:11", "a number from 0 to 10"),
        ("focal:nan", "a number from 0 to 10"),
    ],
)
def test_anything_else_is_refused_with_advice(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainConfig().changed(loss=text)

    assert message in str(caught.value)


def test_a_file_names_the_weights_that_are_not_one(tmp_path: Path) -> None:
    place = tmp_path / "weights.csv"
    place.write_text("label,weight\nc,0.5\na,4\n", encoding="utf-8")

    assert read_weights(f"weights:{place}", ("a", "b", "c")) == (4.0, 1.0, 0.5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "weights.csv: the weights cannot be read"),
        ("name,weight\na,2\n", "expected the columns label,weight"),
        ("label,weight\n", "and a row for each label that weighs not 1"),
        ("label,weight\nbugs,2\n", "row 2: there is no label 'bugs'.\n  Did you mean 'bug'?"),
        ("label,weight\nbug,2\nbug,3\n", "row 3: 'bug' has a weight already"),
        ("label,weight\nbug,0\n", "row 2: the weight is '0'; expected a number above 0"),
        ("label,weight\nbug\n", "row 2: the weight is None; expected a number above 0"),
        ("label,weight\nbug,inf\n", "the weight is 'inf'"),
        ("weight,label\n2\n", "row 2: there is no label ''.\n  The labels: bug, praise."),
    ],
)
def test_a_file_that_says_no_weights_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    place = tmp_path / "weights.csv"
    if content is not None:
        place.write_text(content, encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        read_weights(f"weights:{place}", ("bug", "praise"))

    assert message in str(caught.value)


def test_weights_without_a_file_are_refused() -> None:
    with pytest.raises(ConfigError, match="the file of weights is missing"):
        read_weights("weights", ("a", "b"))
