"""What a DataBunch shows of itself."""

from __future__ import annotations

import pytest

from fastbert.data.databunch import DataBunch
from fastbert.data.examples import show_truth
from fastbert.data.tokens import Tokenizer
from fastbert.errors import ConfigError
from tests.feedback import feedback_rows, make_data
from tests.helpers import word_tokenizer


def tiny_tokenizer() -> Tokenizer:
    return Tokenizer(word_tokenizer(), pad_id=0, max_tokens=64, input_names=["input_ids", "attention_mask"])


def test_data_shows_its_task_sizes_and_labels() -> None:
    shown = repr(make_data())

    assert "task      single_label, 2 labels" in shown
    assert "rows      train 32, valid 8" in shown
    assert "bug        16      4" in shown
    assert "valid has only 8 rows" in shown


def test_data_shows_its_lengths_once_it_has_a_tokenizer() -> None:
    shown = repr(make_data().with_tokenizer(tiny_tokenizer(), 64))

    assert "tokens    median 10, 95 % up to 12, longest 12; limit 64, none is cut" in shown


def test_data_shows_itself_in_a_notebook() -> None:
    assert "<table" in make_data()._repr_html_()


def test_a_batch_shows_texts_and_labels() -> None:
    data = make_data()
    first = data.examples("train")[0]

    shown = repr(data.show_batch(2))

    assert first.where in shown and first.text in shown
    assert f"truth     {show_truth(first.truth)}" in shown
    assert "[CLS]" not in shown


def test_a_batch_shows_tokens_once_there_is_a_tokenizer() -> None:
    shown = repr(make_data().with_tokenizer(tiny_tokenizer(), 64).show_batch(1, split="valid"))

    assert "[CLS]" in shown and "[SEP]" in shown
    assert "tokens in 1 window(s)" in shown
    assert "mask" in shown and "segment" in shown


def test_a_batch_shows_both_texts_of_a_pair() -> None:
    rows = [{"sentence1": row["text"], "sentence2": "the app", "label": row["label"]} for row in feedback_rows()]

    shown = repr(DataBunch.from_files(rows).show_batch(1))

    assert "pair      the app" in shown


def test_no_more_rows_are_shown_than_there_are() -> None:
    assert len(make_data().show_batch(99, split="valid").blocks) == 8


def test_a_split_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="There is no split 'dev'.\n  This data has train, valid."):
        make_data().examples("dev")
