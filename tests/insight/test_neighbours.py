"""The training rows nearest to a text, with vectors that are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from fastbert.data.examples import Example, TextExample, ValueExample
from fastbert.inference.predictor import TextInput
from fastbert.inference.vector_files import Vectors
from fastbert.insight.explanation import Explanation
from fastbert.insight.neighbours import TrainingRows
from tests.insight.explained import made_up


class Letters:
    """Vectors by how often a, b and c occur."""

    width = 3

    def stream(self, texts: Iterable[TextInput], chunk: int = 8) -> Iterator[tuple[Vectors, int]]:
        for text in texts:
            joined = text if isinstance(text, str) else " ".join(text)
            vector_D = np.array([joined.count(letter) for letter in "abc"], np.float32)
            yield vector_D[None] / np.linalg.norm(vector_D), 0


ROWS = [("a", "bug"), ("aab", "praise"), ("b", "bug"), ("c", "praise")]
EXAMPLES = [TextExample(text, labels=(label,), where=f"row {row}") for row, (text, label) in enumerate(ROWS, start=2)]


def asked(text: str) -> Explanation:
    explanation = made_up()
    return replace(explanation, prediction=replace(explanation.prediction, text=text))


def beside(examples: list[Example], text: str, count: int = 2) -> Explanation:
    (found,) = TrainingRows.of(examples, Letters).beside([asked(text)], count)
    return found


def test_the_nearest_rows_come_first_with_their_labels() -> None:
    found = beside(list(EXAMPLES), "a")

    assert [(row.text, row.truth, row.where) for row in found.similar] == [
        ("a", "bug", "row 2"),
        ("aab", "praise", "row 3"),
    ]
    assert found.similar[0].similarity == pytest.approx(1.0)


def test_rows_with_other_labels_than_the_answer_are_listed_apart() -> None:
    found = beside(list(EXAMPLES), "a", 5)

    assert [row.text for row in found.other] == ["aab", "c"]
    assert len(found.similar) == 4


def test_rows_without_labels_have_no_others() -> None:
    values: list[Example] = [ValueExample("a", value=2.0), ValueExample("b", value=3.0)]

    found = beside(values, "a")

    assert (found.similar[0].truth, found.other) == ("2", ())


def test_pairs_are_compared_as_pairs() -> None:
    pairs: list[Example] = [TextExample("a", "b", labels=("bug",)), TextExample("c", "c", labels=("bug",))]
    explanation = asked("a")
    pair = replace(explanation, prediction=replace(explanation.prediction, pair="b"))

    (found,) = TrainingRows.of(pairs, Letters).beside([pair], 1)

    assert (found.similar[0].text, found.similar[0].pair, found.other) == ("a", "b", ())
