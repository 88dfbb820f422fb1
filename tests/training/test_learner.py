"""The learner over one and several fits. The loop itself: `test_loop`; its answers: `test_learner_answers`."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
import torch
from torch import nn

from fastbert.data.databunch import DataBunch
from fastbert.errors import ConfigError, EncoderError
from fastbert.models.freezing import trainable_count
from fastbert.training.callbacks import Callback
from fastbert.training.learner import Learner
from fastbert.training.state import RunState
from tests.feedback import Recorder, differing, feedback_rows, make_data, make_learner, weights
from tests.training.doubles import noting_data


def optimizer_of(learner: Learner) -> torch.optim.Optimizer:
    assert learner._optimizer is not None
    return learner._optimizer[1]


# --- what fit is given ----------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"epochs": 2, "lr": 1e-3, "optimizer": "adamw"}], ids=["alone", "with all"])
def test_the_schedule_of_fit_counts_beside_the_options_of_the_constructor(
    options: dict[str, object], encoder: str
) -> None:
    recorder = Recorder()  # W4: there, a schedule beside the same lr, epochs and optimizer was ignored
    learner = make_learner(encoder, callbacks=[recorder], schedule="warmup_cosine", optimizer="adamw")

    learner.fit(schedule="none", **options)  # type: ignore[arg-type]  # each fits its parameter

    assert recorder.rates == [1e-3] * 8


def test_options_of_a_fit_are_forgotten_after_it(encoder: str) -> None:
    recorder = Recorder()
    learner = make_learner(encoder, callbacks=[recorder], epochs=1, schedule="none").fit(lr=5e-4)

    learner.fit()

    assert recorder.rates == [5e-4] * 4 + [1e-3] * 4


def test_what_is_not_given_is_chosen_by_the_recipe(encoder: str) -> None:
    learner = make_learner(encoder, lr=None, epochs=None, batch_size=32, start="plain")

    assert (learner.plan().config.lr, learner.plan().config.epochs) == (2e-4, 20.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schedule": "warmup_linaer"}, "Did you mean 'warmup_linear'?"),
        ({"optimizer": "adamv"}, "Did you mean 'adamw'?"),
        ({"batchsize": 3}, "Did you mean 'batch_size'?"),
        ({"lr": "fast"}, "lr is 'fast'; expected a number or none."),
        ({"epochs": 0}, "it must be above 0"),
        ({"encoder": "other"}, "'encoder' cannot change from fit to fit."),
        ({"loss": "balanced"}, "'loss' cannot change from fit to fit."),
    ],
)
def test_a_wrong_option_of_fit_is_refused_with_advice(options: dict[str, object], message: str, encoder: str) -> None:
    learner = make_learner(encoder)
    before = weights(learner.model)

    with pytest.raises(ConfigError) as caught:
        learner.fit(**options)  # type: ignore[arg-type]  # wrong on purpose

    assert message in str(caught.value)
    assert differing(before, weights(learner.model)) == []


def test_a_wrong_option_of_the_constructor_is_refused(encoder: str) -> None:
    with pytest.raises(ConfigError, match="'epoch' is not an option.\n  Did you mean 'epochs'?"):
        Learner(make_data(), encoder, epoch=3)


def test_an_encoder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="The encoder folder '.*missing' does not exist."):
        make_learner(str(tmp_path / "missing"))


# --- several fits ---------------------------------------------------------------------------------------


def test_a_second_fit_gets_a_fresh_schedule(encoder: str) -> None:
    recorder = Recorder()  # W5: there, it went on with an exhausted cosine, which rises
    learner = make_learner(encoder, callbacks=[recorder], schedule="warmup_cosine")

    learner.fit()
    learner.fit()

    assert recorder.rates[:8] == recorder.rates[8:]
    assert recorder.rates[2:8] == sorted(recorder.rates[2:8], reverse=True)


def test_a_second_fit_goes_on_with_other_row_orders(encoder: str) -> None:
    data, task = noting_data()
    learner = make_learner(encoder, data).fit(epochs=2)

    learner.fit(epochs=1)

    assert len({tuple(task.order[start : start + 32]) for start in (0, 32, 64)}) == 3


def test_steps_and_epochs_are_also_counted_over_all_fits(encoder: str) -> None:
    learner = make_learner(encoder).fit(epochs=1)
    first = learner.last_run

    second = learner.fit(epochs=1).last_run

    assert (first.global_step, first.global_epoch) == (4, 1.0)
    assert (second.step, second.global_step, second.global_epoch) == (4, 8, 2.0)
    assert learner.history.steps[-1].step == second.global_step


def test_two_fits_see_the_rows_of_one_longer_fit(encoder: str) -> None:
    data, parted = noting_data()
    make_learner(encoder, data).fit(epochs=1).fit(epochs=2)
    data, whole = noting_data()
    make_learner(encoder, data).fit(epochs=3)

    assert parted.order == whole.order


class ShapeWatch(Callback):
    """At each step, compares what the optimizer remembers of a trained parameter with its shape."""

    learner: Learner

    def on_step(self, state: RunState) -> None:
        for parameter, remembered in optimizer_of(self.learner).state.items():
            if parameter.grad is not None:
                assert remembered["exp_avg"].shape == parameter.shape


@pytest.mark.parametrize("ways", [("none", "encoder", "gradual"), ("encoder", "gradual", "none")], ids="-".join)
def test_moments_of_word_embeddings_are_of_the_rows_that_are_trained(ways: tuple[str, ...], encoder: str) -> None:
    """Torch's fused AdamW does not compare shapes: whole in one fit and shrunk in the next, it wrote past their end."""
    watch = ShapeWatch()
    learner = watch.learner = make_learner(encoder, callbacks=[watch])

    for way in ways:
        learner.fit(epochs=6 if way == "gradual" else 1, freeze=way)

    assert all(torch.isfinite(parameter).all() for parameter in learner.model.parameters())


