"""The examples of an epoch: packed or paired, framed, masked, and cut into batches."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.corpus import Corpus
from fastbert.data.corpus_tokens import tokenize_corpus
from fastbert.data.masked_epochs import ExampleOptions, MaskedEpoch, epoch_examples
from fastbert.data.masking import Masking
from fastbert.errors import ConfigError
from tests.data.corpora import corpus_of, frames_and_masking, word_level

Kind = Literal["packed", "pairs"]
CLS, SEP, PAD = 2, 3, 0


def examples(seed: int = 0, epoch: int = 0, kind: Kind = "packed", max_tokens: int = 16) -> MaskedEpoch:
    frames, masking = frames_and_masking()
    tokens = corpus_of([[4, 7, 2], [9], [3, 3], [20, 5]] * 5)
    return epoch_examples(tokens, frames, ExampleOptions(max_tokens, masking, kind == "pairs"), seed=seed, epoch=epoch)


def unmasked(epoch: MaskedEpoch) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    ids = epoch.ids_T.copy()
    ids[epoch.places_M] = epoch.targets_M
    return ids


@given(st.integers(0, 1000), st.integers(0, 5))
def test_nothing_of_the_corpus_is_lost_or_doubled(seed: int, epoch: int) -> None:
    made = examples(seed, epoch)
    ids = unmasked(made)

    assert sorted(ids[ids > 4].tolist()) == sorted(corpus_of([[4, 7, 2], [9], [3, 3], [20, 5]] * 5).ids_T.tolist())
    assert set(made.lengths_N[:-1].tolist()) == {16}
    starts = np.cumsum(made.lengths_N) - made.lengths_N
    assert set(ids[starts].tolist()) == {CLS} and set(ids[starts + made.lengths_N - 1].tolist()) == {SEP}


@pytest.mark.parametrize("kind", ["packed", "pairs"])
def test_an_epoch_is_a_function_of_seed_and_epoch(kind: Kind) -> None:
    first, again, next_epoch, other = (examples(*where, kind) for where in ((1, 0), (1, 0), (1, 1), (2, 0)))

    assert np.array_equal(first.ids_T, again.ids_T) and np.array_equal(first.places_M, again.places_M)
    assert not np.array_equal(first.places_M, next_epoch.places_M)
    assert not np.array_equal(first.places_M, other.places_M)


@pytest.mark.parametrize("kind", ["packed", "pairs"])
def test_masking_in_blocks_changes_nothing_but_the_masks(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = examples(3, 1, kind)
    monkeypatch.setattr("fastbert.data.masked_epochs.BLOCK", 2)
    parts = examples(3, 1, kind)

    assert len(whole) > 4
    assert np.array_equal(unmasked(whole), unmasked(parts)) and np.array_equal(whole.lengths_N, parts.lengths_N)
    assert np.all(np.diff(parts.places_M) > 0) and abs(len(parts.places_M) - len(whole.places_M)) <= len(whole)


def test_labels_are_minus_100_except_where_something_is_masked() -> None:
    made = examples()
    labels = made.labels_T()

    assert np.array_equal(np.flatnonzero(labels != -100), made.places_M)
    assert np.array_equal(labels[made.places_M], made.targets_M)
    assert not set(made.targets_M.tolist()) & {0, 1, 2, 3, 4}


def test_pairs_have_types_and_say_whether_the_second_follows() -> None:
    made = examples(kind="pairs")

    assert made.next_N is not None and set(made.next_N.tolist()) == {0, 1} and len(made.next_N) == len(made)
    ids, types = unmasked(made), made.types_T
    assert types is not None
    start = 0
    for length in made.lengths_N.tolist():
        row, kinds = ids[start : start + length], types[start : start + length]
        middle = int(np.flatnonzero(row == SEP)[0])
        assert kinds.tolist() == [0] * (middle + 1) + [1] * (length - middle - 1)
        assert (row[0], row[-1], np.sum(row == SEP)) == (CLS, SEP, 2)
        start += length


@pytest.mark.parametrize("kind", ["packed", "pairs"])
def test_a_batch_is_the_sequences_with_padding(kind: Kind) -> None:
    made = examples(kind=kind)
    rows = np.array([len(made) - 1, 0, 3])
    batch = made.batch(rows, PAD)
    starts = np.cumsum(made.lengths_N) - made.lengths_N

    for number, row in enumerate(rows):
        length = made.lengths_N[row]
        inside = slice(starts[row], starts[row] + length)
        assert np.array_equal(batch["input_ids"][number][:length], made.ids_T[inside])
        assert not batch["input_ids"][number][length:].any()
        assert batch["attention_mask"][number].tolist() == [1] * length + [0] * (batch["input_ids"].shape[1] - length)
        if made.types_T is not None:
            assert np.array_equal(batch["token_type_ids"][number][:length], made.types_T[inside])
    labels = np.full(batch["input_ids"].size, -100)
    labels[batch["places"].astype(np.int64)] = batch["targets"]
    expected = [made.labels_T()[starts[row] : starts[row] + made.lengths_N[row]] for row in rows]
    for number, label in enumerate(expected):
        line = labels.reshape(batch["input_ids"].shape)[number]
        assert np.array_equal(line[: len(label)], label) and set(line[len(label) :].tolist()) <= {-100}


def test_a_roberta_has_no_types_and_its_own_special_tokens() -> None:
    tokenizer = word_level("roberta")
    tokens = tokenize_corpus(Corpus((("the app works fast",), ("good app",)) * 9), tokenizer)
    made = epoch_examples(tokens, tokenizer.frames, ExampleOptions(12, Masking.of(tokenizer)), seed=0, epoch=0)

    assert made.types_T is None
    assert tokenizer.tokens_of([int(made.ids_T[0]), int(made.ids_T[11])]) == ["<s>", "</s>"]


def test_a_key_changes_with_whatever_changes_the_examples() -> None:
    frames, masking = frames_and_masking()
    tokens = corpus_of([[4, 4]] * 3)
    options = ExampleOptions(16, masking)
    keys = [
        options.key(tokens, frames, seed=0),
        options.key(tokens, frames, seed=1),
        options.key(corpus_of([[4, 4]] * 4), frames, seed=0),
        ExampleOptions(17, masking).key(tokens, frames, seed=0),
        ExampleOptions(16, masking, True).key(tokens, frames, seed=0),
        ExampleOptions(16, frames_and_masking(0.2)[1]).key(tokens, frames, seed=0),
    ]

    assert len(set(keys)) == len(keys)
    assert ExampleOptions(16, frames_and_masking()[1]).key(corpus_of([[4, 4]] * 3), frames, seed=0) == keys[0]


def test_sequences_without_room_are_refused() -> None:
    with pytest.raises(ConfigError, match="max_tokens is 9: with special tokens there is room for 7 of the text"):
        examples(max_tokens=9)
