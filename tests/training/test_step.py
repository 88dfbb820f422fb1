"""One optimiser step: equal to one large batch however it is cut, clipped at the true norm."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from fastbert.data.examples import Answer, QuestionExample, TextExample
from fastbert.data.features import EncodedRows
from fastbert.errors import TrainingError
from fastbert.labels import Labels
from fastbert.models.loading import load_model, open_encoder
from fastbert.runtime import Runtime, choose_runtime
from fastbert.tasks.answering import Answering
from fastbert.tasks.base import Feature, Task
from fastbert.tasks.classification import Classification, MultiLabel, SingleLabel
from fastbert.training.step import Stepper, StepResult, make_scaler, training_parts
from tests.feedback import differing, feedback_rows, weights

NAMES = Labels(("bug", "praise"))
LOSS_SCALE = 65536.0  # the first one that torch's GradScaler uses


@dataclass(frozen=True)
class BrokenLoss(SingleLabel):
    """A loss that is not finite."""

    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        return outputs["logits"].sum() * math.nan, 1.0


@dataclass(frozen=True)
class BrokenGradient(SingleLabel):
    """A loss of 0 whose gradient is not a number: the root of 0 has an infinite slope."""

    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        return (outputs["logits"] * 0).square().sum().sqrt(), 1.0


@dataclass(frozen=True)
class NothingCounts(SingleLabel):
    """A batch in which no row has a target, as masked language models have them."""

    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        return outputs["logits"].sum() * 0, 0.0


def make_stepper(
    encoder: str,
    task: Task | None = None,
    *,
    clip_norm: float = 1e9,
    scale: float | None = None,
    dtype: torch.dtype = torch.float64,
) -> Stepper:
    """Return a stepper without dropout whose optimizer subtracts the gradient, so that it can be read off."""
    opened, chosen = open_encoder(encoder), task or SingleLabel(NAMES)
    torch.manual_seed(0)
    model = load_model(opened, chosen).to(dtype)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    scaler = torch.amp.GradScaler("cpu", enabled=scale is not None, init_scale=scale or 1.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    tokenizer = opened.tokenizer
    runtime = choose_runtime("fp32", "cpu")
    return Stepper(model, chosen, optimizer, runtime, tokenizer.input_names, tokenizer.pad_id, clip_norm, scaler)


def make_features(encoder: str, task: Classification | None = None, count: int = 12) -> Sequence[Feature]:
    rows = feedback_rows(count)
    examples = [TextExample(row["text"], labels=(row["label"],)) for row in rows]
    return (task or SingleLabel(NAMES)).encode(examples, open_encoder(encoder).tokenizer, 64)


def run(stepper: Stepper, *parts: Sequence[Feature]) -> StepResult:
    return stepper.step(stepper.prepare(parts, np.random.default_rng(0)))


def moved(before: Mapping[str, torch.Tensor], stepper: Stepper) -> float:
    """Return the norm of what the step subtracted."""
    after = weights(stepper.model)
    return math.sqrt(sum(float((after[name] - value).double().square().sum()) for name, value in before.items()))


def largest_difference(first: Stepper, second: Stepper) -> float:
    pairs = zip(first.model.parameters(), second.model.parameters(), strict=True)
    return max(float((one - other).detach().abs().max()) for one, other in pairs)


@pytest.mark.parametrize(
    "task",
    [SingleLabel(NAMES), SingleLabel(NAMES, label_weights=(0.3, 2.0)), MultiLabel(NAMES, label_weights=(1.0, 3.0))],
    ids=["plain", "class weights", "multi-label"],
)
@pytest.mark.parametrize("cuts", [(4, 8), (1, 2)], ids=["even", "uneven"])
def test_accumulated_gradients_equal_one_large_batch(task: Classification, cuts: tuple[int, int], encoder: str) -> None:
    features = make_features(encoder, task)
    whole, parted = make_stepper(encoder, task), make_stepper(encoder, task)

    run(whole, features)
    run(parted, features[: cuts[0]], features[cuts[0] : cuts[1]], features[cuts[1] :])

    assert largest_difference(whole, parted) <= 1e-12


def test_accumulated_loss_equals_that_of_one_large_batch(encoder: str) -> None:
    features = make_features(encoder)

    whole = run(make_stepper(encoder), features)
    parted = run(make_stepper(encoder), features[:5], features[5:])

    assert whole.loss == pytest.approx(parted.loss, abs=1e-12)
    assert whole.gradient_norm == pytest.approx(parted.gradient_norm, abs=1e-12)


@pytest.mark.parametrize("label_weights", [(), (0.3, 2.0)], ids=["plain", "class weights"])
def test_loss_is_the_mean_that_torch_computes(label_weights: tuple[float, ...], encoder: str) -> None:
    task = SingleLabel(NAMES, label_weights=label_weights)
    features, stepper = make_features(encoder, task), make_stepper(encoder, task)
    targets = torch.tensor([int(feature.target) for feature in features if feature.target is not None])
    with torch.no_grad():  # one row at a time: no padding at all
        logits = [
            stepper.model(input_ids=torch.from_numpy(feature.input_ids_L.astype(np.int64))[None]).logits[0]
            for feature in features
        ]
    chosen = torch.tensor(label_weights, dtype=torch.float64) if label_weights else None

    expected = functional.cross_entropy(torch.stack(logits), targets, chosen)

    assert run(stepper, features).loss == pytest.approx(float(expected), abs=1e-9)


def test_gradient_is_divided_by_the_count_once(encoder: str) -> None:
    features = make_features(encoder)
    once, twice = make_stepper(encoder), make_stepper(encoder)

    run(once, features)
    run(twice, features, features)

    assert largest_difference(once, twice) <= 1e-12


def test_two_steps_do_not_share_gradients(encoder: str) -> None:
    features = make_features(encoder)
    stepper, fresh = make_stepper(encoder), make_stepper(encoder)
    run(stepper, features[:6])
    fresh.model.load_state_dict(stepper.model.state_dict())

    run(stepper, features[6:])
    run(fresh, features[6:])

    assert differing(weights(stepper.model), weights(fresh.model)) == []


@pytest.mark.parametrize("scale", [None, LOSS_SCALE], ids=["unscaled", "scaled"])
def test_gradient_is_clipped_at_its_true_norm(scale: float | None, encoder: str) -> None:
    # W2: the predecessor clipped the scaled gradient, which left a norm of 0.01 / 65536.
    stepper = make_stepper(encoder, clip_norm=0.01, scale=scale, dtype=torch.float32)
    before = weights(stepper.model)

    run(stepper, make_features(encoder))

    assert moved(before, stepper) == pytest.approx(0.01, rel=1e-3)


def test_a_loss_scale_does_not_change_the_step(encoder: str) -> None:
    features = make_features(encoder)
    plain = make_stepper(encoder, clip_norm=0.01, dtype=torch.float32)
    scaled = make_stepper(encoder, clip_norm=0.01, scale=LOSS_SCALE, dtype=torch.float32)

    plain_result, scaled_result = run(plain, features), run(scaled, features)

    assert scaled_result.gradient_norm == pytest.approx(plain_result.gradient_norm, rel=1e-5)
    assert largest_difference(plain, scaled) < 1e-7


def test_a_gradient_below_the_limit_is_left_alone(encoder: str) -> None:
    stepper = make_stepper(encoder, clip_norm=1e9)
    before = weights(stepper.model)

    result = run(stepper, make_features(encoder))

    assert moved(before, stepper) == pytest.approx(result.gradient_norm, rel=1e-9)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (BrokenLoss(NAMES), "The loss is nan: training has diverged."),
        (BrokenGradient(NAMES), "The norm of the gradient is nan: training has diverged."),
    ],
    ids=["loss", "gradient"],
)
def test_divergence_is_an_error_and_leaves_the_weights(task: Classification, message: str, encoder: str) -> None:
    stepper = make_stepper(encoder, task)
    before = weights(stepper.model)

    with pytest.raises(TrainingError) as caught:
        run(stepper, make_features(encoder))

    assert str(caught.value) == f"{message}\n  Use a lower --lr, a longer warm-up, or --precision fp32."
    assert differing(before, weights(stepper.model)) == []


def test_an_overflow_of_the_scaled_gradient_is_skipped(encoder: str) -> None:
    stepper = make_stepper(encoder, scale=1e38, dtype=torch.float32)
    before = weights(stepper.model)

    run(stepper, make_features(encoder))

    assert differing(before, weights(stepper.model)) == []
    assert stepper.scaler.get_scale() < 1e38


def test_a_batch_in_which_nothing_counts_changes_nothing(encoder: str) -> None:
    stepper = make_stepper(encoder, NothingCounts(NAMES))
    before = weights(stepper.model)

    result = run(stepper, make_features(encoder))

    assert (result.loss, result.gradient_norm) == (0.0, 0.0)
    assert differing(before, weights(stepper.model)) == []


def test_a_frozen_parameter_stays(encoder: str) -> None:
    stepper = make_stepper(encoder)
    stepper.model.get_parameter("bert.embeddings.word_embeddings.weight").requires_grad_(False)
    before = weights(stepper.model)

    run(stepper, make_features(encoder))

    assert "bert.embeddings.word_embeddings.weight" not in differing(before, weights(stepper.model))


def test_examples_and_tokens_are_counted_with_and_without_padding(encoder: str) -> None:
    features = make_features(encoder, count=3)  # 6, 10 and 12 tokens with [CLS] and [SEP]

    result = run(make_stepper(encoder), features[:2], features[2:])

    assert [len(feature.input_ids_L) for feature in features] == [6, 10, 12]
    assert (result.examples, result.tokens, result.padded_tokens) == (3, 28, 2 * 10 + 12)


def test_an_example_of_several_windows_counts_once(encoder: str) -> None:
    task = SingleLabel(NAMES, truncation="windows")
    examples = [TextExample("the page is slow " * 20, labels=("bug",)), TextExample("good", labels=("praise",))]
    features = task.encode(examples, open_encoder(encoder).tokenizer, 32)

    assert len(features) > 3
    assert run(make_stepper(encoder, task), features).examples == 2


def test_long_rows_are_cut_into_passes_without_changing_the_step(encoder: str) -> None:
    tokenizer, task = open_encoder(encoder).tokenizer, Answering()
    examples = [
        QuestionExample("who ?", "the page is slow " * 20 + "anna", (Answer("anna", 340),)),
        QuestionExample("who ?", "anna said so", (Answer("anna", 0),)),
    ]
    encoded = EncodedRows.of(task.encode(examples, tokenizer, 24), 2)
    rows = [np.array([1, 0])]

    whole, cut = (training_parts(encoded, rows, 72, by_token=by_token) for by_token in (False, True))
    steppers = [make_stepper(encoder, task) for _ in range(2)]
    results = [run(stepper, *parts) for stepper, parts in zip(steppers, (whole, cut), strict=True)]

    assert [len(part) for part in whole] == [sum(len(part) for part in cut)]
    assert len(cut) >= 3
    assert max(len(part) * int(part.length_W.max()) for part in cut) <= 72
    assert largest_difference(*steppers) <= 1e-12
    assert [result.examples for result in results] == [2, 2]
    assert results[0].loss == pytest.approx(results[1].loss, abs=1e-12)


def test_windows_that_one_answer_is_made_of_stay_together(encoder: str) -> None:
    task = SingleLabel(NAMES, truncation="windows")
    examples = [TextExample("the page is slow " * 20, labels=("bug",))]
    encoded = EncodedRows.of(task.encode(examples, open_encoder(encoder).tokenizer, 32), 1)

    (part,) = training_parts(encoded, [np.array([0])], 32, by_token=task.by_token)

    assert len(part) == len(encoded.features) > 1


def test_a_step_puts_the_model_into_training_mode(encoder: str) -> None:
    stepper = make_stepper(encoder)
    stepper.model.eval()

    run(stepper, make_features(encoder, count=2))

    assert stepper.model.training


def test_the_scaler_is_off_where_there_is_no_fp16() -> None:
    assert not make_scaler(choose_runtime("fp32", "cpu")).is_enabled()


def test_the_scaler_is_on_for_fp16() -> None:
    assert make_scaler(Runtime(torch.device("cpu"), "fp16", "as if")).is_enabled()
