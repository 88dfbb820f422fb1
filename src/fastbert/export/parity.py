"""An exported model against the torch model in float32, on the same rows: what it loses, how much faster it is.

Knows nothing of how a model is exported.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fastbert.bundle import Bundle
from fastbert.data.examples import TextExample
from fastbert.data.tokens import Tokenizer
from fastbert.errors import ConfigError
from fastbert.exports import Check
from fastbert.inference.pipeline import Backend, predict_features
from fastbert.tasks.base import Example, Feature, Prediction

MAX_ROWS = 2000  # that are compared: the error of a rate over so many is about a point
CALIBRATION_ROWS = 128  # 300 of NNCF's own default took twice as long; more than 100 changed no score here
SAMPLE_TEXTS, LONG_TEXTS = 64, 4  # what depends on the length shows in long ones
LABELLED_SHARE = 0.9  # of the rows: fewer are no sample of a table
log = logging.getLogger(__name__)
WARM_UP_ROWS = 64  # of the reference, which is slow


@dataclass(frozen=True)
class Rows:
    """Rows to compare and to calibrate on. data: where they came from, for people.

    labelled: the monitored score can be measured.    given: they are the user's own texts.
    """

    checked: tuple[Example, ...]
    calibration: tuple[Example, ...]
    data: str
    labelled: bool
    given: bool = True


def rows_of(examples: Sequence[Example], data: str) -> Rows:
    """Divide a table into rows to compare and to calibrate on: apart where there are enough for both."""
    labelled = [example for example in examples if example.truth is not None]
    known = bool(labelled) and len(labelled) >= LABELLED_SHARE * len(examples)
    if known and len(labelled) < len(examples):
        num_left = len(examples) - len(labelled)
        log.warning("%d of %d rows of %s have no answer and are left out.", num_left, len(examples), data)
    examples = labelled if known else examples
    order = np.random.default_rng(0).permutation(len(examples))
    chosen = [examples[index] for index in order]
    apart = len(chosen) >= 4 * CALIBRATION_ROWS
    calibration, checked = chosen[:CALIBRATION_ROWS], chosen[CALIBRATION_ROWS if apart else 0 :][:MAX_ROWS]
    shown = f"rows of {data}" if known else f"unlabelled texts of {data}"
    return Rows(tuple(checked), tuple(calibration), shown, known)


def sample_rows(tokenizer: Tokenizer, *, max_tokens: int = 64, pairs: bool = False) -> Rows:
    """Return texts made of the tokenizer's own words, where the user gave none; a few are longer than is read.

    They mean nothing: only differences between two models can be measured on them.
    """
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 64, 2 * SAMPLE_TEXTS)
    lengths[SAMPLE_TEXTS - LONG_TEXTS : SAMPLE_TEXTS] = max_tokens + 1
    ids = (rng.integers(0, tokenizer.backend.get_vocab_size(), length) for length in lengths)
    texts = [tokenizer.backend.decode(row.tolist(), skip_special_tokens=True) for row in ids]
    second = [text if pairs else None for text in texts[SAMPLE_TEXTS:]]
    examples = [TextExample(text, pair) for text, pair in zip(texts[:SAMPLE_TEXTS], second, strict=True)]
    return Rows(tuple(examples), (), "made-up texts", False, given=False)


class Comparison:
    """The torch model's answers to some rows, to compare other backends with. reference: in float32."""

    def __init__(self, bundle: Bundle, tokenizer: Tokenizer, reference: Backend, rows: Rows) -> None:
        if not rows.checked:
            raise ConfigError("There are no rows to check the export on.", "Give --data a table with rows.")
        self.bundle, self.tokenizer, self.rows = bundle, tokenizer, rows
        self.features = bundle.task.encode(rows.checked, tokenizer, bundle.max_tokens)
        self._run(reference, WARM_UP_ROWS)
        self.predictions, self.seconds = self._run(reference)
        self.scores = self._scored(self.predictions)

    def check(self, backend: Backend) -> Check:
        """Return what another backend loses on the same rows, and how much faster it is.

        Of the monitored score and that of the decided answers, the check holds the one that loses more.
        """
        self._run(backend)  # kernels are made for each new shape once
        predictions, seconds = self._run(backend)
        pairs = list(zip(self.predictions, predictions, strict=True))
        changed = sum(not one.agrees(two) for one, two in pairs) / len(pairs)
        difference = float(np.max([_difference(one, two) for one, two in pairs]))  # NaN stays NaN, and is refused
        speedup = self.seconds / max(seconds, 1e-9)
        check = Check(len(pairs), self.rows.data, changed, difference, speedup)
        known = [
            replace(check, metric=name, reference=self.scores[name], score=score)
            for name, score in self._scored(predictions).items()
            if name in self.scores
        ]
        return max(known, key=lambda one: one.loss, default=check)

    def _scored(self, predictions: Sequence[Prediction]) -> dict[str, float]:
        """Return the monitored score and that of the answers as decided, as far as the rows tell them."""
        if not self.rows.labelled:
            return {}
        task = self.bundle.task
        scores = task.score(predictions, self.rows.checked)
        if task.monitor not in scores:  # labels that say nothing
            return {}
        return {name: scores[name] for name in (task.monitor, task.answer_metric)}

    def calibration_features(self) -> Sequence[Feature]:
        """Return the windows of the calibration rows."""
        bundle = self.bundle
        return bundle.task.encode(self.rows.calibration, self.tokenizer, bundle.max_tokens)[:CALIBRATION_ROWS]

    def _run(self, backend: Backend, most: int | None = None) -> tuple[list[Prediction], float]:
        """Return the answers to all rows, or the first so many, and the seconds that they took."""
        bundle, rows = self.bundle, self.rows.checked[:most]
        features = [feature for feature in self.features if feature.example < len(rows)]
        start = time.perf_counter()
        found = predict_features(bundle.task, backend, features, rows, bundle.decisions, self.tokenizer)
        return found, time.perf_counter() - start


def _difference(one: Prediction, two: Prediction) -> float:
    """Return the largest difference of a score that both have; an answer that one lacks counts as changed instead."""
    others = two.numbers
    found = [abs(score - others[name]) for name, score in one.numbers.items() if name in others]
    return float(np.max(found)) if found else 0.0
