"""Rows that say nearly the same, of one table and of two."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from fastbert.config import DataConfig
from fastbert.errors import DataError
from fastbert.inference.predictor import TextInput
from fastbert.inference.similar_rows import SimilarRows, find_similar, write_pairs
from fastbert.inference.vector_files import Vectors
from tests.inference.test_vector_files import Lengths

ROWS = [{"text": "a long text"}, {"text": "b long text"}, {"text": " "}, {"text": "x"}]
CONFIG = DataConfig(text=("text",))


class Unit(Lengths):
    """Vectors of length 1."""

    def stream(self, texts: Iterable[TextInput], chunk: int = 2) -> Iterator[tuple[Vectors, int]]:
        for vectors_ND, cut in super().stream(texts, chunk):
            yield vectors_ND / np.linalg.norm(vectors_ND, axis=1, keepdims=True), cut


def test_pairs_have_row_numbers_and_texts() -> None:
    found = find_similar(Unit, ROWS, config=CONFIG, least=0.999)

    assert found.pairs[0] == (1.0, 1, 2, "a long text", "b long text")
    assert found.notes[0] == "1 rows of rows have no text and are left out"


def test_two_tables_are_compared_with_each_other() -> None:
    found = find_similar(Unit, ROWS[:1], ROWS[1:], config=CONFIG, least=0.999)

    assert [pair[1:3] for pair in found.pairs] == [(1, 1)]


def test_equal_texts_are_alike_to_1_however_they_are_batched() -> None:
    class Noisy(Unit):
        """Gives a text another vector in each place of a batch, as low precision does."""

        def stream(self, texts: Iterable[TextInput], chunk: int = 2) -> Iterator[tuple[Vectors, int]]:
            for vectors_ND, cut in super().stream(texts, chunk):
                turned = vectors_ND + 0.01 * np.arange(len(vectors_ND), dtype=np.float32)[:, None]
                yield turned / np.linalg.norm(turned, axis=1, keepdims=True), cut

    found = find_similar(Noisy, ROWS, [ROWS[3], ROWS[1], ROWS[1]], config=CONFIG, least=1.0)

    assert [pair[:3] for pair in found.pairs] == [(1.0, 2, 2), (1.0, 2, 3), (1.0, 4, 1)]
    assert found.notes[-1] == "1 different texts are too long and were compared by their beginning"


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_pairs_are_written(ending: str, tmp_path: Path) -> None:
    pairs = SimilarRows(((0.9, 1, 2, "one", "two"),))

    write_pairs(pairs, tmp_path / f"pairs{ending}", source="t.csv")

    text = (tmp_path / f"pairs{ending}").read_text(encoding="utf-8")
    assert "0.9" in text and "two" in text
    assert ending == ".csv" or json.loads(text)["other_row"] == 2


def test_pairs_are_not_compared_with_single_texts() -> None:
    pairs = [{"sentence1": "a long text", "sentence2": "another text"}, {"sentence1": "b text", "sentence2": "c text"}]

    with pytest.raises(DataError, match="Pairs of texts cannot be compared with single texts"):
        find_similar(Unit, pairs, ROWS, config=DataConfig(), least=0.9)
