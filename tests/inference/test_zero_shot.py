"""Labels without training: the nearest description, by vectors whose cosines are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from fastbert.config import DataConfig
from fastbert.data.table import Row
from fastbert.errors import ConfigError, DataError
from fastbert.inference.predictor import TextInput
from fastbert.inference.vector_files import Vectors, read_texts
from fastbert.inference.zero_shot import ZeroShotLabeller, label_rows, softmax
from fastbert.tasks.base import Prediction
from tests.realdata import real_data

# Angles in degrees: the cosine of two texts is that of their difference.
ANGLES = {"east": 0.0, "north": 90.0, "west": 180.0, "northeast": 45.0, "a": 10.0, "b": 80.0, "c": 135.0, "far": 270.0}


class Compass:
    """Embeds a known word as its direction, not of length 1."""

    width = 2

    def stream(self, texts: Iterable[TextInput], chunk: int = 2) -> Iterator[tuple[Vectors, int]]:
        angles = np.deg2rad([ANGLES[str(text)] for text in texts])
        yield 3 * np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32).reshape(-1, 2), 1


class Kept:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, tuple[str, ...] | None]] = []

    def write(self, row: Row, prediction: Prediction | None) -> None:
        self.rows.append((row.number, None if prediction is None else prediction.labels))


def test_a_text_gets_the_nearest_label() -> None:
    label = ZeroShotLabeller.of(Compass(), ["east", "north"])

    assert [answer.labels for answer in label(["a", "b"])] == [("east",), ("north",)]


def test_scores_are_the_softmax_of_cosines_over_the_temperature() -> None:
    (answer,) = ZeroShotLabeller.of(Compass(), ["east", "north"], temperature=0.5)(["a"])

    cosines = np.cos(np.deg2rad([10.0, 80.0])) / 0.5
    expected = np.exp(cosines) / np.exp(cosines).sum()
    np.testing.assert_allclose(list(answer.scores.values()), expected, rtol=1e-5)
    assert (list(answer.scores), answer.text) == (["east", "north"], "a")


def test_several_phrases_of_a_label_are_averaged() -> None:
    label = ZeroShotLabeller.of(Compass(), {"up": ["east", "north"], "north": []}, multi=True)

    (answer,) = label(["northeast"])

    np.testing.assert_allclose(list(answer.scores.values()), [1.0, np.cos(np.pi / 4)], rtol=1e-5)


@pytest.mark.parametrize(
    ("threshold", "labels"), [(0.9, ()), (0.7, ("north", "west")), (-1.0, ("north", "west", "east"))]
)
def test_each_label_that_is_near_enough_is_given_the_nearest_first(threshold: float, labels: tuple[str, ...]) -> None:
    label = ZeroShotLabeller.of(Compass(), ["north", "west", "east"], multi=True, threshold=threshold)

    assert label(["c"])[0].labels == labels


def test_rows_without_a_text_are_kept_without_an_answer() -> None:
    texts = read_texts(
        [{"text": "a", "n": 1}, {"text": " ", "n": 2}, {"text": "b", "n": 3}], DataConfig(text=("text",))
    )
    kept = Kept()

    counts = label_rows(texts, ZeroShotLabeller.of(Compass(), ["east", "north"]), kept)

    assert kept.rows == [(1, ("east",)), (2, None), (3, ("north",))]
    assert counts == (1, 1)


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (["east"], {}, "1 labels are given; expected at least 2"),
        ([], {"multi": True}, "0 labels are given; expected at least 1"),
        (["east", "east"], {}, "A label is named twice"),
        ({"east": ["east", " "], "north": []}, {}, "Label 'east' has an empty description"),
        (["east", "north"], {"temperature": 0.0}, "temperature is 0; expected a number above 0"),
        (["east", "north"], {"threshold": 30.0}, "threshold is 30; expected a cosine, from -1 to 1"),
    ],
)
def test_labels_that_decide_nothing_are_refused(
    labels: Mapping[str, Sequence[str]] | Sequence[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises((DataError, ConfigError), match=message):
        ZeroShotLabeller.of(Compass(), labels, **options)


@given(arrays(np.float32, (3, 4), elements={"min_value": -1e3, "max_value": 1e3}))
def test_a_softmax_adds_up_to_one(logits_NC: np.typing.NDArray[np.float32]) -> None:
    scores_NC = softmax(logits_NC)

    np.testing.assert_allclose(scores_NC.sum(axis=1), 1.0)
    assert (scores_NC.max(axis=1) == scores_NC[np.arange(3), logits_NC.argmax(axis=1)]).all()


def test_descriptions_beat_the_most_frequent_label_on_questions() -> None:
    """TREC's first 60 test questions: 10 of them ask for a description, the most frequent of the test labels here."""
    from fastbert.inference.embedder import Embedder

    lines = real_data("trec6/test.txt").read_text(encoding="latin-1").splitlines()[:60]
    truth, questions = zip(*((line.split(":")[0], line.split(" ", 1)[1]) for line in lines), strict=True)
    described = {
        "ABBR": ["What does an abbreviation stand for?"],
        "DESC": ["What is the definition or reason of something?"],
        "ENTY": ["What thing: an animal, product, color or food?"],
        "HUM": ["Who is the person?"],
        "LOC": ["Where is the place: a city, country or state?"],
        "NUM": ["How many or how much: a number, date or distance?"],
    }

    answers = ZeroShotLabeller.of(Embedder.open("minilm"), described)(questions)

    right = sum(answer.labels == (name,) for answer, name in zip(answers, truth, strict=True))
    assert right > max(map(truth.count, set(truth)))


def test_one_text_is_no_list_of_texts_or_labels() -> None:
    labeller = ZeroShotLabeller.of(Compass(), ["east", "north"])

    with pytest.raises(DataError, match="a single text was given"):
        labeller("east")
    with pytest.raises(DataError, match="The labels are one text, 'east'"):
        ZeroShotLabeller.of(Compass(), "east")
    assert np.allclose(ZeroShotLabeller.of(Compass(), {"x": "east", "y": ["north"]}).vectors_CD, labeller.vectors_CD)
