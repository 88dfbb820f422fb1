"""The number that is explained: by hand, in numpy and torch alike, and equal to what the answer says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from fastbert.data.examples import QuestionExample, TextExample
from fastbert.errors import ConfigError
from fastbert.inference.predictor import Predictor
from fastbert.insight.explained_outputs import Output, SpanOutput, TagsOutput, TextOutput, choose_outputs, log_sum
from fastbert.insight.readings import Reading
from fastbert.labels import Labels
from fastbert.tasks.answer_prediction import answered
from fastbert.tasks.answering import Answering
from fastbert.tasks.base import Example, Prediction, Task
from fastbert.tasks.classification import SingleLabel
from fastbert.tasks.entities_prediction import EntitiesPrediction
from fastbert.tasks.label_prediction import LabelPrediction
from fastbert.tasks.regression import Regression, ValuePrediction
from fastbert.tasks.tagging import Tagging
from tests.bundles import MULTI, SINGLE, tiny_bundle
from tests.insight.explained import masker, readings

REGRESSION = Regression("stars", mean=3.0, scale=1.5, low=1.0, high=5.0)
TAGGING = Tagging(Labels(("place", "person")))


def chosen(
    folder: Path, task: Task, example: Example, label: str | None = None
) -> tuple[Predictor, Prediction, Reading, tuple[Output, ...], list[float]]:
    """Answer an example with a random model; return all, and the value of each output chosen."""
    predictor = Predictor.load(tiny_bundle(folder / "bundle", task=task), "torch")
    (prediction,) = predictor.predict_examples([example])
    (reading,) = readings(predictor, [example])
    (outputs,) = masker(predictor).outputs([reading])
    found = choose_outputs(task, prediction, reading, outputs, label)
    return predictor, prediction, reading, found, [one.of_windows(outputs) for one in found]


def test_log_odds_of_a_softmax_match_hand_computed_ones() -> None:
    output = TextOutput("bug", "log-odds", 0, (1, 2))
    shares = np.exp([1.0, 2.0, 0.5]) / np.exp([1.0, 2.0, 0.5]).sum()

    value = output.value([np.array([[1.0, 2.0, 0.5]])], log_sum)[0]

    assert value == pytest.approx(np.log(shares[0] / (1 - shares[0])))
    assert output.score(value) == pytest.approx(shares[0])


@pytest.mark.parametrize("output", [TextOutput("a", "log-odds", 1, (0, 2)), TextOutput("a", "value", 2, scale=2.0)])
def test_numpy_and_torch_say_the_same(output: TextOutput) -> None:
    rng = np.random.default_rng(0)
    windows = [rng.normal(size=(4, 3)) for _ in range(2)]

    with_numpy = output.value(windows, log_sum)
    with_torch = output.value([torch.from_numpy(one) for one in windows], lambda rows: torch.logsumexp(rows, -1))

    np.testing.assert_allclose(with_torch.numpy(), with_numpy)


def test_cells_of_an_entity_are_averaged_in_the_order_of_their_windows() -> None:
    output = TagsOutput("place", "log-odds", ((1, 0, 2), (0, 1, 1)), 3)
    logits_WSLC = np.arange(2 * 1 * 2 * 3, dtype=np.float64).reshape(2, 1, 2, 3)
    picked = [one for window in range(2) for one in output.pick({"logits": logits_WSLC[window]}, window)]

    odds = [4.0 - np.logaddexp(3.0, 5.0), 8.0 - np.logaddexp(6.0, 7.0)]
    assert output.value(picked, log_sum)[0] == pytest.approx(np.mean(odds))


def test_an_answer_is_the_sum_of_its_two_logits() -> None:
    output = SpanOutput("x", "logits", 1, 0, 2)
    logits = {"start_logits": np.array([[1.0, 0, 0]]), "end_logits": np.array([[0, 0, 5.0]])}

    assert output.pick(logits, 0) == []
    assert output.value(output.pick(logits, 1), log_sum)[0] == 6.0


def test_the_decided_label_is_explained(tmp_path: Path) -> None:
    _, prediction, _, (output,), (value,) = chosen(tmp_path, SINGLE, TextExample("the app is slow"))

    assert (output.name,) == prediction.labels
    assert output.score(value) == pytest.approx(prediction.scores[output.name], abs=1e-6)


def test_each_decided_label_of_a_multi_label_model_is(tmp_path: Path) -> None:
    prediction = LabelPrediction(("praise", "bug"), {"bug": 0.6, "praise": 0.8, "question": 0.1}, text="the app")
    *_, reading, _, _ = chosen(tmp_path, MULTI, TextExample("the app"))

    assert [one.name for one in choose_outputs(MULTI, prediction, reading, [])] == ["praise", "bug"]


def test_the_highest_score_is_explained_where_none_was_decided(tmp_path: Path) -> None:
    prediction = LabelPrediction((), {"bug": 0.2, "praise": 0.4, "question": 0.1}, text="the app")
    *_, reading, _, _ = chosen(tmp_path, MULTI, TextExample("the app"))

    assert [one.name for one in choose_outputs(MULTI, prediction, reading, [])] == ["praise"]


PATHS = SingleLabel(Labels(("A > bug", "A > praise", "B > price")))


def stopped_at(node: str) -> LabelPrediction:
    scores = {"A > bug": 0.45, "A > praise": 0.35, "B > price": 0.2}
    return LabelPrediction((node,), scores, text="the app", reason="confidence 0.45 is below 0.75")


def test_of_an_answer_that_stops_at_a_parent_its_labels_are_explained_together(tmp_path: Path) -> None:
    *_, reading, _, _ = chosen(tmp_path, PATHS, TextExample("the app"))

    (output,) = choose_outputs(PATHS, stopped_at("A"), reading, [])

    value = output.value([np.log([[0.45, 0.35, 0.2]])], log_sum)[0]
    assert output.name == "A (its 2 labels together)"
    assert output.score(value) == pytest.approx(0.8)
    with_torch = output.value([torch.log(torch.tensor([[0.45, 0.35, 0.2]]))], lambda rows: torch.logsumexp(rows, -1))
    assert float(with_torch[0]) == pytest.approx(value, abs=1e-5)


def test_of_a_parent_of_all_labels_the_best_is_explained(tmp_path: Path) -> None:
    task = SingleLabel(Labels(("A > bug", "A > praise", "A > price")))
    scores = dict(zip(task.label_names, (0.2, 0.5, 0.3), strict=True))
    *_, reading, _, _ = chosen(tmp_path, task, TextExample("the app"))

    (output,) = choose_outputs(task, LabelPrediction(("A",), scores, reason="unsure"), reading, [])

    assert output.name == "A > praise"


def test_of_a_parent_with_one_label_that_is_explained(tmp_path: Path) -> None:
    *_, reading, _, _ = chosen(tmp_path, PATHS, TextExample("the app"))

    (output,) = choose_outputs(PATHS, stopped_at("B"), reading, [])

    assert isinstance(output, TextOutput)
    assert (output.name, output.column, output.others, output.together) == ("B", 2, (0, 1), ())


def test_another_label_can_be_named(tmp_path: Path) -> None:
    _, prediction, _, (output,), (value,) = chosen(tmp_path, MULTI, TextExample("the app"), "question")

    assert output.name == "question"
    assert output.score(value) == pytest.approx(prediction.scores["question"], abs=1e-6)


def test_a_number_is_explained_in_its_own_unit(tmp_path: Path) -> None:
    _, prediction, _, (output,), (value,) = chosen(tmp_path, REGRESSION, TextExample("the app is slow"))

    assert isinstance(prediction, ValuePrediction)
    assert (output.name, output.unit) == ("stars", "value")
    assert output.score(value) == pytest.approx(prediction.value, abs=1e-5)


def test_each_entity_is_explained_at_its_words(tmp_path: Path) -> None:
    text = "anna is in berlin and paris . " * 4
    _, prediction, reading, found, values = chosen(tmp_path, TAGGING, TextExample(text))

    assert isinstance(prediction, EntitiesPrediction) and prediction.entities
    assert [one.place for one in found] == [(one.start, one.end) for one in prediction.entities]
    assert len(reading.windows) > 1
    for output in found:
        assert isinstance(output, TagsOutput) and output.place is not None
        words = {
            reading.words[reading.word_T[reading.part(window).start + token]].start for window, token, _ in output.cells
        }
        assert all(output.place[0] <= start < output.place[1] for start in words)
    assert all(np.isfinite(values))


def test_entities_with_another_label_can_be_left_out(tmp_path: Path) -> None:
    _, prediction, _, found, _ = chosen(tmp_path, TAGGING, TextExample("anna is in berlin and paris ."), "person")

    assert isinstance(prediction, EntitiesPrediction)
    assert len(found) == sum(one.label == "person" for one in prediction.entities)


@pytest.mark.parametrize("length", [1, 8])
def test_the_logits_of_an_answer_are_those_that_chose_it(length: int, tmp_path: Path) -> None:
    example = QuestionExample("who is it ?", "anna is in berlin . " * length)
    predictor, prediction, reading, (output,), (value,) = chosen(tmp_path, Answering(), example)

    (outputs,) = masker(predictor).outputs([reading])
    null = min(float(own["start_logits"][0] + own["end_logits"][0]) for own in outputs)
    assert output.name == answered(prediction).answer
    assert value == pytest.approx(null - answered(prediction).margin, abs=1e-5)


def test_no_answer_is_explained_too(tmp_path: Path) -> None:
    example = QuestionExample("who is it ?", "anna is in berlin .")
    predictor, prediction, reading, *_ = chosen(tmp_path, Answering(unanswerable=True), example)
    (outputs,) = masker(predictor).outputs([reading])

    (output,) = choose_outputs(predictor.task, answered(prediction).at_margin(-1e9), reading, outputs)

    assert (output.name, output.place) == ("no answer", None)
    expected = outputs[0]["start_logits"][0] + outputs[0]["end_logits"][0]
    assert output.of_windows(outputs) == pytest.approx(float(expected))


@pytest.mark.parametrize(
    ("task", "label", "message"),
    [
        (SINGLE, "bugs", "'bugs' is not one of the 3 labels of this model.\n  Did you mean 'bug'?"),
        (SINGLE, "zzz", "'zzz' is not one of the 3 labels of this model.\n  Its labels are bug, praise, question."),
        (REGRESSION, "stars", "The task regression has no labels to choose from.\n  Leave the label out."),
    ],
)
def test_a_label_that_is_not_there_is_refused(task: Task, label: str, message: str) -> None:
    from fastbert.insight.explained_outputs import check_label

    with pytest.raises(ConfigError) as caught:
        check_label(task, label)
    assert str(caught.value) == message