def test_a_second_fit_keeps_the_state_of_the_optimizer(encoder: str) -> None:
    learner = make_learner(encoder).fit(epochs=1)

    learner.fit(epochs=2, lr=5e-4)

    assert {int(state["step"]) for state in optimizer_of(learner).state.values()} == {4 + 8}


@pytest.mark.parametrize("options", [{"optimizer": "sgd"}, {"weight_decay": 0.5}, {"layer_decay": 0.9}])
def test_another_optimizer_starts_anew(options: dict[str, object], encoder: str) -> None:
    learner = make_learner(encoder).fit(epochs=1)
    before = optimizer_of(learner)

    learner.fit(epochs=1, **options)  # type: ignore[arg-type]  # each fits its parameter

    assert optimizer_of(learner) is not before


def test_nothing_of_a_learner_stays_in_memory_without_it(encoder: str) -> None:
    learner = make_learner(encoder, epochs=1).fit()
    learner.evaluate("valid")
    held = [weakref.ref(parameter) for parameter in learner.model.parameters()]

    del learner
    gc.collect()

    assert len(held) > 10 and [parameter for parameter in held if parameter() is not None] == []


def test_two_learners_side_by_side_do_not_disturb_each_other(encoder: str) -> None:
    alone = make_learner(encoder).fit(epochs=1).fit(epochs=1)
    first, second = make_learner(encoder), make_learner(encoder, seed=7)

    first.fit(epochs=1)
    second.fit(epochs=1)
    first.fit(epochs=1)

    assert differing(weights(alone.model), weights(first.model)) == []


# --- freezing -------------------------------------------------------------------------------------------


def frozen_ones(learner: Learner) -> set[str]:
    return {name for name, parameter in learner.model.named_parameters() if not parameter.requires_grad}


@pytest.mark.parametrize("how", ["method", "constructor", "fit"])
def test_frozen_weights_keep_every_bit_and_the_head_moves(how: str, encoder: str) -> None:
    learner = make_learner(encoder, schedule="none", freeze="encoder" if how == "constructor" else "none")
    if how == "method":
        learner.freeze()
    before = weights(learner.model)

    learner.fit(epochs=2, **({"freeze": "encoder"} if how == "fit" else {}))  # type: ignore[arg-type]

    moved = differing(before, weights(learner.model))
    assert set(moved) == {
        "bert.pooler.dense.weight",
        "bert.pooler.dense.bias",
        "classifier.weight",
        "classifier.bias",
    }
    assert frozen_ones(learner) == set(before) - set(moved)


def test_unfreezing_trains_everything_again(encoder: str) -> None:
    learner = make_learner(encoder, freeze="encoder", schedule="none").fit(epochs=1)
    learner.unfreeze()
    before = weights(learner.model)

    learner.fit(epochs=1)

    assert set(differing(before, weights(learner.model))) == set(before)


