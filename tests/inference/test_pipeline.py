"""Batches through a backend: in order with any number of workers, and no worker left idle."""

from __future__ import annotations

import dataclasses
import threading
import time

import numpy as np
import pytest

from fastbert.data.features import EncodedRows
from fastbert.data.tokens import Tokenizer
from fastbert.decisions.rules import Decisions
from fastbert.inference.pipeline import predict_features, run_batches
from fastbert.inference.predictor import as_examples
from fastbert.tasks.base import Array, Batch, Prediction
from tests.bundles import NAMES, SINGLE
from tests.helpers import word_tokenizer

TOKENIZER = Tokenizer(
    word_tokenizer(), pad_id=0, max_tokens=64, input_names=["input_ids", "attention_mask", "token_type_ids"]
)


class Echo:
    """Answers with the number of tokens of each row; notes the shapes and how many passes ran at once."""

    name = "echo"
    batch_tokens = 2048

    def __init__(self, workers: int, wait_s: float = 0.0) -> None:
        self.workers = workers
        self.wait_s = wait_s
        self.shapes: list[tuple[int, ...]] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return logits that tell the lengths."""
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.shapes.append(batch["input_ids"].shape)
        time.sleep(self.wait_s)
        with self._lock:
            self.at_once -= 1
        sizes_W = batch["attention_mask"].sum(axis=1).astype(np.float64)
        return {"logits": np.stack([sizes_W / 10, sizes_W * 0, sizes_W * 0], axis=1)}


def answer(texts: list[str], backend: Echo, batch_tokens: int | None = None) -> list[Prediction]:
    examples = as_examples(texts)
    features = SINGLE.encode(examples, TOKENIZER, 64)
    return predict_features(SINGLE, backend, features, examples, Decisions(), TOKENIZER, batch_tokens)


def texts_of(count: int) -> list[str]:
    lengths = np.random.default_rng(0).integers(1, 60, count)
    return ["good " * length for length in lengths]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_answers_keep_the_order_of_the_texts(workers: int) -> None:
    texts = texts_of(200)

    answers = answer(texts, Echo(workers))

    alone = [answer([text], Echo(1))[0].scores[NAMES[0]] for text in texts[:20]]
    assert [prediction.text for prediction in answers] == texts
    assert [prediction.scores[NAMES[0]] for prediction in answers[:20]] == alone


def test_at_most_as_many_passes_run_at_once_as_there_are_workers() -> None:
    backend = Echo(3, wait_s=0.002)

    answer(texts_of(300), backend, batch_tokens=256)

    assert backend.most_at_once == 3


@pytest.mark.parametrize(("workers", "passes"), [(1, 1), (2, 2), (4, 4)])
def test_a_short_list_is_shared_out_among_the_workers(workers: int, passes: int) -> None:
    backend = Echo(workers)

    answer(["good " * 30] * 40, backend)

    assert len(backend.shapes) == passes


def test_very_little_is_not_shared_out() -> None:
    backend = Echo(4)

    answer(["good"] * 8, backend)

    assert backend.shapes == [(8, 3)]


def test_the_error_of_a_pass_reaches_the_caller() -> None:
    class Broken(Echo):
        def forward(self, batch: Batch) -> dict[str, Array]:
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        answer(texts_of(100), Broken(2), batch_tokens=256)


class EchoTokens(Echo):
    """Answers each token with its id."""

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return logits of tokens."""
        super().forward(batch)
        return {"logits": batch["input_ids"][..., None].astype(np.float32)}


def test_outputs_of_tokens_are_joined_where_one_text_takes_several_passes() -> None:
    """Its last pass may be shorter than the others."""
    task = dataclasses.replace(SINGLE, truncation="windows")
    features = task.encode(as_examples(["good bad " * 40]), TOKENIZER, 16)
    backend = EchoTokens(1)

    ((_, windows, outputs),) = run_batches(backend, EncodedRows.of(features, 1), 0, 32, by_token=True)

    assert len(backend.shapes) > 1
    assert outputs["logits"].shape == (len(windows), 16, 1)
    for window in range(len(windows)):
        ids = windows[window].input_ids_L
        assert outputs["logits"][window, : len(ids), 0].tolist() == ids.tolist()
