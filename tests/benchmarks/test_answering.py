"""The questions, the score and the table of `benchmarks/answering.py`; the measurements themselves are not run here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import answering, questions
from benchmarks.questions import Question
from fastbert.data.examples import Answer, QuestionExample
from fastbert.metrics.answers import answer_scores
from tests.realdata import real_data
from tests.tasks.questions import question_rows, squad_json

WORDS = st.lists(st.sampled_from(["the", "Rome", "rome,", "old", "a", "1986", "-"]), max_size=4).map(" ".join)


def files(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as SQuAD files under the names of the real ones."""
    (folder / "squad").mkdir(parents=True)
    for part in ("train", "dev"):
        (folder / "squad" / f"{part}-v2.0.json").write_text(json.dumps(squad_json(rows)), encoding="utf-8")
    return folder


def test_a_part_is_spread_over_the_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTBERT_DATA", str(files(tmp_path, question_rows(40, unanswerable=0.4))))

    part = questions.load("squad2", 8)

    assert [one.key for one in questions.questions(part.train)] == [f"q{number}" for number in range(0, 40, 5)]
    assert len(questions.questions(questions.load("squad2").train)) == 40


@given(st.lists(st.tuples(WORDS, st.lists(WORDS.filter(lambda text: "Rome" in text), max_size=2)), min_size=1))
def test_scores_are_those_that_the_library_computes(rows: list[tuple[str, list[str]]]) -> None:
    asked = [Question("", "", "", tuple((text, 0) for text in right)) for _, right in rows]
    examples = [QuestionExample("", "", tuple(Answer(text, 0) for text in right)) for _, right in rows]

    found, expected = (
        questions.scores(asked, [said for said, _ in rows]),
        answer_scores([said for said, _ in rows], examples),
    )

    assert (found["exact_match"], found["f1"]) == pytest.approx((expected["exact_match"], expected["f1"]))


@pytest.mark.parametrize("name", questions.NAMES)
def test_the_first_right_answer_of_each_real_question_scores_one(name: str) -> None:
    real_data("squad")
    asked = questions.questions(questions.load(name).test)

    scores = questions.scores(asked, [question.answers[0][0] if question.answers else "" for question in asked])

    assert scores["exact_match"] == scores["f1"] == 1.0


def test_the_table_tells_parts_from_whole_files() -> None:
    def line(system: str, rows: int | None, f1: float) -> dict[str, Any]:
        scores = {"f1": f1, "exact_match": 0.5}
        return {"dataset": "squad1", "system": system, "rows": rows, "scores": scores, "examples_per_second": 10.0}

    table = answering.table([line("fastbert", None, 0.8), line("fastbert", None, 0.9), line("hf_trainer", 200, 0.2)])

    assert "| squad1 | f1 | 0.850 ± 0.071 (2) | - | - |" in table
    assert "| squad1, 200 questions | f1 | - | 0.200 (1) | - |" in table
