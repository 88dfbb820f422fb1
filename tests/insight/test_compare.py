"""Comparisons of made-up answers: intervals, rows won and lost, tests, and careful sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from fastbert.data.examples import TextExample
from fastbert.errors import ConfigError
from fastbert.insight.compare import Comparison, compare, draw_scores, score_differences, verdict
from fastbert.insight.compare_view import outcome
from fastbert.jsonable import finite
from fastbert.tasks.label_prediction import LabelPrediction
from tests.insight.answered import MULTI, SINGLE, Made, holding_back, multi, numbers, questions, single, tags


def test_a_model_is_level_with_itself() -> None:
    task, examples, said = single()

    duel = compare(task, examples, {"one": said, "same": said}).duels[0]

    assert {(one.value, one.low, one.high, one.better) for one in duel.differences.values()} == {(0, 0, 0, 0.5)}
    assert (duel.won, duel.lost, duel.p_value) == ((), (), 1.0)
    assert duel.verdict == (
        "same cannot be told apart from one on these 40 rows: +0.0000 [+0.0000, +0.0000] in f1_macro."
    )


@pytest.mark.parametrize("make", [single, multi], ids=lambda make: make.__name__)
def test_a_much_better_model_is_told_apart_and_the_reverse_is_its_mirror(make: Callable[..., Made]) -> None:
    task, examples, bad = make(200, seed=1, skill=0.1)
    good = make(200, seed=2, skill=0.5)[2]

    forward = compare(task, examples, {"bad": bad, "good": good}).duels[0]
    backward = compare(task, examples, {"bad": bad, "good": good}, against="good").duels[0]

    assert "good is better than bad on these 200 rows: +0." in forward.verdict
    assert "bad is worse than good on these 200 rows: -0." in backward.verdict
    assert (forward.won, forward.lost) == (backward.lost, backward.won)
    for name, one in forward.differences.items():
        assert backward.differences[name].value == pytest.approx(-one.value)
        assert backward.differences[name].better == pytest.approx(1 - one.better)


def test_rows_won_are_those_that_only_the_second_has_right() -> None:
    examples = [TextExample(f"t{row}", labels=("a",)) for row in range(4)]
    right, wrong = (LabelPrediction((name,), {"a": 0.4, "b": 0.3, "c": 0.3}) for name in ("a", "b"))

    duel = compare(SINGLE, examples, {"one": [right, wrong, wrong, right], "two": [right, right, wrong, wrong]}).duels[
        0
    ]

    assert (duel.won, duel.lost) == ((1,), (3,))
    assert duel.test is not None and (duel.test.won, duel.test.lost) == (1, 1)


@pytest.mark.parametrize("make", [single, multi], ids=lambda make: make.__name__)
def test_a_model_that_holds_answers_back_is_level_with_itself(make: Callable[..., Made]) -> None:
    task, examples, said = make()
    unsure = holding_back((task, examples, said))[2]

    found = compare(task, examples, {"all": said, "sure": unsure}, whole={"sure": said})

    (duel,) = found.duels
    assert {(one.value, one.low, one.high) for one in (*duel.differences.values(), *duel.labels.values())} == {
        (0, 0, 0)
    }
    assert (duel.won, duel.lost) == ((), ())
    sure = found.standings[1]
    assert sure.scores == task.score(unsure, examples) != found.standings[0].scores
    assert all(one.low <= one.value <= one.high for one in sure.intervals.values())


def test_where_answers_are_held_back_the_outcome_says_what_is_compared() -> None:
    task, examples, said = single()
    unsure = holding_back((task, examples, said))[2]

    found = compare(task, examples, {"all": said, "sure": unsure}, whole={"sure": said})

    share = f"{found.standings[1].scores['coverage']:.1%}"
    assert found.basis == (
        f"Scores are of the rows that a model answers (sure {share}), F1 of a label is of all. Differences, rows won "
        "and lost, and outcomes are of all rows, by what each model decides before it holds an answer back."
    )
    assert found.basis in outcome(found)
    assert found.to_json()["notes"] == [found.basis]


def test_a_model_that_holds_answers_back_is_not_compared_without_them() -> None:
    task, examples, said = single()
    unsure = holding_back((task, examples, said))[2]

    with pytest.raises(ConfigError) as caught:
        compare(task, examples, {"all": said, "sure": unsure})

    share = f"{task.score(unsure, examples)['coverage']:.1%}"
    assert str(caught.value) == (
        f"sure answers {share} of the rows, and what it decides of the others is not given.\n"
        "  Give it as whole: the answers of model.with_decisions(model.task.open_rule(model.bundle.decisions))."
    )


def test_several_tests_are_corrected_and_told_apart_more_strictly() -> None:
    task, examples, first = single(60, seed=1, skill=0.2)
    others = {f"m{seed}": single(60, seed=seed, skill=0.35)[2] for seed in range(2, 6)}

    together = compare(task, examples, {"first": first, **others}).duels
    alone = [compare(task, examples, {"first": first, name: said}).duels[0] for name, said in others.items()]

    for one, other in zip(together, alone, strict=True):
        assert one.p_value is not None and other.p_value is not None and one.p_value >= other.p_value
        assert one.differences["f1_macro"].low == other.differences["f1_macro"].low
    assert sum(one.differences["f1_macro"].told_apart for one in together) <= sum(
        one.differences["f1_macro"].told_apart for one in alone
    )


def test_the_standard_deviation_of_draws_is_the_error_that_the_task_reports() -> None:
    task, examples, first = tags(200)
    second = tags(200, seed=5)[2]
    drawn = draw_scores(task, examples, {"first": first, "second": second})

    change_D = drawn.scores["second"]["f1"] - drawn.scores["first"]["f1"]

    assert change_D.std() == pytest.approx(task.score_error(second, examples, first), rel=0.35)


def test_numbers_have_no_mcnemar_and_rows_are_won_by_being_nearer() -> None:
    task, examples, bad = numbers(noise=1.0)
    good = numbers(seed=3, noise=0.05)[2]

    duel = compare(task, examples, {"bad": bad, "good": good}).duels[0]

    assert duel.test is None and duel.p_value is None
    assert len(duel.won) > 25 > len(duel.lost)
    assert duel.differences["rmse"].better == 1.0 and duel.differences["rmse"].value < 0
    assert duel.score == "r2"


@pytest.mark.parametrize("make", [tags, questions], ids=lambda make: make.__name__)
def test_entities_and_answers_are_compared(make: Callable[..., Made]) -> None:
    task, examples, said = make()

    found = compare(task, examples, {"one": said, "two": make(seed=1)[2]})

    assert set(found.duels[0].differences) >= {"f1", "exact_match"}
    assert set(found.duels[0].labels) == (set(task.known_labels or ()))
    assert finite(found.to_json())


def test_a_task_without_draws_is_compared_by_its_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    task, examples, first = single(100, seed=1, skill=0.2)
    second = single(100, seed=2, skill=0.6)[2]
    monkeypatch.setattr("fastbert.insight.compare.resampled", lambda *given: None)
    drawn = draw_scores(task, examples, {"one": first, "two": second})

    found = score_differences(task, examples, (first, second), (drawn, ("one", "two")))

    error = task.score_error(second, examples, first)
    assert list(found) == ["f1_macro"] and found["f1_macro"].told_apart
    assert (found["f1_macro"].high - found["f1_macro"].low) / 3.92 == pytest.approx(error, rel=0.1)


def test_many_labels_have_fewer_draws_for_scores_of_the_order_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastbert.insight.compare.RANKED_CELLS", 40 * 3 * 300)
    task, examples, said = multi()

    drawn = draw_scores(task, examples, {"one": said})

    assert drawn.sizes == (2000, 300)
    assert {name: len(values) for name, values in drawn.scores["one"].items()}["average_precision_macro"] == 300


def test_the_same_seed_gives_the_same_intervals_and_another_one_others() -> None:
    task, examples, said = single()

    first, second, other = (compare(task, examples, {"one": said}, seed=seed).standings[0] for seed in (0, 0, 1))

    assert first.intervals == second.intervals != other.intervals


def test_a_reference_that_is_no_model_is_refused() -> None:
    task, examples, said = single()

    with pytest.raises(ConfigError) as caught:
        compare(task, examples, {"first": said}, against="frist")

    assert str(caught.value) == "There is no model 'frist' to compare against.\n  Did you mean 'first'?"


def test_where_no_score_is_defined_the_sentence_says_so() -> None:
    task, examples, said = single()
    duel = compare(task, examples, {"one": said, "two": said}).duels[0]

    assert verdict(replace(duel, score=""), 40) == (
        "two and one cannot be compared on these 40 rows: no score is defined for both."
    )


def test_json_has_scores_differences_and_tests_but_no_text() -> None:
    task, examples, said = multi()

    values = compare(task, examples, {"one": said, "two": multi(seed=1)[2]}).to_json()

    assert set(values) == {"task", "rows", "against", "models", "comparisons", "draws", "notes"}
    assert "text 1" not in str(values)
    assert MULTI.monitor in str(values)


def test_rows_of_one_group_are_drawn_together() -> None:
    task, examples, bad = single(200, seed=1, skill=0.1)
    good = single(200, seed=2, skill=0.5)[2]
    some = [cast("TextExample", example) for example in examples[:20]]
    ten = [example for example in some for _ in range(10)]  # every row ten times tells no more than once
    answers = {name: [one for one in said[:20] for _ in range(10)] for name, said in (("bad", bad), ("good", good))}
    apart = [replace(example, text=f"{example.text} {row}") for row, example in enumerate(ten)]
    grouped = [replace(example, group=str(row // 10)) for row, example in enumerate(apart)]

    once = compare(task, examples[:20], {name: said[::10] for name, said in answers.items()})
    alike, together, single_rows = (compare(task, rows, answers) for rows in (ten, grouped, apart))

    def width(comparison: Comparison) -> float:
        found = comparison.duels[0].differences["f1_macro"]
        return found.high - found.low

    assert width(together) == width(alike) == pytest.approx(width(once))
    assert width(together) > 2 * width(single_rows)
    assert "The 200 rows are 20 units: those with a group or a text in common" in together.notes[0]
    assert once.notes == single_rows.notes == ()
    one_unit = compare(task, [replace(example, text="the same") for example in apart], answers)
    assert width(one_unit) == width(single_rows)  # and not 0, which would be certain
