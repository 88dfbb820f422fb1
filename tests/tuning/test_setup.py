"""A search before it begins: what is checked, what is planned, and that nothing is written or read too early."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fastbert.errors import BundleError, ConfigError, DataError, EncoderError
from fastbert.tuning import setup
from fastbert.tuning.budget import Budget
from fastbert.tuning.setup import Tables
from fastbert.tuning.tune import prepare_search
from tests.feedback import make_data, write_feedback
from tests.helpers import tiny_encoder
from tests.tuning.small import QUICK, prepared


def test_a_plan_says_what_will_be_done_and_writes_nothing(encoder: str, tmp_path: Path) -> None:
    found = prepared(encoder, tmp_path, trials=3, max_latency="20ms")
    text = repr(found.view())

    assert "trials     3, about" in text and "the defaults: the result is never worse than they are" in text
    assert "f1_macro on 19 validation rows; test rows are not answered before the end" in text
    assert "lr          0.5 to 8 times the recipe's, log scale" in text
    assert "at most 20 ms for a long text, measured by torch" in text
    assert json.loads(json.dumps(found.to_json()))["space"]["batch_size"] == [4, 8, 16]
    assert [path.name for path in tmp_path.iterdir()] == ["feedback.csv"]


def test_few_rows_are_searched_with_plain_training(encoder: str, tmp_path: Path) -> None:
    assert prepared(encoder, tmp_path).config.start == "plain"


def test_facts_hold_no_text_and_no_label(encoder: str, tmp_path: Path) -> None:
    facts = json.dumps(prepared(encoder, tmp_path).facts())

    assert "button" not in facts and "praise" not in facts


def test_a_test_table_that_cannot_be_used_is_refused_before_the_search(encoder: str, tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("text,label\nthe page is bad,nonsense\nthe page is great,praise\n")

    with pytest.raises(DataError, match=r"test\.csv, row 2: label 'nonsense' is not one of the 2 labels"):
        prepared(encoder, tmp_path, test=tmp_path / "test.csv")
    with pytest.raises(DataError, match="none.csv does not exist"):
        prepared(encoder, tmp_path, test=tmp_path / "none.csv")


def test_bad_test_rows_are_left_out_where_bad_rows_are_and_no_trial_is_given_the_others(
    encoder: str, tmp_path: Path
) -> None:
    (tmp_path / "test.csv").write_text("text,label\nthe page is bad,\nthe page is great,praise\n")
    found = prepared(encoder, tmp_path, test=tmp_path / "test.csv", on_bad_row="skip", splits=2)

    assert [example.text for example in found.material.test] == ["the page is great"]
    assert any(one.startswith("test: 1 of 2 rows of test.csv left out") for one in found.plan.warnings)
    assert all("test" not in data.splits for data in (found.material.data, *found.material.splits))


def test_a_time_that_is_too_short_is_refused_with_one_that_is_not(encoder: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one training with the defaults takes about") as caught:
        prepared(encoder, tmp_path, timeout="10ms")

    assert caught.value.hint is not None and caught.value.hint.startswith("Give ")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"encoder": ["./none"]}, EncoderError, "The encoder folder './none' does not exist"),
        ({"encoder": []}, ConfigError, "encoder is an empty list"),
        ({"space": {"encoder": ["./none"]}}, EncoderError, "does not exist"),
        ({"space": {"loss": ["huber"]}}, ConfigError, "does not have it"),
        ({"storage": "study.db"}, ConfigError, "no URL of a database"),
        ({"epochz": 3}, ConfigError, "'epochz' is not an option"),
        ({"goal": "f7"}, ConfigError, "The goal is 'f7'"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(
    options: dict[str, Any], error: type[Exception], message: str, encoder: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        prepared(encoder, tmp_path, **options)

    assert [path.name for path in tmp_path.iterdir()] == ["feedback.csv"]


def test_a_model_of_something_else_is_not_replaced(bundle: Path, encoder: str, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "feedback.csv")

    with pytest.raises(BundleError, match="exists already"):
        prepare_search(Tables(table), bundle, {"encoder": encoder, **QUICK})


def test_the_first_of_several_encoders_is_the_usual_one(encoder: str, tmp_path: Path) -> None:
    other = str(tiny_encoder(tmp_path / "other", "electra"))
    found = prepared(encoder, tmp_path, encoder=[other, encoder], space=None)

    assert found.usual["encoder"] == other == found.config.encoder
    assert found.space.to_json()["encoder"] == [other, encoder]


def test_what_is_set_is_not_searched(encoder: str, tmp_path: Path) -> None:
    found = prepared(encoder, tmp_path, space=None, lr=1e-4)

    assert {"lr", "epochs", "encoder"}.isdisjoint(found.space.parts) and "weight_decay" in found.space.parts
    assert found.config.lr == 1e-4


def test_splits_are_given_up_where_the_time_is_short() -> None:
    data = make_data()
    counts = [setup._splits_in_time(data, once_s, Budget(60.0)) for once_s in (0.1, 2.5, 10.0)]

    assert counts == [4, 2, 1]
    assert setup._splits_in_time(data, 10.0, Budget(None)) == 4
