"""Which words of a text an answer rests on, and how far that can be trusted.

Puts the parts together: a text is read, answered, its words are valued by integrated gradients (a torch model) or by
hiding each (any backend), and on request checked. Imports torch only for gradients.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast, get_args

from fastbert.errors import ConfigError
from fastbert.inference.predictor import Predictor, TextInput, as_examples
from fastbert.insight.attribution import Attributed, Case, occlude, occlusion_sets
from fastbert.insight.explained_outputs import check_label, choose_outputs
from fastbert.insight.explanation import METHODS, Attribution, Explanation
from fastbert.insight.faithfulness import Faithfulness, check, num_check_passes
from fastbert.insight.masking import Masker
from fastbert.insight.readings import read_examples, replacement_id
from fastbert.option_values import chosen_of
from fastbert.tasks.base import Example, Prediction

if TYPE_CHECKING:
    from fastbert.insight.gradients import IntegratedGradients

Method = Literal["auto", "gradients", "occlusion"]
ORDERS = 20  # random orders of a check: chance alone is below all of them once in 21
BLOCK = 32  # texts whose hidden words are run together


@dataclass(frozen=True)
class Work:
    """What there is to explain. passes: of the model over one window; of gradients at least so many, and back."""

    cases: tuple[Case, ...]
    predictions: tuple[Prediction, ...]
    method: Method
    passes: int

    def describe(self) -> str:
        """Return the plan in one line for people."""
        words = sum(int(case.reading.read_K.sum()) for case in self.cases)
        outputs = sum(len(case.outputs) for case in self.cases)
        least = "at least " if self.method == "gradients" else "at most "
        return (
            f"{len(self.cases):,} texts, {words:,} words, {outputs:,} outputs; "
            f"{METHODS[self.method]}, {least}{self.passes:,} passes of a window through the model"
        )


class Explainer:
    """Explains the answers of a predictor.

    method: "gradients" of a torch model; "occlusion" hides each word in turn and runs on any backend; "auto" takes
        gradients where the backend is torch.
    check_orders: random orders that the words are held against (`faithfulness`); 0 for no check.    seed: of these.
    """

    def __init__(self, predictor: Predictor, method: Method = "auto", *, check_orders: int = 0, seed: int = 0) -> None:
        """Choose the method. Raises ConfigError for one that the backend lacks, MissingExtraError for captum."""
        chosen_of("method", method, get_args(Method))
        if check_orders < 0:
            raise ConfigError(f"check_orders is {check_orders}; expected 0 or more.")
        has_gradients = hasattr(predictor.backend, "model")
        if method == "gradients" and not has_gradients:
            raise ConfigError(
                f"Gradients need the torch backend; {predictor.backend.name} answers here.",
                "Use --backend torch, or --method occlusion.",
            )
        self.predictor, self.seed, self.check_orders = predictor, seed, check_orders
        self.method: Method = ("gradients" if has_gradients else "occlusion") if method == "auto" else method
        tokenizer = predictor.tokenizer
        self.mask_id = replacement_id(tokenizer)
        self.masker = Masker(predictor.backend, tokenizer.pad_id, self.mask_id, predictor.task.by_token)
        self._gradients = self._open_gradients() if self.method == "gradients" else None

    def prepare(self, examples: Sequence[Example], label: str | None = None) -> Work:
        """Answer examples and choose what is explained of each.

        label: the one label to explain, instead of those that were decided.
        Raises ConfigError for an unknown label, or a task that cannot be explained, DataError for a pair where the
        model reads single texts, or the reverse.
        """
        task = self.predictor.task
        check_label(task, label)
        predictions = self.predictor.predict_examples(examples)
        readings = read_examples(examples, task, self.predictor.tokenizer, self.predictor.bundle.max_tokens)
        cases = tuple(
            Case(reading, choose_outputs(task, prediction, reading, outputs, label))
            for reading, prediction, outputs in zip(readings, predictions, self.masker.outputs(readings), strict=True)
        )
        return Work(cases, tuple(predictions), self.method, sum(map(self._passes, cases)))

    def run(self, work: Work) -> Iterator[Explanation]:
        """Yield the explanations, in order."""
        for start in range(0, len(work.cases), BLOCK):
            cases, predictions = work.cases[start : start + BLOCK], work.predictions[start : start + BLOCK]
            for case, prediction, found in zip(cases, predictions, self._attribute(cases), strict=True):
                yield self._explanation(case, prediction, found)

    def _attribute(self, cases: Sequence[Case]) -> Iterator[list[Attributed]]:
        if self._gradients is None:
            yield from occlude(self.masker, cases)
            return
        for case in cases:
            yield [self._gradients.attribute(case.reading, output) for output in case.outputs]

    def _explanation(self, case: Case, prediction: Prediction, found: Sequence[Attributed]) -> Explanation:
        checks: Sequence[Faithfulness | None] = [None] * len(found)
        if self.check_orders and found:
            values = [one.values_K for one in found]
            checks = check(self.masker, case, values, orders=self.check_orders, seed=self.seed)
        attributions = tuple(
            Attribution.of(output, one, case.reading.words, self.method, checked)
            for output, one, checked in zip(case.outputs, found, checks, strict=True)
        )
        return Explanation(
            prediction,
            case.reading.words,
            attributions,
            hidden_by=self.predictor.tokenizer.tokens_of([self.mask_id])[0],
            num_windows=len(case.reading.windows),
        )

    def _passes(self, case: Case) -> int:
        if self._gradients is None:
            count = occlusion_sets(case).num_passes(self.mask_id)
        else:
            gradients = importlib.import_module("fastbert.insight.gradients")
            count = int(gradients.gradient_rows(case.reading)) * len(case.outputs)
        return count + (num_check_passes(case, self.check_orders) if self.check_orders else 0)

    def _open_gradients(self) -> IntegratedGradients:
        from fastbert.inference.torch_backend import TorchBackend
        from fastbert.insight.gradients import IntegratedGradients, check_captum

        check_captum()
        backend = cast("TorchBackend", self.predictor.backend)
        return IntegratedGradients(backend, self.predictor.tokenizer.pad_id, self.mask_id)


def explain(
    predictor: Predictor,
    texts: Sequence[TextInput],
    *,
    label: str | None = None,
    method: Method = "auto",
    check_orders: int = 0,
) -> list[Explanation]:
    """Return for each text which of its words the answer rests on, in order.

    label: the one label to explain, instead of those that were decided.
    method, check_orders: as for `Explainer`; 20 orders are a good check.
    Raises ConfigError, DataError and MissingExtraError as `Explainer` and its `prepare` do.

    >>> explain(model, ["The export button does nothing"])   # doctest: +SKIP
    [Explanation(Bugs 0.97: nothing +2.10, button +0.31, does -0.02, ...)]
    """
    explainer = Explainer(predictor, method, check_orders=check_orders)
    return list(explainer.run(explainer.prepare(as_examples(texts), label)))
