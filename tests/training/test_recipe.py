"""Each default computed by hand, and every choice of the user kept."""

from __future__ import annotations

import pytest

from fastbert.config import TrainConfig
from fastbert.training.recipe import Facts, choose

MINILM = Facts(num_rows=8551, num_labels=2, num_parameters=22_700_000, model_type="bert")


def facts(**changes: object) -> Facts:
    return Facts(**{"num_rows": 8551, "num_labels": 2, "num_parameters": 22_700_000, "model_type": "bert", **changes})  # type: ignore[arg-type]  # any field


@pytest.mark.parametrize(
    ("num_parameters", "rate"),
    [
        (4_400_000, 2e-4),  # BERT tiny
        (15_000_000, 2e-4),  # the limit itself
        (22_700_000, 1e-4),  # MiniLM-L6
        (66_000_000, 5e-5),  # DistilBERT
        (109_000_000, 3e-5),  # BERT base
        (335_000_000, 1.5e-5),  # BERT large
    ],
)
def test_larger_encoders_get_smaller_rates(num_parameters: int, rate: float) -> None:
    assert choose(TrainConfig(batch_size=32), facts(num_parameters=num_parameters))[0].lr == rate


@pytest.mark.parametrize(
    ("model_type", "rate"), [("deberta-v2", 2.1e-5), ("modernbert", 6e-5), ("electra", 4.5e-5), ("roberta", 3e-5)]
)
def test_a_family_scales_the_rate(model_type: str, rate: float) -> None:
    assert choose(TrainConfig(batch_size=32), facts(num_parameters=140_000_000, model_type=model_type))[0].lr == rate


@pytest.mark.parametrize(
    ("batch_size", "rate"), [(8, 5e-5), (16, 7.1e-5), (32, 1e-4), (64, 1.4e-4), (128, 2e-4), (512, 2e-4)]
)
def test_the_rate_grows_with_the_root_of_the_batch_up_to_128_rows(batch_size: int, rate: float) -> None:
    assert choose(TrainConfig(batch_size=batch_size), MINILM)[0].lr == rate


@pytest.mark.parametrize(
    ("optimizer", "rate"), [("adamw", 1e-4), ("lion", 2e-5), ("sgd", 0.03), ("lamb", 2e-3), ("adafactor", 2e-3)]
)
def test_an_optimizer_scales_the_rate(optimizer: str, rate: float) -> None:
    assert choose(TrainConfig(optimizer=optimizer, batch_size=32), MINILM)[0].lr == pytest.approx(rate, rel=1e-9)


@pytest.mark.parametrize(
    ("num_rows", "num_labels", "batch_size", "epochs"),
    [
        (8551, 2, 16, 3.0),  # 535 steps an epoch: 1.2 epochs for 650
        (3150, 2, 16, 4.0),  # 197 steps: 3.3
        (3150, 13, 16, 4.0),  # 50 a label would still be 650
        (3150, 28, 16, 8.0),  # 1,400 steps: 7.1
        (1800, 4, 32, 12.0),  # 57 steps: 11.4
        (1040, 2, 16, 10.0),  # 65 steps: exactly 10
        (320, 2, 32, 20.0),  # 10 steps: 65 epochs would be wanted
        (5, 2, 32, 20.0),  # one step
    ],
)
def test_few_rows_and_many_labels_get_more_epochs(
    num_rows: int, num_labels: int, batch_size: int, epochs: float
) -> None:
    chosen, _ = choose(TrainConfig(batch_size=batch_size), facts(num_rows=num_rows, num_labels=num_labels))

    assert chosen.epochs == epochs


@pytest.mark.parametrize("schedule", ["warmup_linear", "warmup_cosine", "warmup_constant", "wsd"])
def test_a_tenth_of_the_steps_is_warm_up(schedule: str) -> None:
    assert choose(TrainConfig(schedule=schedule), MINILM)[0].warmup == 0.1


@pytest.mark.parametrize(
    ("optimizer", "has_new_head", "factor"),
    [
        ("adamw", True, 10.0),
        ("lion", True, 10.0),
        ("adamw", False, 1.0),
        ("sgd", True, 1.0),
        ("lamb", True, 1.0),
        ("adafactor", True, 1.0),
    ],
)
def test_a_new_head_learns_faster_where_each_step_has_the_size_of_the_rate(
    optimizer: str, has_new_head: bool, factor: float
) -> None:
    chosen, reasons = choose(TrainConfig(optimizer=optimizer), facts(has_new_head=has_new_head))

    assert chosen.head_lr_factor == factor
    assert any("the head is new" in reason for reason in reasons) == (factor != 1)


def test_a_run_of_a_few_steps_has_no_warm_up() -> None:
    assert choose(TrainConfig(epochs=3.0), facts(num_rows=40))[0].warmup == 0.0  # 9 steps


@pytest.mark.parametrize("schedule", ["none", "one_cycle"])
def test_other_schedules_keep_their_own_warm_up(schedule: str) -> None:
    assert choose(TrainConfig(schedule=schedule), MINILM)[0].warmup is None


@pytest.mark.parametrize(
    ("name", "value"), [("lr", 7e-6), ("epochs", 0.5), ("warmup", 0.0), ("warmup", 25.0), ("head_lr_factor", 3.0)]
)
def test_what_the_user_set_is_kept(name: str, value: float) -> None:
    chosen, _ = choose(TrainConfig().changed(**{name: value}), MINILM)

    assert getattr(chosen, name) == value


def test_options_that_are_not_open_stay_as_they_are() -> None:
    config = TrainConfig(start="plain", lr=1e-5, epochs=2.0, warmup=0.2, head_lr_factor=2.0, weight_decay=None)

    assert choose(config, MINILM) == (config, ())


def test_each_choice_gives_its_reason() -> None:
    _, reasons = choose(TrainConfig(), MINILM)

    assert reasons == (
        "lr 7.1e-05: 23 M parameters, adamw",
        "the head is new and learns at 10 times the rate of the encoder",
        "3 epochs, 3 to 20: at least 650 steps where rows allow",
    )


def test_after_pairs_of_rows_one_epoch_is_left_and_the_head_is_new_no_more() -> None:
    chosen, reasons = choose(TrainConfig(start="contrastive"), MINILM)

    assert (chosen.epochs, chosen.head_lr_factor) == (1.0, 1.0)
    assert "1 epoch: after the pairs the head fits the encoder already" in reasons
    assert choose(TrainConfig(start="contrastive", epochs=4.0), MINILM)[0].epochs == 4.0


def test_a_run_goes_to_its_end_unless_the_user_asks_otherwise() -> None:
    assert choose(TrainConfig(), MINILM)[0].patience == 0
    assert choose(TrainConfig(patience=2), MINILM)[0].patience == 2


@pytest.mark.parametrize(("rows", "labels", "epochs"), [(24, 4, 60), (176, 11, 60), (256, 16, 41), (336, 28, 31)])
def test_few_rows_with_several_labels_have_more_epochs_as_long_as_steps_are_few(
    rows: int, labels: int, epochs: float
) -> None:
    chosen, reasons = choose(TrainConfig(), facts(num_rows=rows, num_labels=labels, is_few=True))

    assert chosen.epochs == epochs
    assert f"{epochs:g} epochs: few rows with several labels are read up to 60 times, in 650 steps or so" in reasons