def test_a_fit_can_lift_a_freeze(encoder: str) -> None:
    learner = make_learner(encoder, freeze="encoder").fit(epochs=1)

    learner.fit(epochs=1, freeze="none")

    assert frozen_ones(learner) == set()


def test_groups_can_be_frozen_from_below(encoder: str) -> None:
    learner = make_learner(encoder)

    num_frozen = learner.freeze_to(-2)

    trained, total = trainable_count(learner.model)
    assert num_frozen == total - trained == 4736 + 8544  # embeddings and layer 0


# --- optimizers in a real fit ---------------------------------------------------------------------------


def test_lamb_moves_a_bias_that_is_zero(encoder: str) -> None:
    learner = make_learner(encoder, optimizer="lamb", schedule="none")  # W1: there, it stayed 0 for ever
    nn.init.zeros_(learner.model.get_parameter("classifier.bias"))

    learner.fit(epochs=2)

    bias = learner.model.get_parameter("classifier.bias")
    assert torch.isfinite(bias).all() and (bias != 0).all()


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "lamb", "lion", "adafactor"])
def test_every_optimizer_trains(optimizer: str, encoder: str) -> None:
    learner = make_learner(encoder, optimizer=optimizer, schedule="none")
    before = weights(learner.model)

    learner.fit(epochs=1)

    after = weights(learner.model)
    assert "classifier.weight" in differing(before, after)
    assert all(torch.isfinite(value).all() for value in after.values())


def test_matrices_are_decayed_and_vectors_are_not(encoder: str) -> None:
    learner = make_learner(encoder, weight_decay=0.02).fit(epochs=0.5)  # W10: there, nothing was

    groups = optimizer_of(learner).param_groups

    decay_of = {id(parameter): group["weight_decay"] for group in groups for parameter in group["params"]}
    wanted = {id(p): 0.02 if p.ndim > 1 else 0.0 for p in learner.model.parameters()}
    assert decay_of == wanted


def test_weight_decay_shrinks_weights(encoder: str) -> None:
    plain = make_learner(encoder, weight_decay=0.0, schedule="none").fit(epochs=2)
    decayed = make_learner(encoder, weight_decay=50.0, schedule="none").fit(epochs=2)

    name = "bert.encoder.layer.0.intermediate.dense.weight"

    assert decayed.model.get_parameter(name).norm() < 0.9 * plain.model.get_parameter(name).norm()


def test_layer_decay_gives_lower_layers_smaller_rates(encoder: str) -> None:
    learner = make_learner(encoder, layer_decay=0.5, head_lr_factor=1, schedule="none").fit(epochs=0.5)

    rates = {group["lr"] for group in optimizer_of(learner).param_groups}

    assert rates == {1e-3, 5e-4, 2.5e-4, 1.25e-4}


def test_a_new_head_learns_ten_times_as_fast_and_the_history_shows_the_rate_of_the_encoder(encoder: str) -> None:
    learner = make_learner(encoder, schedule="none").fit(epochs=0.5)

    names = {id(parameter): name for name, parameter in learner.model.named_parameters()}
    rates = {names[id(p)]: group["lr"] for group in optimizer_of(learner).param_groups for p in group["params"]}

    assert {name for name, rate in rates.items() if rate == 1e-2} == {"classifier.weight", "classifier.bias"}
    assert set(rates.values()) == {1e-3, 1e-2}
    assert {record.lr for record in learner.history.steps} == {1e-3}


def test_a_head_that_knows_the_labels_already_learns_at_the_rate_of_the_encoder(encoder: str, tmp_path: Path) -> None:
    learner = make_learner(encoder).fit(epochs=0.5)

    continued = make_learner(str(learner.save(tmp_path / "model")))

    assert learner.plan(estimate=False).config.head_lr_factor == 10
    assert continued.plan(estimate=False).config.head_lr_factor == 1


def test_balanced_weights_come_from_the_training_rows(encoder: str) -> None:
    rows = [row for row in feedback_rows(48) if row["label"] == "bug"] + feedback_rows(8)[1::2]

    learner = make_learner(encoder, DataBunch.from_files(rows, rows), loss="balanced")

    assert learner.data.task.to_json()["label_weights"] == pytest.approx([28 / (2 * 24), 28 / (2 * 4)])


def test_it_learns(encoder: str) -> None:
    learner = make_learner(encoder, lr=3e-3).fit(epochs=20)

    assert learner.evaluate("train")["accuracy"] > 0.9
    assert learner.history.steps[-1].loss < learner.history.steps[0].loss
