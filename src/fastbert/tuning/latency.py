"""How long a model takes for one text on this machine: tokens, model and answer, as its bundle will give them.

Measured once for each machine, encoder and way of cutting, before anything is trained: what weights hold makes no
difference. Knows nothing of studies.
"""

from __future__ import annotations

import hashlib
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import numpy as np
import torch

from fastbert.decisions.rules import Decisions
from fastbert.export.exporting import export_bundle
from fastbert.inference.pipeline import predict_features
from fastbert.inference.predictor import Predictor
from fastbert.tasks.base import Example
from fastbert.training.learner import Learner
from fastbert.training.run_record import processor

Answer = Callable[[Example], object]
BACKENDS = ("torch", "onnx")
WARM_UP = 3  # calls that are not timed: the first ones make plans and caches
LEAST_ROUNDS, MOST_ROUNDS, LONGEST_S = 20, 200, 2.0
SHARES = (0.5, 0.95)  # of the training rows that are no longer than the text of each kind


@dataclass(frozen=True)
class Latency:
    """Seconds for one text, by itself. middle_s: of middle length.    long_s: as long as 95 % of the rows at most.

    spread: range between the quartiles of the long text's times, as a share of their median.
    """

    middle_s: float
    long_s: float
    spread: float

    def describe(self) -> str:
        """Return one phrase.

        >>> Latency(0.0041, 0.0123, 0.04).describe()
        '12.3 ms for a long text (spread 4 %), 4.1 ms for one of middle length'
        """
        return (
            f"{1000 * self.long_s:.1f} ms for a long text (spread {100 * self.spread:.0f} %), "
            f"{1000 * self.middle_s:.1f} ms for one of middle length"
        )


def texts_of(learner: Learner) -> tuple[Example, Example]:
    """Return a training row of middle length and a long one, by their tokens before anything is cut."""
    tokens_N = learner.data.encoded("train").num_tokens_N
    examples = learner.data.examples("train")
    rows = [int(np.abs(tokens_N - np.quantile(tokens_N, share, method="lower")).argmin()) for share in SHARES]
    return examples[rows[0]], examples[rows[1]]


def machine() -> str:
    """Return a hash of what times are of: this machine, its processor and the threads that the process has."""
    found = (platform.node(), processor(), torch.get_num_threads())
    return hashlib.sha256(repr(found).encode()).hexdigest()[:12]


def measure(learner: Learner, texts: tuple[Example, Example], backend: str) -> Latency:
    """Return how long the model of a learner takes, by torch in float32 or by its export.

    Raises MissingExtraError where the packages of the export are missing, ExportError where it answers otherwise.
    """
    if backend == "torch":
        return time_answers(_by_torch(learner), texts)
    with tempfile.TemporaryDirectory() as folder:
        bundle = learner.save(Path(folder) / "model")
        export_bundle(bundle, "onnx")
        predictor = Predictor.load(bundle, "onnx", verify=False)
        return time_answers(lambda example: predictor.predict_examples([example]), texts)


def time_answers(answer: Answer, texts: Sequence[Example], clock: Callable[[], float] = time.perf_counter) -> Latency:
    """Return the medians over rounds in which the texts take turns, so that a busy moment hits them alike."""
    for _ in range(WARM_UP):
        for text in texts:
            answer(text)
    times: list[list[float]] = [[] for _ in texts]
    begun = clock()
    while len(times[0]) < LEAST_ROUNDS or (len(times[0]) < MOST_ROUNDS and clock() - begun < LONGEST_S):
        for kind, text in enumerate(texts):
            start = clock()
            answer(text)
            times[kind].append(clock() - start)
    low, middle, high = quantiles(times[1], n=4, method="inclusive")
    return Latency(median(times[0]), middle, (high - low) / middle)


def _by_torch(learner: Learner) -> Answer:
    task, tokenizer = learner.data.task, learner.encoder.tokenizer
    backend = learner._backend()

    def answer(example: Example) -> object:
        features = task.encode([example], tokenizer, learner.data.max_tokens)
        return predict_features(task, backend, features, [example], Decisions(), tokenizer)

    return answer
