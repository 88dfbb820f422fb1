"""The task of questions: windows, targets, loss, answers, scores, and what it says of itself."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fastbert.config import DataConfig
from fastbert.data.databunch import DataBunch
from fastbert.data.examples import Answer, QuestionExample
from fastbert.data.features import EncodedRows, Features
from fastbert.data.question_detection import SQUAD
from fastbert.decisions.rules import Decisions
from fastbert.errors import BundleError, ConfigError, DataError
from fastbert.tasks import task_from_json
from fastbert.tasks.answer_prediction import AnswerPrediction, AnswerSpan, answered
from fastbert.tasks.answering import Answering, _rough_tokens
from fastbert.tasks.base import Prediction, pad_batch
from tests.data.test_tokens import small
from tests.tasks.questions import question_rows

TASK, MAY_BE_NONE = Answering(), Answering(unanswerable=True)
CONTEXT = "anna loves the old page in berlin"
KNOWN = QuestionExample("who ?", CONTEXT, (Answer("anna", 0),), "a.json, question 1")
NONE = QuestionExample("where ?", "the old page", ())
LONG = QuestionExample("where ?", "the old page " * 10 + "in berlin", (Answer("berlin", 133),))
RNG = np.random.default_rng(0)


def said(answer: str, context: str = CONTEXT, *, score: float = 1.0, no_answer: float = 0.0) -> AnswerPrediction:
    start = context.index(answer) if answer else None
    spans = (AnswerSpan(answer, start, start + len(answer), score),) if start is not None else ()
    end = None if start is None else start + len(answer)
    return AnswerPrediction(pair=context, start=start, end=end, score=score, no_answer=no_answer, alternatives=spans)


def decode(features: Features, examples: list[QuestionExample], *tokens: tuple[int, int]) -> list[Prediction]:
    """Decode logits that are 0 but for a 9 at the first and the last token of an answer, of each window."""
    shape = pad_batch(features, 0)["input_ids"].shape
    outputs = {name: np.zeros(shape, np.float32) for name in TASK.outputs}
    for window, places in enumerate(tokens):
        for name, place in zip(TASK.outputs, places, strict=True):
            outputs[name][window, place] = 9.0
    return TASK.decode(outputs, features, examples, Decisions())


# --- what it is made of -----------------------------------------------------------------------------


def test_it_knows_from_training_rows_whether_there_may_be_no_answer() -> None:
    assert Answering.from_examples([KNOWN], SQUAD, DataConfig()) == Answering(unanswerable=False)
    assert Answering.from_examples([KNOWN, NONE], SQUAD, DataConfig()) == Answering(unanswerable=True)


def test_long_training_answers_allow_long_answers() -> None:
    long = QuestionExample("what ?", "the page " * 40, (Answer("the page " * 40, 0),))

    assert Answering.from_examples([long], SQUAD, DataConfig()).max_answer_tokens == 80
    assert Answering.from_examples([KNOWN], SQUAD, DataConfig()).max_answer_tokens == 30


def test_questions_without_any_answer_teach_nothing() -> None:
    with pytest.raises(DataError, match="None of the 1 questions has an answer"):
        Answering.from_examples([NONE], SQUAD, DataConfig())


@pytest.mark.parametrize(
    ("text", "count"), [("anna", 1), ("constitutional", 3), ("1986, Rome", 3), ("\u4e16\u754c", 2)]
)
def test_tokens_are_guessed_from_words(text: str, count: int) -> None:
    assert _rough_tokens(text) == count


@pytest.mark.parametrize("task", [TASK, Answering(True, 44)])
def test_it_comes_back_from_json(task: Answering) -> None:
    assert task_from_json(json.loads(json.dumps(task.to_json()))) == task


@pytest.mark.parametrize("change", [{"unanswerable": None}, {"max_answer_tokens": 0}, {"max_answer_tokens": "30"}])
def test_damaged_json_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BundleError, match="the task 'answering' has"):
        Answering.from_json(TASK.to_json() | change)


def test_it_says_what_it_does() -> None:
    assert TASK.describe() == "answering of questions by a part of their context"
    assert TASK.fitted == "" and MAY_BE_NONE.fitted == "margin of no answer"
    assert "None is given" not in TASK.rule(Decisions())
    assert MAY_BE_NONE.rule(Decisions(no_answer_margin=1.5)).endswith("of every window is higher by more than 1.5.")
    assert MAY_BE_NONE.rule(Decisions(no_answer_margin=-1.5)).endswith("is higher, or by less than 1.5 lower.")
    assert "it gives one all the same" in TASK.caveat


def test_a_loss_of_another_task_is_refused() -> None:
    with pytest.raises(ConfigError, match="loss is 'balanced', which the task 'answering' does not know"):
        TASK.with_loss("balanced", [KNOWN])


def test_rows_are_counted_by_whether_they_have_an_answer() -> None:
    assert TASK.counts([KNOWN, NONE, KNOWN]) == {"with an answer": 2, "without an answer": 1}
    assert TASK.strata([KNOWN, NONE]) == [("with an answer",), ("without an answer",)]
    assert TASK.counts([KNOWN]) == {"with an answer": 1}


def test_a_context_in_two_splits_is_warned_of() -> None:
    other = QuestionExample("where ?", CONTEXT, (Answer("berlin", 27),))

    warnings = TASK.warnings({"train": [KNOWN], "test": [other, LONG]})

    assert warnings[-1].startswith("1 of 2 questions in test are about a context that is in train too: the scores")


def test_questions_without_answers_in_another_split_alone_are_warned_of() -> None:
    assert "1 of 2 questions in test have no answer, but all in train" in TASK.warnings({"test": [KNOWN, NONE]})[-1]
    assert MAY_BE_NONE.warnings({"test": [KNOWN, NONE]}) == []


def test_what_is_lost_among_tokens_is_warned_of() -> None:
    part = QuestionExample("who ?", CONTEXT, (Answer("ann", 0),))
    wide = QuestionExample("what ?", "the old page is new " * 10, (Answer("the old page is new " * 9, 0),))

    warnings = TASK.token_warnings(TASK.encode([KNOWN, part, wide, NONE, LONG], small(), 24))

    assert warnings == [
        "1 of 4 answers begin or end inside of a token: the whole token is learned, and will be answered.",
        "1 of 4 answers are in no window as a whole and cannot be learned. Give longer windows with --max-tokens, or "
        "shorter answers.",
    ]


def test_questions_to_answer_have_no_warnings_about_answers() -> None:
    assert TASK.token_warnings(TASK.encode([QuestionExample("who ?", CONTEXT)], small(), 24)) == []


# --- windows, targets and loss ----------------------------------------------------------------------


def test_every_window_begins_with_the_question() -> None:
    features = TASK.encode([LONG], small(), 16)

    assert len(features) > 2
    assert {tuple(feature.input_ids_L[:4].tolist()) for feature in features} == {tuple(features[0].input_ids_L[:4])}
    assert list(features[1].pieces) == [(0, 7)]


def test_windows_share_a_third_of_their_tokens() -> None:
    features = TASK.encode([LONG], small(), 24)

    first, second = (features.padded("start", -1)[window, 4:-1].tolist() for window in (0, 1))
    assert len(set(first) & set(second)) == 8


def test_examples_are_counted_from_a_given_index() -> None:
    features = TASK.encode([KNOWN, NONE], small(), 24, first_index=5)

    assert features.example_W.tolist() == [5, 6]
    assert list(features[1].pieces) == [(0, 7)]


def test_targets_are_positions_in_each_window() -> None:
    """[CLS] where ? [SEP] and 11 of 32 tokens of the context, of which berlin is the last."""
    features = TASK.encode([KNOWN, NONE, LONG], small(), 16)

    targets = TASK.targets(features, 16, RNG)

    last = len(features) - 1
    assert targets["start_positions"].tolist() == [4, 0] + [0] * (last - 2) + [14]
    assert targets["start_positions"].tolist() == targets["end_positions"].tolist()
    assert targets["start_positions"].dtype == np.int64


def test_questions_to_answer_have_no_targets() -> None:
    with pytest.raises(ValueError, match="not known have no targets"):
        TASK.targets(TASK.encode([QuestionExample("who ?", CONTEXT)], small(), 24), 24, RNG)


def test_the_loss_is_the_mean_of_start_and_end_and_counts_windows() -> None:
    features = TASK.encode([KNOWN, NONE], small(), 24)
    batch = pad_batch(features, 0) | TASK.targets(features, 24, RNG)
    tensors = {name: torch.from_numpy(array) for name, array in batch.items()}
    zeros = torch.zeros(batch["input_ids"].shape)

    total, count = TASK.loss({"start_logits": zeros, "end_logits": zeros + 1}, tensors)

    lengths = batch["attention_mask"].sum(axis=1)
    assert count == 2.0
    assert float(total) == pytest.approx(float(np.log(lengths).sum()))


# --- answers ----------------------------------------------------------------------------------------


def test_the_best_span_of_any_window_is_the_answer() -> None:
    features = TASK.encode([KNOWN, LONG], small(), 16)

    first, second = decode(features, [KNOWN, LONG], (4, 5), *[(0, 0)] * (len(features) - 2), (13, 14))

    assert (answered(first).answer, answered(second).answer) == ("anna loves", "in berlin")
    assert (answered(second).start, answered(second).end) == (130, 139)


def test_a_question_that_fills_a_window_is_said_to_be_cut() -> None:
    long = QuestionExample("who ? " * 20, CONTEXT)

    (prediction,) = decode(TASK.encode([long], small(), 16)[:1], [long])

    assert prediction.cut


@given(
    contexts=st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=4),
    seed=st.integers(0, 99),
    max_tokens=st.integers(10, 24),
)
def test_an_answer_is_the_part_of_the_context_that_its_characters_say(
    contexts: list[str], seed: int, max_tokens: int
) -> None:
    examples = [QuestionExample("who ?", context) for context in contexts]
    features = TASK.encode(examples, small(), max_tokens)
    shape = pad_batch(features, 0)["input_ids"].shape
    outputs = {name: np.random.default_rng(seed).normal(size=shape).astype(np.float32) for name in TASK.outputs}

    for example, prediction in zip(examples, TASK.decode(outputs, features, examples, Decisions()), strict=True):
        found = answered(prediction)
        assert all(example.pair[span.start : span.end] == span.answer != "" for span in found.alternatives)
        assert found.answer == ("" if found.start is None else example.pair[found.start : found.end])
        assert (found.start is None) == (not found.alternatives)


def test_windows_in_any_order_and_one_by_one_give_the_same_answers() -> None:
    examples = [KNOWN, LONG]
    encoded = EncodedRows.of(TASK.encode(examples, small(), 16), 2)
    reversed_rows = encoded.windows_of(np.array([1, 0]))
    places = [(0, 0)] * (len(reversed_rows) - 2)

    second, first = decode(reversed_rows, [LONG, KNOWN], *places, (14, 14), (4, 4))

    assert (answered(first).answer, answered(second).answer) == ("anna", "berlin")


# --- scores and decisions ---------------------------------------------------------------------------


def test_scores_are_those_of_the_official_scripts() -> None:
    assert TASK.score([said("anna"), said("in berlin")], [KNOWN, KNOWN]) == {"exact_match": 0.5, "f1": 0.5}
    scores = MAY_BE_NONE.score([said("anna loves"), said("")], [KNOWN, NONE])
    assert scores == pytest.approx(
        {"exact_match": 0.5, "f1": 5 / 6, "exact_match_answered": 0, "f1_answered": 2 / 3, "no_answer_accuracy": 1}
    )


def test_the_error_of_f1_is_that_of_a_mean() -> None:
    predictions = [said("anna")] * 3 + [said("berlin")]

    assert TASK.score_error(predictions, [KNOWN] * 4) == pytest.approx(np.std([1, 1, 1, 0]) / 2)
    assert TASK.score_error([], []) == 0.0
    others = [said("berlin")] * 4
    assert TASK.score_error(predictions, [KNOWN] * 4, against=others) == pytest.approx(np.std([1, 1, 1, 0]) / 2)
    assert TASK.score_error(predictions, [KNOWN] * 4, against=predictions) == 0.0


def test_an_answer_is_right_partly_right_or_wrong() -> None:
    assert [TASK.agreement(said(text), KNOWN) for text in ("anna", "anna loves", "berlin")] == [
        "right",
        "partly",
        "wrong",
    ]


def test_a_sure_mistake_loses_more_than_an_unsure_one() -> None:
    unsure, sure = said("berlin", score=0.5), said("berlin", score=0.999)

    losses = [TASK.row_loss(one, KNOWN) for one in (said("anna", score=0.9), unsure, sure)]

    assert losses == pytest.approx([-np.log(0.9), -np.log(0.5), -np.log(0.001)])


def test_the_loss_of_a_question_without_answer_is_that_of_saying_so() -> None:
    assert MAY_BE_NONE.row_loss(said("", no_answer=0.25), NONE) == pytest.approx(-np.log(0.25))
    assert TASK.row_loss(said("old", "the old page"), NONE) > 30


def test_answers_that_are_not_known_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="a question whose answers are not known cannot be scored"):
        TASK.row_loss(said("anna"), QuestionExample("who ?", CONTEXT))


def with_margin(margin: float, answer: str = "anna", context: str = CONTEXT) -> AnswerPrediction:
    start = context.index(answer)
    span = AnswerSpan(answer, start, start + len(answer), 1.0)
    return AnswerPrediction(pair=context, margin=margin, alternatives=(span,))


def test_the_margin_is_fitted_where_questions_with_and_without_an_answer_part() -> None:
    """Answers are right up to a margin of 3; the question without one has a margin of 5."""
    predictions = [with_margin(-2.0), with_margin(3.0), with_margin(5.0, "old", "the old page")]

    decisions = MAY_BE_NONE.fit_decisions(predictions, [KNOWN, KNOWN, NONE])

    assert decisions == Decisions(no_answer_margin=4.0)


@pytest.mark.parametrize(
    ("task", "examples"), [(TASK, [KNOWN, NONE]), (MAY_BE_NONE, [KNOWN, KNOWN]), (MAY_BE_NONE, [NONE, NONE])]
)
def test_without_both_kinds_of_questions_nothing_is_fitted(task: Answering, examples: list[QuestionExample]) -> None:
    assert task.fit_decisions([with_margin(1.0), with_margin(2.0)], examples) == Decisions()


def test_a_margin_fitted_beside_contexts_without_tokens_can_be_saved() -> None:
    nothing = AnswerPrediction(pair=" ", margin=float("inf"))

    decisions = MAY_BE_NONE.fit_decisions([with_margin(1.0), nothing], [KNOWN, QuestionExample("who ?", " ", ())])

    assert Decisions.from_json(json.loads(json.dumps(decisions.to_json(), allow_nan=False))) == decisions


# --- in a set of data -------------------------------------------------------------------------------


def test_no_context_crosses_the_split() -> None:
    rows = [row | {"question": f"{row['question']} {copy}"} for row in question_rows(12) for copy in range(3)]

    data = DataBunch.from_files(rows)

    contexts = {split: {example.pair for example in data.examples(split)} for split in ("train", "valid")}
    assert not contexts["train"] & contexts["valid"]
    assert {len(data.examples("valid")) % 3, len(data.examples("train")) % 3} == {0}


def test_long_contexts_are_read_in_windows_whatever_is_asked_for() -> None:
    data = DataBunch.from_files(question_rows(12), truncation="head")

    assert data.config.truncation == "windows"


def test_questions_without_any_answer_measure_only_a_model_that_may_give_none() -> None:
    MAY_BE_NONE.check_truths([NONE])
    TASK.check_truths([NONE, KNOWN])

    with pytest.raises(DataError, match="None of the 1 questions has an answer, but the model always gives one"):
        TASK.check_truths([NONE])
