"""An encoder that learns to tell labels apart before anything is trained on top, and a head fitted to what it says.

With a few rows of each label, pairs of rows teach more than rows: there are many more of them (Tunstall et al. 2022,
SetFit, arXiv 2209.11055). Vectors of rows with one label are drawn together, others apart; all pairs of a batch count,
so that a pass over its rows serves each of them. The head is a logistic regression on the vectors, written into the
model's linear layer. Knows nothing of what is trained after it, nor when it pays (`few_rows`).

Axes: N rows, D width, C labels.
"""

from __future__ import annotations

import importlib
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from fastbert.config import TrainConfig
from fastbert.data.batches import Costs, Indices, split_by_cost
from fastbert.errors import ConfigError, MissingExtraError
from fastbert.inference.pipeline import run_batches
from fastbert.inference.torch_backend import TorchBackend
from fastbert.models.heads import EncoderWithHead
from fastbert.models.optimizers import apply_schedule
from fastbert.models.pooled_head import PooledHead
from fastbert.models.schedules import make_schedule
from fastbert.tasks.texts import mean_over_windows as mean_vectors
from fastbert.training.callbacks import Callback, tell
from fastbert.training.pair_steps import EXTRA_PASS, Pairs, PairStepper
from fastbert.training.recipe import RATE_FACTORS
from fastbert.training.shortcuts import shortcuts
from fastbert.training.start import new_optimizer, new_stepper
from fastbert.training.state import Stage, started

if TYPE_CHECKING:
    from fastbert.training.learner import Learner

Floats = npt.NDArray[np.float64]
BATCH_ROWS = 24
# More passes at a lower rate than 30 at 1.4 times the recipe's: better on 5 of 6 draws of rows (LOG 2026-11-30).
PASSES = 60  # times that each row is seen: 120 steps for 48 rows
MOST_STEPS = 600
LR_FACTOR = 0.5  # on the rate of the recipe: 3.5e-5 for minilm
STRENGTH = 1.0  # C of the logistic regression, scikit-learn's own; 10 gave the same answers
_LEAST = 1e-6  # probability of a label that no training row has


def draw_labels_apart(learner: Learner, config: TrainConfig, limits: Sequence[Callback] = ()) -> None:
    """Warm up the encoder of a learner by pairs of training rows, and fit its head.

    config: with every choice made.    limits: watch it beside the callbacks of the learner.
    The learner's model is an `EncoderWithHead` with a `PooledHead`.
    Raises ConfigError for a learner that was made for another start, TrainingError if the loss diverges,
    MissingExtraError without scikit-learn.
    """
    if learner.config.start != "contrastive":
        raise ConfigError(
            "start is 'contrastive' for this fit alone; the model was made for another start.",
            "Make another Learner(data, start='contrastive').",
        )
    tell(learner.callbacks, "on_part", f"{learner.part}pairs of rows")
    model = cast("EncoderWithHead", learner.model)
    vectors = EncoderWithHead(model.encoder, _Pool(cast("PooledHead", model.head)))
    labels_N = _labels(learner)
    _train_pairs(learner, vectors, labels_N, _warm_up(config), [*learner.callbacks, *limits])
    weights_CD, bias_C = fit_head(_embed(learner, vectors), labels_N, len(learner.data.labels))
    with torch.no_grad():
        output = cast("nn.Linear", model.head.output)
        output.weight.copy_(torch.from_numpy(weights_CD))
        output.bias.copy_(torch.from_numpy(bias_C))
    tell(learner.callbacks, "on_part", f"{learner.part}training")


def _warm_up(config: TrainConfig) -> TrainConfig:
    """Return how pairs are trained: by AdamW, with which all was measured, at the rate that suits it."""
    lr = LR_FACTOR * (config.lr or 0.0) / RATE_FACTORS.get(config.optimizer, 1.0)
    return config.changed(lr=lr, optimizer="adamw", head_lr_factor=1.0, r_drop=0.0)


def num_steps(num_rows: int) -> int:
    """Return the steps of the warm-up.

    >>> num_steps(48), num_steps(10_000)
    (120, 600)
    """
    return min(math.ceil(PASSES * num_rows / BATCH_ROWS), MOST_STEPS)


def epochs_read(costs: Costs, batch_tokens: int) -> float:
    """Return as how many epochs the pairs are, by the rows read. costs: of the training rows."""
    num_rows = len(costs.longest_N)
    tokens = BATCH_ROWS * float((costs.longest_N * costs.windows_N).mean())
    return num_steps(num_rows) * BATCH_ROWS / num_rows * (1.0 if tokens <= batch_tokens else EXTRA_PASS)


