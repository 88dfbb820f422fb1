"""The rows that trials share: read once, tokenised once for each way of cutting, divided anew where they are few."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.data.tokens import Tokenizer
from fastbert.errors import ConfigError
from fastbert.tuning import material
from fastbert.tuning.material import Material
from tests.feedback import feedback_rows, make_data
from tests.tuning.small import noting

QUICK = TrainConfig(precision="fp32")


def data(count: int = 48) -> DataBunch:
    return make_data(count)


def test_texts_are_tokenised_once_for_each_way_of_cutting(encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    encode = Tokenizer.encode
    monkeypatch.setattr(Tokenizer, "encode", noting(made, encode, lambda *a, **k: k["max_tokens"]))
    shared = Material.of(data(), 1, seed=0)
    for max_tokens in (12, 8, 12, 8, 12):
        learner = shared.learner(0, QUICK, (encoder, "head", max_tokens))
        learner.data.encoded("train")

    assert made == [12, 8]


def test_learners_share_no_loss(encoder: str) -> None:
    shared = Material.of(data(), 1, seed=0)
    balanced = shared.learner(0, QUICK.changed(loss="balanced"), (encoder, "head", None))
    plain = shared.learner(0, QUICK, (encoder, "head", None))

    assert (
        balanced.data.task
        != plain.data.task
        == shared.data.task.__class__(**vars(shared.data.task) | {"truncation": "head"})
    )


def test_a_cut_is_one_of_the_task_and_of_the_options(encoder: str) -> None:
    learner = Material.of(data(), 1, seed=0).learner(0, QUICK, (encoder, "windows", 8))

    assert (learner.data.config.truncation, learner.data.max_tokens) == ("windows", 8)
    assert vars(learner.data.task)["truncation"] == "windows"


def test_splits_hold_out_other_rows_and_the_data_stay_as_they_are(encoder: str) -> None:
    shared = Material.of(data(), 3, seed=0)
    held = [tuple(example.text for example in split.examples("valid")) for split in shared.splits]
    whole = shared.learner(None, QUICK, (encoder, "head", None))

    assert len(held) == 3 and len(set(sum(held, ()))) == sum(map(len, held)) == len(shared.examples)
    assert whole.data.splits == shared.data.splits


def test_a_validation_table_is_not_divided_anew() -> None:
    rows = feedback_rows()
    bunch = DataBunch.from_files(rows[:30], rows[30:])

    with pytest.raises(ConfigError, match="the validation rows are a table of their own"):
        Material.of(bunch, 2, seed=0)
    assert material.wanted_splits(bunch) == 1


@pytest.mark.parametrize(("count", "splits"), [(20, 4), (300, 4), (500, 2), (1900, 2), (2100, 1)])
def test_few_rows_want_several_splits(count: int, splits: int) -> None:
    bunch = data()
    examples, cut = bunch.splits["train"][:1] * count, count // 10
    many = replace(bunch, splits={"train": examples[cut:], "valid": examples[:cut]})

    assert material.wanted_splits(many) == splits


def test_the_digest_is_of_texts_and_truths_in_order() -> None:
    first, again, fewer = data(), data(), data(40)
    turned = replace(first, splits={**first.splits, "train": first.splits["train"][::-1]})

    assert material.digest(first) == material.digest(again)
    assert len({material.digest(one) for one in (first, fewer, turned)}) == 3


def test_lengths_and_cuts_are_those_of_the_training_rows(encoder: str) -> None:
    learner = Material.of(data(), 1, seed=0).learner(0, QUICK, (encoder, "head", 8))
    tokens = sorted(learner.data.encoded("train").num_tokens_N.tolist())

    assert material.lengths(learner) == (min(8, tokens[(len(tokens) - 1) // 2]), 8)
    assert material.cut_share(learner) == sum(length > 8 for length in tokens) / len(tokens)
