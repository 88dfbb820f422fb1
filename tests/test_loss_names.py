"""Names of losses with and without a number, and what is said of wrong ones."""

from __future__ import annotations

import pytest

from fastbert.config import TrainConfig
from fastbert.errors import ConfigError
from fastbert.loss_names import LOSSES, NUMBERS, parse_loss


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
        ("hinge", "loss is 'hinge'; expected one of default, balanced, focal, asymmetric, resampled, huber, auto."),
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
