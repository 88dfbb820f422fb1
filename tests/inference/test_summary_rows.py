"""Summaries of a table, and how they compare with those that people wrote."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from fastbert.config import DataConfig
from fastbert.errors import ConfigError, DataError
from fastbert.inference.summary_rows import read_summary_table, summarize_rows, write_summaries

CONFIG = DataConfig(text=("text",))
ROWS = [
    {"text": "One is here. Two is there.", "short": "two is there", "summary": 1},
    {"text": " ", "short": "none", "summary": 2},
    {"text": "Three.", "short": None, "summary": 3},
]


def last_sentences(texts: Sequence[str]) -> list[str]:
    """Summarise a text by its last sentence."""
    return [text.split(". ")[-1] for text in texts]


def test_rouge_stands_beside_that_of_the_first_sentences() -> None:
    result = summarize_rows(read_summary_table(ROWS, CONFIG, "short"), last_sentences, sentences=1)

    assert result.summaries == ("Two is there.", None, "Three.")
    assert result.to_json() == {
        "rows": 3,
        "empty": 1,
        "compared": 1,
        "rouge": {"rouge1": 1.0, "rouge2": 1.0, "rougeL": 1.0},
        "lead": {"rouge1": pytest.approx(1 / 3), "rouge2": 0.0, "rougeL": pytest.approx(1 / 3)},
    }


def test_without_references_nothing_is_measured() -> None:
    result = summarize_rows(read_summary_table(ROWS, CONFIG), last_sentences)

    assert result.to_json() == {"rows": 3, "empty": 1}


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_summaries_stand_behind_the_columns(ending: str, tmp_path: Path) -> None:
    texts = read_summary_table(ROWS, CONFIG)
    out = tmp_path / f"out{ending}"

    write_summaries(texts, summarize_rows(texts, last_sentences), out, source="rows")

    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file)) if ending == ".csv" else [json.loads(line) for line in file]
    assert [row["summary_2"] or None for row in rows] == ["Two is there.", None, "Three."]
    assert list(rows[0]) == ["text", "short", "summary", "summary_2"]


def test_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(DataError, match="has no column 'shrot'"):
        read_summary_table(ROWS, CONFIG, "shrot")


def test_an_empty_reference_column_is_refused() -> None:
    with pytest.raises(DataError, match="column 'short' holds no text to compare summaries with"):
        read_summary_table(ROWS[2:], CONFIG, "short")


def test_a_pair_of_texts_is_refused() -> None:
    with pytest.raises(ConfigError, match="--text names 2 columns; one is summarised"):
        read_summary_table(ROWS, DataConfig(text=("text", "short")))