def draw_batch(labels_N: npt.NDArray[np.integer], rng: np.random.Generator) -> Indices:
    """Return the rows of a batch: about as many of each label, at least two where there are two.

    Of more labels than half the rows of a batch, so many are drawn.
    """
    found = np.unique(labels_N)
    chosen = rng.permutation(found)[: BATCH_ROWS // 2]
    each = BATCH_ROWS // len(chosen)
    rows = [rng.permutation(np.flatnonzero(labels_N == label))[:each] for label in chosen]
    return np.concatenate(rows).astype(np.intp)


def fit_head(vectors_ND: Floats, labels_N: npt.NDArray[np.integer], num_labels: int) -> tuple[Floats, Floats]:
    """Return weights (C, D) and bias (C,) of a logistic regression on vectors, whatever their scale and centre.

    It is fitted to centred vectors of mean length 1, and written in terms of those given. A label without rows gets
    a probability near 0. Raises MissingExtraError without scikit-learn.
    """
    try:
        linear = importlib.import_module("sklearn.linear_model")
    except ModuleNotFoundError as error:
        raise MissingExtraError("scikit-learn", "train", "The head for few rows") from error
    centre_D = vectors_ND.mean(axis=0)
    scale = float(np.linalg.norm(vectors_ND - centre_D, axis=1).mean()) or 1.0
    model = linear.LogisticRegression(C=STRENGTH, max_iter=1000).fit((vectors_ND - centre_D) / scale, labels_N)
    found_CD, found_C = np.asarray(model.coef_, np.float64), np.asarray(model.intercept_, np.float64)
    if len(model.classes_) == 2:  # one row of weights, of the second label: half of it each way is the same
        found_CD, found_C = np.concatenate([-found_CD, found_CD]) / 2, np.concatenate([-found_C, found_C]) / 2
    weights_CD, bias_C = np.zeros((num_labels, vectors_ND.shape[1])), np.full(num_labels, math.log(_LEAST))
    weights_CD[model.classes_] = found_CD / scale
    bias_C[model.classes_] = found_C - weights_CD[model.classes_] @ centre_D
    return weights_CD, bias_C


class _Pool(nn.Module):
    """What a pooled head reads, as an output of the model."""

    def __init__(self, head: PooledHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, hidden_WLD: torch.Tensor, attention_mask_WL: torch.Tensor) -> torch.Tensor:
        return self.head.pool(hidden_WLD, attention_mask_WL)


def _train_pairs(
    learner: Learner,
    vectors: EncoderWithHead,
    labels_N: npt.NDArray[np.integer],
    config: TrainConfig,
    callbacks: Sequence[Callback],
) -> None:
    """Train the encoder; callbacks watch, and may stop it."""
    steps = num_steps(len(labels_N))
    state = started(steps, steps * BATCH_ROWS / len(labels_N), "similarity of pairs")
    schedule = make_schedule("warmup_linear", steps, 0.1)
    encoded, rng = learner.data.encoded("train"), np.random.default_rng(config.seed)
    with shortcuts(vectors, learner.data, config, learner.runtime):
        optimizer = new_optimizer(vectors, config)
        task = learner.data.task
        usual = new_stepper(vectors, task, optimizer, learner.runtime, learner.encoder, how=config)
        stepper = PairStepper(**{**vars(usual), "task": Pairs(task)})
        tell(callbacks, "on_start", state)
        try:
            while state.step < steps and state.stop.reason is None:
                start, lr = time.perf_counter(), apply_schedule(optimizer, schedule, state.step)
                parts = split_by_cost(draw_batch(labels_N, rng), encoded.costs, config.batch_tokens)
                result = stepper.step(stepper.prepare([encoded.windows_of(rows) for rows in parts], rng))
                epoch = (state.step + 1) * BATCH_ROWS / len(labels_N)
                state = state.after(result, epoch=epoch, lr=lr, seconds=time.perf_counter() - start)
                tell(callbacks, "on_step", state)
        except BaseException as error:
            for callback in callbacks:
                callback.on_error(state, error)
            raise
        tell(callbacks, "on_finish", state)
    learner.history.stages.append(Stage("pairs of rows", state.step, state.seconds))


def _embed(learner: Learner, vectors: EncoderWithHead) -> Floats:
    """Return the vector of each training row, float64 (N, D)."""
    exact = replace(learner.runtime, precision="fp32")
    backend = TorchBackend(vectors, exact, learner.encoder.tokenizer.input_names)
    encoded = learner.data.encoded("train")
    vectors_ND = np.zeros((len(encoded), int(vectors.encoder.config.hidden_size)))
    for rows, windows, outputs in run_batches(backend, encoded, learner.encoder.tokenizer.pad_id):
        vectors_ND[rows] = mean_vectors(outputs["logits"], windows)
    return vectors_ND


def _labels(learner: Learner) -> npt.NDArray[np.integer]:
    """Return the id of the label of each training row."""
    features = learner.data.encoded("train").features
    targets = learner.data.task.targets(features, 1, np.random.default_rng(0))
    return np.asarray(targets["labels"], np.intp)
