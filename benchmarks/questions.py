"""The SQuAD files of the benchmarks, whole or in part, and the official score of answers, written from its description.

Both sides train on the same questions and are scored on the same ones, those of the development file, which neither
side reads before. Knows neither FastBert nor a peer.
"""

import json
import re
import string
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.datasets import data_root

Json = dict[str, Any]
VERSIONS = {"squad1": "v1.1", "squad2": "v2.0"}
NAMES = tuple(VERSIONS)


@dataclass(frozen=True)
class Question:
    """A question about a context. answers: texts and first characters, none where the context has no answer."""

    key: str
    text: str
    context: str
    answers: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class QuestionBenchmark:
    """Contents of a file to train on and of one to be scored on. unanswerable: some questions have no answer."""

    name: str
    train: Json
    test: Json
    unanswerable: bool


def load(name: str, rows: int | None = None) -> QuestionBenchmark:
    """Read a data set of `NAMES`. rows: as many questions of either file, evenly spread; None for all of them.

    Raises FileNotFoundError where the data are missing.
    """
    version = VERSIONS[name]
    folder = data_root() / "squad"
    train, test = (json.loads((folder / f"{part}-{version}.json").read_text("utf-8")) for part in ("train", "dev"))
    if rows is not None:
        train, test = _part(train, rows), _part(test, rows)
    return QuestionBenchmark(name, train, test, version == "v2.0")


def questions(content: Json) -> list[Question]:
    """Return the questions of a file's content in its order."""
    return [
        Question(
            given["id"],
            given["question"],
            paragraph["context"],
            tuple((answer["text"], answer["answer_start"]) for answer in given["answers"]),
        )
        for article in content["data"]
        for paragraph in article["paragraphs"]
        for given in paragraph["qas"]
    ]


def write(content: Json, path: Path) -> Path:
    """Write a file's content, and return its path."""
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def scores(asked: list[Question], said: list[str]) -> dict[str, float]:
    """Return exact match and F1 from 0 to 1 (Rajpurkar et al. 2016, 2018), and those of each kind of question.

    said: the answer to each question, "" for none.
    """
    matches = [_best(question, answer) for question, answer in zip(asked, said, strict=True)]
    found = _means("", matches)
    with_answer = [match for question, match in zip(asked, matches, strict=True) if question.answers]
    without = [match for question, match in zip(asked, matches, strict=True) if not question.answers]
    return found | (_means("_answered", with_answer) | _means("_unanswered", without) if without else {})


def _means(ending: str, matches: list[tuple[float, float]]) -> dict[str, float]:
    names = (f"exact_match{ending}", f"f1{ending}")
    return {name: sum(values) / len(values) for name, values in zip(names, zip(*matches, strict=True), strict=False)}


def _best(question: Question, said: str) -> tuple[float, float]:
    pairs = [_match(said, answer) for answer, _ in question.answers] or [_match(said, "")]
    return max(exact for exact, _ in pairs), max(f1 for _, f1 in pairs)


def _match(said: str, right: str) -> tuple[float, float]:
    words, right_words = _words(said), _words(right)
    if not words or not right_words:
        same = float(words == right_words)
        return same, same
    shared = (Counter(words) & Counter(right_words)).total()
    return float(words == right_words), 2 * shared / (len(words) + len(right_words))


def _words(text: str) -> list[str]:
    """Return what is compared: lower case, without punctuation and articles."""
    kept = "".join(sign for sign in text.lower() if sign not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", kept).split()


def _part(content: Json, rows: int) -> Json:
    """Return a file with so many of its questions, evenly spread, and the contexts that they are about."""
    total = len(questions(content))
    wanted = {number * total // rows for number in range(min(rows, total))}
    number = 0
    articles = []
    for article in content["data"]:
        paragraphs = []
        for paragraph in article["paragraphs"]:
            kept = [given for place, given in enumerate(paragraph["qas"], start=number) if place in wanted]
            number += len(paragraph["qas"])
            paragraphs += [{**paragraph, "qas": kept}] if kept else []
        articles += [{**article, "paragraphs": paragraphs}] if paragraphs else []
    return {**content, "data": articles}
