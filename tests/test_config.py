"""Options from code, text and TOML: types, ranges, and what each error says."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.config import (
    AdaptConfig,
    DataConfig,
    Techniques,
    TrainConfig,
    parse_assignment,
    read_options,
    split_options,
)
from fastbert.errors import ConfigError


def refusal(config: DataConfig | TrainConfig, **changes: object) -> str:
    """Return the text of the error that these changes must raise."""
    with pytest.raises(ConfigError) as caught:
        config.changed(**changes)
    return str(caught.value)


def toml(folder: Path, text: str) -> Path:
    path = folder / "fastbert.toml"
    path.write_text(text, encoding="utf-8")
    return path


# --- values -----------------------------------------------------------------------------------------


@given(st.floats(min_value=1e-12, max_value=1e9))
def test_a_rate_survives_being_written_as_text(lr: float) -> None:
    assert TrainConfig().changed(lr=repr(lr)).lr == lr


@given(st.integers(1, 1_000_000))
def test_a_count_survives_being_written_as_text(batch_size: int) -> None:
    assert TrainConfig().changed(batch_size=str(batch_size)).batch_size == batch_size


@given(st.builds(TrainConfig, lr=st.none() | st.floats(1e-9, 1.0), seed=st.integers(0, 2**32 - 1)))
def test_plain_values_make_the_same_options_again(config: TrainConfig) -> None:
    assert TrainConfig().changed(**config.to_json()) == config


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("text", "title, body", ("title", "body")),
        ("text", 3, ("3",)),
        ("text", ["title", 2], ("title", "2")),
        ("labels", "", ()),
        ("header", "no", False),
        ("header", "TRUE", True),
        ("header", "none", None),
        ("max_tokens", "None", None),
        ("labels_file", Path("labels.csv"), "labels.csv"),
        ("truncation", "windows", "windows"),
        ("valid_share", "0.25", 0.25),
    ],
)
def test_a_value_takes_the_type_of_its_option(name: str, text: object, value: object) -> None:
    assert getattr(DataConfig().changed(**{name: text}), name) == value


def test_a_whole_number_is_a_number() -> None:
    epochs = TrainConfig().changed(epochs=3).epochs

    assert (epochs, type(epochs)) == (3.0, float)


def test_changing_leaves_the_original_as_it_was() -> None:
    config = TrainConfig()
    config.changed(lr=1e-4)

    assert config.lr is None


def test_tuples_are_lists_in_plain_values() -> None:
    assert DataConfig(text=("title", "body")).to_json()["text"] == ["title", "body"]


@pytest.mark.parametrize("kind", [DataConfig, TrainConfig, Techniques])
def test_an_option_class_stays_small(kind: type[DataConfig | Techniques]) -> None:
    base = kind.__base__
    inherited = fields(base) if base is not None and dataclasses.is_dataclass(base) else ()
    assert len(fields(kind)) - len(inherited) <= 20


# --- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"batchsize": 8}, "'batchsize' is not an option.\n  Did you mean 'batch_size'?"),
        ({"lr": "fast"}, "lr is 'fast'; expected a number or none."),
        ({"batch_size": "2.5"}, "batch_size is '2.5'; expected a whole number."),
        ({"batch_size": 2.0}, "batch_size is 2.0; expected a whole number."),
        ({"batch_size": True}, "batch_size is True; expected a whole number."),
        ({"batch_size": None}, "batch_size must have a value."),
        ({"seed": "none"}, "seed is 'none'; expected a whole number."),
        (
            {"precision": "fp61"},
            "precision is 'fp61'; expected auto, fp32, bf16 or fp16.\n  Did you mean 'fp16'?",
        ),
        ({"freeze": "zebra"}, "freeze is 'zebra'; expected none, encoder or gradual."),
        ({"encoder": ["a"]}, "encoder is ['a']; expected text."),
    ],
)
def test_a_wrong_training_option_is_explained(changes: dict[str, object], text: str) -> None:
    assert refusal(TrainConfig(), **changes) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"text": 1.5}, "text is 1.5; expected names."),
        ({"header": "maybe"}, "header is 'maybe'; expected true or false or none."),
        ({"task": "multilabel"}, "task is 'multilabel'; expected auto, single_label, multi_label, regression, "
                                 "tagging or answering.\n"
                                 "  Did you mean 'multi_label'?"),
        ({"task": "language"}, "task is 'language'; expected auto, single_label, multi_label, regression, "
                               "tagging or answering.\n"
                               "  Use `fastbert adapt CORPUS`, or `fastbert pretrain CORPUS` for a new encoder."),
        ({"text": "a,b,c"}, "text names 3 columns; one text or a pair of texts is read."),
    ],
)  # fmt: skip
def test_a_wrong_data_option_is_explained(changes: dict[str, object], text: str) -> None:
    assert refusal(DataConfig(), **changes) == text


def test_an_unknown_option_with_no_near_name_lists_all() -> None:
    text = refusal(TrainConfig(), zebra=1)

    assert "Known options: start, " in text and " encoder, epochs, lr, " in text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"lr": 0}, "lr is 0.0; it must be above 0 and at most 1e+09."),
        ({"lr": math.nan}, "lr is nan; it must be above 0 and at most 1e+09."),
        ({"lr": math.inf}, "lr is inf; it must be above 0 and at most 1e+09."),
        ({"epochs": "-1"}, "epochs is -1.0; it must be above 0 and at most 1e+09."),
        ({"clip_norm": 0}, "clip_norm is 0.0; it must be above 0 and at most 1e+09."),
        ({"layer_decay": 1.1}, "layer_decay is 1.1; it must be above 0 and at most 1."),
        ({"head_lr_factor": 0}, "head_lr_factor is 0.0; it must be above 0 and at most 1e+09."),
        ({"batch_size": 0}, "batch_size is 0; it must be at least 1 and at most 1000000."),
        ({"batch_size": 1_000_001}, "batch_size is 1000001; it must be at least 1 and at most 1000000."),
        ({"batch_tokens": 7}, "batch_tokens is 7; it must be at least 8 and at most 1000000000."),
        ({"evaluations_per_epoch": 0}, "evaluations_per_epoch is 0; it must be at least 1 and at most 1000."),
        ({"seed": -1}, "seed is -1; it must be at least 0 and at most 4294967295."),
        ({"patience": -1}, "patience is -1; it must be at least 0 and at most 1000000."),
    ],
)
def test_a_training_option_out_of_range_is_shown_with_its_range(changes: dict[str, object], text: str) -> None:
    assert refusal(TrainConfig(), **changes) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"valid_share": 0.0}, "valid_share is 0.0; it must be above 0 and at most 0.9."),
        ({"valid_share": 0.91}, "valid_share is 0.91; it must be above 0 and at most 0.9."),
        ({"max_tokens": 7}, "max_tokens is 7; it must be at least 8 and at most 1000000."),
    ],
)
def test_a_data_option_out_of_range_is_shown_with_its_range(changes: dict[str, object], text: str) -> None:
    assert refusal(DataConfig(), **changes) == text


def test_a_number_too_large_for_a_float_is_refused_like_any_other() -> None:
    assert "batch_size is 1000" in refusal(TrainConfig(), batch_size=10**400)
    assert "expected a number or none" in refusal(TrainConfig(), lr=10**400)


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_the_ends_of_a_range_belong_to_it(seed: int) -> None:
    assert TrainConfig(seed=seed).seed == seed


# --- files and assignments --------------------------------------------------------------------------


def test_toml_keys_may_stand_in_tables_or_at_the_top(tmp_path: Path) -> None:
    path = toml(tmp_path, 'seed = 7\n[data]\ntext = ["title", "body"]\nheader = false\n[train]\nlr = 1e-4\n')

    data, train = split_options(read_options(path))

    assert data == DataConfig(text=("title", "body"), header=False)
    assert train == TrainConfig(seed=7, lr=1e-4)


def test_an_unknown_name_in_toml_gets_the_closest_of_both_classes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        split_options(read_options(toml(tmp_path, "[train]\ntruncations = 1\n")))

    assert str(caught.value) == "'truncations' is not an option.\n  Did you mean 'truncation'?"


def test_an_unknown_name_like_no_other_lists_all_options() -> None:
    with pytest.raises(ConfigError) as caught:
        split_options({"zebra": 1})

    assert (caught.value.hint or "").startswith("Known: ")
    assert "lr, max_tokens, on_bad_row, optimizer" in (caught.value.hint or "")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.toml: the configuration cannot be read \(No such file or directory\)"):
        read_options(tmp_path / "no.toml")


@pytest.mark.parametrize("content", [b"lr = ", b"lr = 1\nlr = 2\n", b'name = "\xff"\n'])
def test_what_is_no_toml_is_said(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"bad\.toml: not valid TOML: "):
        read_options(path)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("lr=1e-4", ("lr", "1e-4")),
        (" batch-size = 8 ", ("batch_size", "8")),
        ("labels_file=a=b.csv", ("labels_file", "a=b.csv")),
        ("group=", ("group", "")),
    ],
)
def test_an_assignment_is_split_at_its_first_equals_sign(text: str, pair: tuple[str, str]) -> None:
    assert parse_assignment(text) == pair


@pytest.mark.parametrize("text", ["lr", "=3", " =3", ""])
def test_what_is_no_assignment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_assignment(text)

    assert str(caught.value) == f"'{text}' is not of the form key=value.\n  Example: --set lr=1e-4"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"text": "0", "labels": "1"}, None),
        ({"text": "note"}, True),
        ({"labels": "tag"}, True),
        ({"group": "customer"}, True),
        ({"text": "note", "header": False}, False),
        ({"header": True}, True),
    ],
)
def test_a_column_given_by_name_means_a_header(options: dict[str, object], expected: bool | None) -> None:
    assert DataConfig().changed(**options).has_header is expected


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"next_sentence": "false"}, "next_sentence is 'false'; expected true or false"),
        ({"whole_word": "no"}, "whole_word is 'no'; expected"),
        ({"epochs": 2.5}, "epochs is 2.5; expected a whole number"),
        ({"mask_rate": "0.2"}, "mask_rate is '0.2'; expected a number"),
    ],
)
def test_a_value_of_another_type_is_refused_from_python_too(option: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        AdaptConfig(**option)
