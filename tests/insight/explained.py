"""Explanations and models made up for tests: a backend that counts words, and values that were set by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fastbert.bundle import Bundle
from fastbert.data.tokens import Tokenizer
from fastbert.decisions.rules import Decisions
from fastbert.inference.predictor import Predictor
from fastbert.insight.attribution import Case
from fastbert.insight.explained_outputs import Output, TextOutput
from fastbert.insight.explanation import Attribution, Explanation
from fastbert.insight.faithfulness import Faithfulness
from fastbert.insight.masking import Masker
from fastbert.insight.readings import Reading, Word, read_examples, replacement_id
from fastbert.tasks.base import Array, Batch, Example, Task
from fastbert.tasks.label_prediction import LabelPrediction
from tests.bundles import SINGLE
from tests.helpers import word_tokenizer

WEIGHTS = {"crash": 3.0, "slow": 2.0, "bad": 1.0, "good": -2.0, "great": -1.0}


def tokenizer() -> Tokenizer:
    """Return the tokenizer of the tests, with its names of inputs."""
    names = ("input_ids", "attention_mask", "token_type_ids")
    return Tokenizer(word_tokenizer(), pad_id=0, max_tokens=64, input_names=names)


class Counting:
    """A backend whose first logit is the sum of the weights of the words that a window shows; the others are 0.

    Its sum over words is known by hand: hiding a word takes away exactly its weight. seen: the windows it ran.
    """

    name = "counting"
    workers = 1
    batch_tokens = 512

    def __init__(self, own: Tokenizer, num_labels: int = 3) -> None:
        self.weights = np.zeros(own.backend.get_vocab_size(), np.float32)
        for word, weight in WEIGHTS.items():
            self.weights[own.backend.token_to_id(word)] = weight
        self.num_labels = num_labels
        self.seen = 0

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return `logits`, float32 (W, C)."""
        ids_WL = batch["input_ids"].astype(np.int64)
        self.seen += len(ids_WL)
        logits_WC = np.zeros((len(ids_WL), self.num_labels), np.float32)
        logits_WC[:, 0] = self.weights[ids_WL].sum(1)
        return {"logits": logits_WC}


def counting_predictor(task: Task = SINGLE, max_tokens: int = 24) -> Predictor:
    """Return a predictor that answers by counting words; its bundle is nowhere on a disk."""
    own = tokenizer()
    bundle = Bundle(Path("nowhere"), task, Decisions(), max_tokens, own.to_json())
    return Predictor(bundle, own, Counting(own))


def masker(predictor: Predictor) -> Masker:
    """Return what hides words for a predictor."""
    own = predictor.tokenizer
    return Masker(predictor.backend, own.pad_id, replacement_id(own), predictor.task.by_token)


def readings(predictor: Predictor, examples: Sequence[Example]) -> list[Reading]:
    """Return examples as a predictor reads them."""
    return read_examples(examples, predictor.task, predictor.tokenizer, predictor.bundle.max_tokens)


def case(predictor: Predictor, example: Example, output: Output | None = None) -> Case:
    """Return an example with an output: by default the first logit alone."""
    (reading,) = readings(predictor, [example])
    return Case(reading, (output or TextOutput("bug", "log-odds", 0),))


def made_up_check(deletion: Sequence[float] = (0.9, 0.3, 0.2, 0.15, 0.1)) -> Faithfulness:
    """Return a check of four words against two random orders."""
    random = ((0.9, 0.8, 0.7, 0.5, 0.1), (0.9, 0.85, 0.6, 0.3, 0.1))
    return Faithfulness(4, (0, 1, 2, 3, 4), tuple(deletion), (0.1, 0.8, 0.85, 0.88, 0.9), random, top=1)


def made_up(check: Faithfulness | None = None) -> Explanation:
    """Return an explanation of four words; the last was not read."""
    text = "slow <b> app , cut"
    spans = [(0, 4), (5, 8), (9, 12), (15, 18)]
    words = tuple(Word(text[a:b], a, b, read=number < 3) for number, (a, b) in enumerate(spans))
    attribution = Attribution(
        "bug", "log-odds", 0.9, 2.2, -0.3, (2.0, -1.0, 0.05, None), "gradients", steps=32, error=0.004, check=check
    )
    prediction = LabelPrediction(("bug",), {"bug": 0.9, "praise": 0.1}, text=text)
    return Explanation(prediction, words, (attribution,), hidden_by="[MASK]", num_windows=2)
