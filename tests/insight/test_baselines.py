"""Baselines: that they answer as predictions of the task, learn what can be learned, and say what they saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from fastbert.config import DecisionConfig
from fastbert.data.examples import Example, TextExample, ValueExample
from fastbert.errors import ConfigError
from fastbert.insight import baselines
from fastbert.insight.baselines import Rows, check_kinds, fit_baseline, kinds_for, sample
from fastbert.labels import Labels
from fastbert.tasks.classification import MultiLabel, SingleLabel
from fastbert.tasks.regression import Regression
from tests.feedback import feedback_rows, tagged_rows
from tests.insight.answered import QUESTIONS, TAGS, tags

SINGLE = SingleLabel(Labels(("praise", "bug")))
MULTI = MultiLabel(Labels(("bug", "praise", "long")))
NUMBER = Regression("words", mean=8.0, scale=4.0, low=4.0, high=13.0)


def single_rows() -> Rows:
    rows = [TextExample(row["text"], labels=(row["label"],)) for row in feedback_rows(45)]
    held_out = [row for index, row in enumerate(rows) if index % 5 == 0]  # each mood is in train, too
    return Rows([row for row in rows if row not in held_out], held_out)


def multi_rows() -> Rows:
    rows = [
        TextExample(str(row["text"]), labels=tuple(name for name in MULTI.labels if row[name]))
        for row in tagged_rows(45)
    ]
    return Rows(rows[:30], rows[30:])


def number_rows() -> Rows:
    rows = [ValueExample(row["text"], value=float(len(row["text"].split()))) for row in feedback_rows(45)]
    return Rows(rows[:30], rows[30:])


def test_the_rule_is_fitted_for_the_goal_of_the_model() -> None:
    rows = single_rows()

    plain, recalling = (
        fit_baseline("tfidf", SINGLE, replace(rows, deciding=DecisionConfig(goal=goal))).answer(rows.held_out)
        for goal in (None, "recall>=0.95@bug")
    )

    given = [sum(one.labels == ("bug",) for one in said) for said in (plain, recalling)]
    assert given[1] > given[0]


def test_a_baseline_answers_all_rows_whatever_the_model_holds_back() -> None:
    rows = single_rows()
    deciding = DecisionConfig(goal="precision>=0.9", abstain="risk<=0.01", outside=0.2)

    said = fit_baseline("tfidf", SINGLE, replace(rows, deciding=deciding)).answer(rows.held_out)

    assert all(one.labels for one in said)
    assert "coverage" not in SINGLE.score(said, rows.held_out)


def lengths(texts: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return vectors that know good words and how long a text is."""
    good = [any(word in text for word in ("good", "great", "fast", "love")) for text in texts]
    return np.array([[float(one), len(text) / 20] for one, text in zip(good, texts, strict=True)])


def test_the_majority_answers_every_text_with_the_most_frequent_label() -> None:
    rows = [TextExample("a", labels=("bug",))] * 3 + [TextExample("b", labels=("praise",))]

    found = fit_baseline("majority", SINGLE, Rows(rows, rows)).answer(rows)

    assert {one.labels for one in found} == {("bug",)}
    assert found[0].scores == {"praise": 0.25, "bug": 0.75}


def test_the_majority_of_several_labels_has_the_threshold_that_the_task_fits() -> None:
    rows = [TextExample("a", labels=("bug", "long"))] * 3 + [TextExample("b", labels=("long",))] * 7

    found = fit_baseline("majority", MULTI, Rows(rows, rows)).answer(rows[:1])[0]

    decisions = MULTI.fit_rule([found] * 10, rows, DecisionConfig())
    assert found.scores == {"bug": 0.3, "praise": 0.0, "long": 1.0}
    assert found.labels == MULTI.redecide([found], decisions)[0].labels


def test_the_majority_of_numbers_is_their_mean() -> None:
    rows = number_rows()

    scores = NUMBER.score(fit_baseline("majority", NUMBER, rows).answer(rows.train), rows.train)

    assert scores["r2"] == pytest.approx(0.0)


