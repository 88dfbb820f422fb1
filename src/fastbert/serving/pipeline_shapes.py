"""Inputs and answers as transformers' pipelines have them, which several contracts pass on.

Text classification, token classification and question answering. Knows nothing of HTTP but the problems that it raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, cast

import msgspec

from fastbert.serving.inputs import Text
from fastbert.serving.label_scores import label_scores
from fastbert.serving.problems import check_number, invalid
from fastbert.tasks.answer_prediction import AnswerPrediction
from fastbert.tasks.base import Prediction, Task
from fastbert.tasks.entities_prediction import EntitiesPrediction

OWN_FUNCTION = {"single_label": "softmax", "multi_label": "sigmoid", "regression": "none"}
_Top = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class PipelineInput(msgspec.Struct):
    """One input with names: a text, a pair of texts, or a question with its context."""

    text: str | None = None
    text_pair: str | None = None
    question: str | None = None
    context: str | None = None


class PipelineParameters(msgspec.Struct):
    """How to answer. Others of transformers' parameters are passed over: the model has its own.

    top_k: how many labels, or answers; null: all labels.    return_all_scores: as older clients ask for all of them.
    function_to_apply: only the model's own.    aggregation_strategy: entities are always whole, so not "none".
    ignore_labels: entities that are left out.
    """

    top_k: _Top | None | msgspec.UnsetType = msgspec.UNSET
    return_all_scores: bool | None = None
    function_to_apply: str | None = None
    aggregation_strategy: str | None = None
    ignore_labels: list[str] | None = None


Form = Literal["text", "record", "list"]  # of inputs: one by itself, or several
InputItem = str | PipelineInput | list[str]
Inputs = str | PipelineInput | list[InputItem]


class LabelScore(msgspec.Struct):
    """A label with its score."""

    label: str
    score: float


class EntityGroup(msgspec.Struct):
    """An entity. start, end: its characters, end exclusive."""

    entity_group: str
    score: float
    word: str
    start: int
    end: int


class SpanAnswer(msgspec.Struct):
    """An answer; an empty one from 0 to 0 where the context has none."""

    score: float
    start: int
    end: int
    answer: str


# Of one input, or of each: a list of LabelScore or EntityGroup, or a SpanAnswer.
_Entry = dict[str, str | float]
PipelineAnswer = _Entry | list[_Entry | list[_Entry]]


def texts_of(inputs: Inputs, most: int) -> tuple[list[Text], Form]:
    """Return the texts, and the form in which they came.

    most: how many are read. Raises Problem (422) for more, or names that do not belong together.
    """
    if isinstance(inputs, list):
        check_number(len(inputs), most, "inputs")
        return [text_of(item, f"inputs[{index}]") for index, item in enumerate(inputs)], "list"
    return [text_of(inputs, "inputs")], "text" if isinstance(inputs, str) else "record"


def text_of(item: InputItem, field: str) -> Text:
    """Return a text or a pair. Raises Problem (422) for names that do not belong together."""
    if isinstance(item, str):
        return item
    if isinstance(item, list):
        if len(item) not in (1, 2):
            raise invalid("Expected a text, or a pair of them.", field, 'Send ["text", "second text"].')
        return item[0] if len(item) == 1 else (item[0], item[1])
    if item.question is not None and item.context is not None and item.text is None:
        return item.question, item.context
    if item.text is not None and item.question is None and item.context is None:
        return item.text if item.text_pair is None else (item.text, item.text_pair)
    raise invalid("Expected text, or text and text_pair, or question and context.", field)


def check_parameters(task: Task, parameters: PipelineParameters) -> None:
    """Raise Problem (422) for what the model would have to answer otherwise than it does."""
    function, own = parameters.function_to_apply, OWN_FUNCTION.get(task.name)
    if function is not None and function != own:
        said = f"the model's scores are those of '{own}'" if own else f"a model for {task.name} has none"
        raise invalid(f"function_to_apply cannot be chosen: {said}.", "parameters.function_to_apply", "Leave it out.")
    if parameters.aggregation_strategy == "none":
        hint = "Leave it out, or send 'simple'."
        raise invalid("Entities are answered whole, never token by token.", "parameters.aggregation_strategy", hint)


def pipeline_answer(
    task: Task, predictions: Sequence[Prediction], parameters: PipelineParameters, form: Form
) -> object:
    """Return answers as a pipeline of the task does.

    form: of the inputs. An answer to one by itself stands by itself, but the label of a text is in a list.
    """
    alone = form != "list"
    many = parameters.top_k is not msgspec.UNSET or parameters.return_all_scores is True
    if task.name == "tagging":
        entities = [_entities(prediction, parameters.ignore_labels or ()) for prediction in predictions]
        return entities[0] if alone else entities
    if task.name == "answering":
        spans = [_spans(cast("AnswerPrediction", one), parameters.top_k) for one in predictions]
        shown = spans if isinstance(parameters.top_k, int) and parameters.top_k > 1 else [one[0] for one in spans]
        return shown[0] if alone else shown
    top_k = parameters.top_k if isinstance(parameters.top_k, int) else None if many else 1
    labels = [labels_shown(task, prediction, top_k) for prediction in predictions]
    if alone and not parameters.return_all_scores:
        return labels[0] if many or form == "text" else labels[0][0]
    return labels if many else [ranked[0] for ranked in labels]


def labels_shown(task: Task, prediction: Prediction, top_k: int | None = None) -> list[LabelScore]:
    """Return labels with scores, the highest first."""
    return [LabelScore(label, score) for label, score in label_scores(task, prediction, top_k)]


def _entities(prediction: Prediction, ignored: Sequence[str]) -> list[EntityGroup]:
    return [
        EntityGroup(one.label, one.score, one.text, one.start, one.end)
        for one in cast("EntitiesPrediction", prediction).entities
        if one.label not in ignored
    ]


def _spans(prediction: AnswerPrediction, top_k: object) -> list[SpanAnswer]:
    """Return what was decided, then the other spans, the best first."""
    first = SpanAnswer(prediction.score, prediction.start or 0, prediction.end or 0, prediction.answer)
    others = [
        SpanAnswer(span.score, span.start, span.end, span.answer)
        for span in prediction.alternatives
        if (span.start, span.end) != (prediction.start, prediction.end)
    ]
    return [first, *others][: top_k if isinstance(top_k, int) else None]
