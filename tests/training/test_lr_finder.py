"""The learning-rate test: what it leaves as it was, what it trains on, and how it ends."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fastbert.data.databunch import DataBunch
from fastbert.errors import ConfigError
from fastbert.models.optimizers import OPTIMIZERS
from fastbert.runtime import choose_runtime
from fastbert.tasks.classification import SingleLabel
from fastbert.training import start
from fastbert.training.learner import Learner
from fastbert.training.lr_finder import Progress
from fastbert.training.step import Stepper
from tests.feedback import Recorder, differing, feedback_rows, make_data, make_learner, tagged_rows, weights, with_task
from tests.models.test_heads import MeanHead
from tests.tasks.questions import question_rows
from tests.training.doubles import NAMES, noting_data

STEPS = 20
CONLL = "".join(
    f"the O\n{part} B-part\nis O\n{sign} B-sign\n\n" for part in ("app", "page") for sign in ("bad", "good")
)


class CountingHead(MeanHead):
    """Counts in a buffer what passes through it."""

    passes: Tensor

    def __init__(self, width: int, num_labels: int) -> None:
        super().__init__(width, num_labels)
        self.register_buffer("passes", torch.zeros(()), persistent=False)

    def forward(self, hidden_WLD: Tensor, attention_mask_WL: Tensor) -> Tensor:
        self.passes += 1
        return super().forward(hidden_WLD, attention_mask_WL)


@dataclass(frozen=True)
class BreakingTask(SingleLabel):
    """Loses what is no number from a call on; of a test the first two are timed, the next ask the starting weights."""

    first: int = 0
    calls: list[int] = field(default_factory=list)
    value: float = float("nan")

    def loss(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, float]:
        loss, count = super().loss(outputs, batch)
        self.calls.append(1)
        return (loss * self.value if len(self.calls) > self.first else loss), count


def everything_of(learner: Learner) -> dict[str, object]:
    """Return what a test must leave alone, as values that compare bit for bit."""
    model, optimizer = learner.model, learner._optimizer
    kept = [] if optimizer is None else list(optimizer[1].state.values())
    groups = [] if optimizer is None else optimizer[1].param_groups
    return {
        "weights": {name: value.numpy().tobytes() for name, value in weights(model).items()},
        "buffers": [buffer.numpy().tobytes() for buffer in model.buffers()],
        "gradients": [None if one.grad is None else one.grad.numpy().tobytes() for one in model.parameters()],
        "places": [one.data_ptr() for one in model.parameters()],
        "trained": [one.requires_grad for one in model.parameters()],
        "modes": [module.training for module in model.modules()],
        "patches": [sorted(vars(module)) for module in model.modules()],
        "optimizer": [[(name, value.numpy().tobytes()) for name, value in one.items()] for one in kept],
        "groups": [[(name, value) for name, value in one.items() if name != "params"] for one in groups],
        "python": random.getstate(),
        "numpy": [str(part) for part in np.random.get_state()],  # noqa: NPY002
        "torch": torch.get_rng_state().tolist(),
        "history": learner.history.to_json(),
        "epochs": learner._epochs_done,
        "config": learner.config,
    }


def fit_twice(learner: Learner, between: Callable[[Learner], object], **options: object) -> dict[str, Tensor]:
    """Fit, do something, fit again; return the weights."""
    learner.fit(epochs=1)
    between(learner)
    learner.fit(epochs=1, **options)  # type: ignore[arg-type]  # each fits its parameter
    return weights(learner.model)


# --- what it leaves as it was ---------------------------------------------------------------------------


@pytest.mark.parametrize("fitted", [False, True], ids=["fresh", "fitted"])
def test_nothing_of_a_learner_is_touched(fitted: bool, encoder: str) -> None:
    learner = make_learner(encoder, head=CountingHead)
    if fitted:
        learner.fit(epochs=1)
    learner.model.train()
    next(learner.model.modules()).training = False
    before = everything_of(learner)

    learner.lr_find(steps=STEPS)

    after = everything_of(learner)
    assert [name for name, value in before.items() if value != after[name]] == []


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"layer_decay": 0.8},
        {"head_lr_factor": 1.0},
        {"batch_tokens": 32},
        {"precision": "auto"},
        {"freeze": "encoder"},
        {"freeze": "gradual"},
        *({"optimizer": name} for name in OPTIMIZERS),
    ],
    ids=str,
)
def test_fits_after_a_test_give_the_weights_of_fits_without_it(options: dict[str, object], encoder: str) -> None:
    plain = fit_twice(make_learner(encoder, None, **options), lambda learner: None)  # type: ignore[arg-type]

    learner = make_learner(encoder, None, **options)  # type: ignore[arg-type]  # fields of TrainConfig
    learner.lr_find(steps=STEPS)
    tested = fit_twice(learner, lambda learner: [learner.lr_find(steps=STEPS) for _ in range(2)])

    assert differing(plain, tested) == []


def test_a_frozen_encoder_stays_frozen_and_a_freed_one_free(encoder: str) -> None:
    learner = make_learner(encoder)
    before = [one.requires_grad for one in learner.model.parameters()]

    learner.lr_find(steps=STEPS, freeze="encoder")
    free = [one.requires_grad for one in learner.model.parameters()]
    learner.freeze()
    frozen = [one.requires_grad for one in learner.model.parameters()]
    learner.lr_find(steps=STEPS, freeze="none")

    assert free == before
    assert [one.requires_grad for one in learner.model.parameters()] == frozen


def test_a_scaler_of_the_loss_changes_nothing(encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scaled = torch.amp.GradScaler
    monkeypatch.setattr(start, "make_scaler", lambda runtime: scaled("cpu", init_scale=8.0, enabled=True))
    plain = fit_twice(make_learner(encoder), lambda learner: None)

    tested = fit_twice(make_learner(encoder), lambda learner: learner.lr_find(steps=STEPS))

    assert differing(plain, tested) == []


def test_an_interrupted_test_leaves_nothing_either(encoder: str) -> None:
    learner = make_learner(encoder)
    before = everything_of(learner)

    def interrupt(progress: Progress) -> None:
        if progress.rate is not None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learner.lr_find(steps=STEPS, on_progress=interrupt)

    after = everything_of(learner)
    assert [name for name, value in before.items() if value != after[name]] == []


def test_the_callbacks_of_fits_hear_nothing(encoder: str) -> None:
    recorder = Recorder()

    make_learner(encoder, callbacks=[recorder]).lr_find(steps=STEPS)

    assert recorder.events == []


# --- what it trains on ----------------------------------------------------------------------------------


def test_a_test_is_the_same_each_time(encoder: str) -> None:
    learner = make_learner(encoder)

    first, second = learner.lr_find(steps=STEPS), learner.lr_find(steps=STEPS)

    assert (first.losses, first.start_losses) == (second.losses, second.start_losses)


def test_rows_come_as_in_the_fit_to_come_and_again_when_they_run_out(encoder: str) -> None:
    data, task = noting_data()
    learner = make_learner(encoder, data)
    learner.lr_find(steps=STEPS)  # 5 times 4 batches
    noted = len(task.order) - STEPS * 8
    order = task.order[noted:]
    task.parts.clear()

    learner.fit(epochs=5)

    assert order == task.order[: len(order)]


def test_a_rate_that_changes_nothing_loses_what_the_starting_weights_lose(encoder: str) -> None:
    found = make_learner(encoder).lr_find(lowest=1e-30, highest=1e-28, steps=STEPS)

    assert found.losses == found.start_losses
    assert found.lr is None and found.unsure


def test_parts_of_a_batch_give_the_curve_of_the_whole(encoder: str) -> None:
    no_dropout = {"steps": STEPS, "highest": 1e-3}
    whole, parted = make_learner(encoder), make_learner(encoder, batch_tokens=32)
    for learner in (whole, parted):
        for module in learner.model.modules():
            module.p = 0.0 if isinstance(module, nn.Dropout) else getattr(module, "p", None)  # type: ignore[assignment]

    first, second = whole.lr_find(**no_dropout), parted.lr_find(**no_dropout)  # type: ignore[arg-type]

    assert first.losses == pytest.approx(second.losses, rel=1e-3)
    assert first.start_losses == pytest.approx(second.start_losses, rel=1e-5)


def test_the_rate_looked_for_is_the_base_rate(encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[float]] = []
    step = Stepper.step

    def noted(self: Stepper, parts: Sequence[object]) -> object:
        seen.append(sorted({group["lr"] for group in self.optimizer.param_groups}))
        return step(self, parts)  # type: ignore[arg-type]

    monkeypatch.setattr(Stepper, "step", noted)

    found = make_learner(encoder, head_lr_factor=10.0).lr_find(lowest=1e-5, highest=1e-3, steps=STEPS)

    assert [rates[0] for rates in seen] == pytest.approx(list(found.rates))
    assert [rates[1] for rates in seen] == pytest.approx([10 * rate for rate in found.rates])
    assert (found.rates[0], found.rates[-1]) == pytest.approx((1e-5, 1e-3))


def test_the_range_lies_around_the_rate_of_the_recipe_and_the_plan_is_that_of_the_user(encoder: str) -> None:
    found = make_learner(encoder, lr=0.5).lr_find(steps=STEPS)
    recipe = make_learner(encoder, lr=None).plan(estimate=False).config.lr

    assert recipe is not None
    assert found.rates[0] == pytest.approx(recipe / 100)
    assert found.planned == 0.5


@pytest.mark.parametrize("kind", ["single_label", "multi_label", "regression", "tagging", "answering"])
def test_every_task_is_tested(kind: str, encoder: str, tmp_path: Path) -> None:
    (tmp_path / "train.conll").write_text(CONLL * 8, encoding="utf-8")
    stars = [{"text": row["text"], "stars": index + 0.5} for index, row in enumerate(feedback_rows(40))]
    sources: dict[str, object] = {
        "single_label": feedback_rows(40),
        "multi_label": tagged_rows(40),
        "regression": stars,
        "tagging": tmp_path / "train.conll",
        "answering": question_rows(40),
    }
    learner = make_learner(encoder, DataBunch.from_files(sources[kind]))  # type: ignore[arg-type]
    assert learner.data.task.name == kind

    found = learner.lr_find(steps=40)

    assert len(found.losses) > 20
    assert min(found.smoothed) < found.smoothed[0]


def test_bf16_is_tested_where_the_processor_has_it(encoder: str) -> None:
    learner = make_learner(encoder)
    learner.runtime = choose_runtime("fp32").__class__(torch.device("cpu"), "bf16", "made up")

    assert len(learner.lr_find(steps=STEPS).losses) > 10


# --- how it ends ----------------------------------------------------------------------------------------


def test_a_rate_is_found_that_trains(encoder: str) -> None:
    learner = make_learner(encoder)

    found = learner.lr_find()

    assert found.lr is not None
    assert learner.fit(epochs=8, lr=found.lr).evaluate()["accuracy"] > 0.7


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_loss_that_is_not_finite_ends_the_test_and_is_a_result(value: float, encoder: str) -> None:
    task = BreakingTask(NAMES, first=2 + STEPS + 12, value=value)

    found = make_learner(encoder, with_task(make_data(), task)).lr_find(steps=STEPS)

    assert len(found.losses) == len(found.rates) == len(found.smoothed) == len(found.start_losses) == 12
    assert found.ended.startswith("Ended at rate ") and "training has diverged" in found.ended


@pytest.mark.parametrize("first", [0, 2, STEPS])
def test_a_loss_that_is_never_finite_suggests_nothing(first: int, encoder: str) -> None:
    learner = make_learner(encoder, with_task(make_data(), BreakingTask(NAMES, first=first)))
    before = weights(learner.model)

    found = learner.lr_find(steps=STEPS)

    assert (found.losses, found.lr, found.unsure) == ((), None, True)
    assert "Only 0 steps were possible" in repr(found)
    assert differing(before, weights(learner.model)) == []


def test_a_curve_that_diverges_ends_at_the_factor(encoder: str) -> None:
    found = make_learner(encoder, optimizer="sgd").lr_find(lowest=1e-3, highest=1e6, steps=60)

    assert len(found.losses) < 60
    assert "4 times that of the start" in found.ended or "diverged" in found.ended


# --- what it says ---------------------------------------------------------------------------------------


def test_how_long_it_takes_is_said_before_anything_is_trained(encoder: str) -> None:
    heard: list[Progress] = []

    make_learner(encoder).lr_find(steps=STEPS, highest=1e-2, on_progress=heard.append)

    assert heard[0].share == 0.0 and heard[0].seconds > 0 and heard[0].rate is None
    assert [one.share for one in heard] == sorted(one.share for one in heard)
    assert heard[-1].share == pytest.approx(1.0)
    assert sum(one.rate is not None for one in heard) == STEPS


def test_the_result_is_plain_json(encoder: str) -> None:
    found = make_learner(encoder).lr_find(steps=40)

    values = json.loads(json.dumps(found.to_json()))

    assert len(values["rates"]) == len(values["smoothed"]) == len(found.losses)
    assert values["lr"] == found.lr
    assert values["unsure"] is found.unsure


def test_the_view_shows_curve_rules_and_plan(encoder: str) -> None:
    text = repr(make_learner(encoder).lr_find())

    assert text.startswith("Loss by learning rate\n")
    assert "minimum/10 " in text and "valley " in text and "preferred" in text
    assert "what training takes without --lr" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 5}, "steps is 5; it must be at least 20"),
        ({"lowest": 0.0}, "the highest must be at least 10 times the lowest, and that above 0."),
        ({"lowest": 1e-3, "highest": 5e-3}, "The rates to try go from 0.001 to 0.005"),
        ({"highest": float("inf")}, "The rates to try go from 1e-06 to inf"),
        ({"highest": float("nan")}, "The rates to try go from 1e-06 to nan"),
        ({"lr": 1e-3}, "lr is what is looked for."),
        ({"optimizer": "adamv"}, "Did you mean 'adamw'?"),
        ({"precision": "bf16"}, "'precision' cannot change from fit to fit."),
    ],
    ids=str,
)
def test_a_wrong_option_is_refused_before_any_work(options: dict[str, object], message: str, encoder: str) -> None:
    heard: list[Progress] = []

    with pytest.raises(ConfigError) as caught:
        make_learner(encoder).lr_find(on_progress=heard.append, **options)  # type: ignore[arg-type]

    assert message in str(caught.value)
    assert heard == []