@pytest.mark.parametrize("name", ["tfidf", "embeddings"])
def test_a_linear_model_learns_labels(name: str) -> None:
    rows = single_rows()

    fitted = fit_baseline(name, SINGLE, rows, embed=lengths)

    assert SINGLE.score(fitted.answer(rows.held_out), rows.held_out)["accuracy"] >= 0.9
    assert sum(fitted.answer(rows.held_out[:1])[0].scores.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["tfidf", "embeddings"])
def test_a_linear_model_learns_several_labels(name: str) -> None:
    rows = multi_rows()

    fitted = fit_baseline(name, MULTI, rows, embed=lengths)

    answers = fitted.answer(rows.held_out)
    assert MULTI.score(answers, rows.held_out)["f1_macro"] > 0.8
    assert MULTI.redecide(answers, MULTI.fit_decisions(answers, rows.held_out)) == answers


@pytest.mark.parametrize("name", ["tfidf", "embeddings"])
def test_a_linear_model_learns_numbers(name: str) -> None:
    rows = number_rows()

    fitted = fit_baseline(name, NUMBER, rows, embed=lengths)

    assert NUMBER.score(fitted.answer(rows.held_out), rows.held_out)["r2"] > 0.8
    assert "ridge" in fitted.title


def test_pairs_are_compared() -> None:
    texts = [row["text"] for row in feedback_rows(40)]
    pairs = [(text, text if row % 2 else texts[(row + 7) % 40], row % 2) for row, text in enumerate(texts)]
    task = SingleLabel(Labels(("other", "same")))
    rows = [TextExample(first, second, labels=(("other", "same")[same],)) for first, second, same in pairs]

    fitted = fit_baseline("tfidf", task, Rows(rows[:30], rows[30:]))

    assert task.score(fitted.answer(rows[30:]), rows[30:])["accuracy"] >= 0.9


@pytest.mark.parametrize(
    ("task", "rows"), [(SINGLE, single_rows()), (MULTI, multi_rows()), (NUMBER, number_rows())], ids=str
)
def test_no_rows_have_no_answers(task: SingleLabel, rows: Rows) -> None:
    assert fit_baseline("tfidf", task, rows).answer([]) == []


def test_the_dictionary_knows_the_entities_of_the_training_rows() -> None:
    _, examples, _ = tags()

    fitted = fit_baseline("dictionary", TAGS, Rows(examples, []))

    assert TAGS.score(fitted.answer(examples), examples)["recall"] == 1.0


def test_of_many_rows_a_sample_is_used_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "MAX_ROWS", 20)

    fitted = fit_baseline("tfidf", SINGLE, single_rows())

    assert (fitted.trained_rows, fitted.of_rows) == (20, 36)


def test_a_sample_keeps_the_order_and_the_bound_on_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "MAX_CHARACTERS", 100)
    rows: list[Example] = [TextExample(f"{index:010}") for index in range(30)]

    drawn = sample(rows)

    assert len(drawn) == 10
    assert drawn == sorted(drawn, key=lambda example: example.text)


def test_many_labels_have_fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "MAX_CELLS", 60)
    monkeypatch.setattr(baselines, "FEWEST_ROWS", 5)
    rows: list[Example] = [TextExample(f"{index}") for index in range(30)]

    assert [len(sample(rows, num_labels=labels)) for labels in (2, 6, 60)] == [30, 10, 5]


def test_what_was_fitted_is_plain_values() -> None:
    values = fit_baseline("tfidf", SINGLE, single_rows()).to_json()

    assert set(values) == {
        "name", "title", "trained_rows", "of_rows", "seconds", "strength", "num_parameters"
    }  # fmt: skip
    assert values["strength"] in (0.5, 2.0, 8.0, 32.0)


def test_each_task_has_its_baselines() -> None:
    assert kinds_for(SINGLE) == kinds_for(NUMBER) == ("majority", "tfidf", "embeddings")
    assert (kinds_for(TAGS), kinds_for(QUESTIONS)) == (("dictionary",), ())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tfdif", "'tfdif' is not a baseline.\n  Did you mean 'tfidf'?"),
        ("dictionary", "The task single_label has no baseline 'dictionary'.\n  It has majority, tfidf, embeddings."),
    ],
)
def test_another_name_is_refused(name: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_kinds([name], SINGLE)

    assert str(caught.value) == message
