"""Lengths in tokens."""

from __future__ import annotations

from pathlib import Path

from fastbert.data.tokens import Tokenizer
from fastbert.insight.doctor.lengths import measure_lengths
from tests.helpers import MAX_TOKENS, word_tokenizer
from tests.insight.doctor.made import only, read


def tokenizer() -> Tokenizer:
    return Tokenizer(word_tokenizer(), pad_id=0, max_tokens=MAX_TOKENS, input_names=["input_ids"])


def test_words_and_two_special_tokens_are_counted(tmp_path: Path) -> None:
    rows = [["the app", "a"], ["the app is slow", "b"], ["the app " * 9, "a"]]

    lengths, findings = measure_lengths(read(tmp_path, train=rows), tokenizer(), 16)

    found = lengths["train"]
    assert (found.median, found.high, found.longest, found.over) == (6, 20, 20, 1)
    cut = only(findings, "long_text")
    assert (cut.severity, cut.rows[0].place, cut.rows[0].detail) == ("look", "train.csv, row 4", "20 tokens")
    assert cut.sentence == "1 of 3 rows (33 %) of train have more than 16 tokens and are cut (head_tail)."


def test_windows_read_all_of_a_text(tmp_path: Path) -> None:
    options: dict[str, object] = {"text": "text", "labels": ("label",), "truncation": "windows"}
    rows = [["the app", "a"], ["the app " * 9, "b"]]

    _, findings = measure_lengths(read(tmp_path, train=rows, options=options), tokenizer(), 16)

    assert (only(findings, "long_text").severity, len(only(findings, "long_text").rows)) == ("note", 1)


def test_short_texts_are_silent(tmp_path: Path) -> None:
    assert measure_lengths(read(tmp_path, train=[["the app", "a"], ["a bug", "b"]]), tokenizer(), 16)[1] == []
