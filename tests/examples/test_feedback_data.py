"""The sample feedback data: well-formed files, usable label counts, and texts that differ from each other."""

from __future__ import annotations

import csv
import re
import statistics
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "examples" / "data" / "feedback"
SPLITS = ("train", "val", "test")
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

Row = dict[str, str]


def read_table(split: str) -> tuple[list[str], list[list[str]]]:
    """Return the header and the raw data rows of one split."""
    with (DATA / f"{split}.csv").open(encoding="utf-8", newline="") as handle:
        header, *rows = csv.reader(handle, strict=True)
    return header, rows


def read_rows(split: str) -> list[Row]:
    """Return the rows of one split, keyed by column name."""
    header, rows = read_table(split)
    return [dict(zip(header, row, strict=True)) for row in rows]


def all_rows() -> list[Row]:
    """Return the rows of the three splits together."""
    return [row for split in SPLITS for row in read_rows(split)]


def label_names() -> list[str]:
    """Return the labels, in the order of labels.csv."""
    return (DATA / "labels.csv").read_text(encoding="utf-8").splitlines()


def label_count(row: Row) -> int:
    """Count the labels set on a row."""
    return sum(row[label] == "1" for label in label_names())


def words(text: str) -> list[str]:
    """Return the lower-cased words of a text, without punctuation."""
    return WORD.findall(text.lower())


def jaccard_above(first: set[str], second: set[str], threshold: float) -> bool:
    """Tell whether two word sets overlap by more than the threshold; unlike sizes are ruled out early."""
    small, large = sorted((first, second), key=len)
    if len(small) <= threshold * len(large):
        return False
    shared = len(small & large)
    return shared > threshold * (len(small) + len(large) - shared)


@pytest.mark.parametrize("split", SPLITS)
def test_columns_are_id_text_and_the_labels_in_order(split: str) -> None:
    header, _ = read_table(split)
    assert header == ["id", "text", *label_names()]


@pytest.mark.parametrize("split", SPLITS)
def test_every_row_has_as_many_cells_as_the_header(split: str) -> None:
    header, rows = read_table(split)
    assert [row for row in rows if len(row) != len(header)] == []


@pytest.mark.parametrize("split", SPLITS)
def test_every_label_cell_is_zero_or_one(split: str) -> None:
    labels = label_names()
    bad = [row["id"] for row in read_rows(split) if any(row[label] not in {"0", "1"} for label in labels)]
    assert bad == []


@pytest.mark.parametrize("split", SPLITS)
def test_every_label_occurs_at_least_four_times(split: str) -> None:
    rows = read_rows(split)
    counts = {label: sum(row[label] == "1" for row in rows) for label in label_names()}
    assert {label: count for label, count in counts.items() if count < 4} == {}


def test_labels_are_the_eleven_tags_without_repeats() -> None:
    labels = label_names()
    assert len(labels) == len(set(labels)) == 11


def test_ids_are_unique_across_the_files() -> None:
    ids = [row["id"] for row in all_rows()]
    assert len(ids) == len(set(ids))


def test_ids_have_the_documented_shape() -> None:
    assert [row["id"] for row in all_rows() if not re.fullmatch(r"fb-\d{4}", row["id"])] == []


def test_texts_are_not_empty_and_have_no_stray_whitespace() -> None:
    assert [row["id"] for row in all_rows() if not row["text"] or row["text"] != row["text"].strip()] == []


def test_no_two_longer_texts_share_most_of_their_words() -> None:
    tokenised = [(row["id"], words(row["text"])) for row in all_rows()]
    sets = [(row_id, set(tokens)) for row_id, tokens in tokenised if len(tokens) >= 6]
    similar = [
        (first_id, second_id)
        for index, (first_id, first) in enumerate(sets)
        for second_id, second in sets[index + 1 :]
        if jaccard_above(first, second, 0.6)
    ]
    assert similar == []


def test_no_two_texts_begin_with_the_same_five_words() -> None:
    seen: dict[tuple[str, ...], str] = {}
    repeats: list[tuple[str, str]] = []
    for row in all_rows():
        start = tuple(words(row["text"])[:5])
        if start in seen:
            repeats.append((seen[start], row["id"]))
        seen[start] = row["id"]
    assert repeats == []


def test_the_typical_text_is_a_sentence_or_two_long() -> None:
    median = statistics.median(len(row["text"].split()) for row in all_rows())
    assert 12 <= median <= 24


def test_text_lengths_spread_from_a_few_words_to_a_paragraph() -> None:
    lengths = [len(row["text"].split()) for row in all_rows()]
    assert min(lengths) <= 4
    assert max(lengths) >= 50


def test_a_quarter_to_half_of_the_rows_carry_several_labels() -> None:
    counts = [label_count(row) for row in all_rows()]
    assert 0.25 <= sum(count >= 2 for count in counts) / len(counts) <= 0.50


def test_a_few_rows_carry_no_label() -> None:
    counts = [label_count(row) for row in all_rows()]
    assert 0 < counts.count(0) / len(counts) <= 0.06
