"""FLOP of training steps: of real tokens, and of what is trained at the time."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.models.freezing import freeze
from fastbert.models.work import measure_work
from fastbert.training.learner import Learner
from fastbert.training.meter import FlopMeter
from tests.feedback import make_learner


def lengths_of(learner: Learner) -> list[int]:
    """Return the tokens of each training window."""
    return [len(feature.input_ids_L) for feature in learner.data.encoded("train").features]


def meter_of(learner: Learner) -> tuple[FlopMeter, list[int]]:
    """Return a meter of a learner, and the lengths of its shortest and longest window."""
    lengths = lengths_of(learner)
    return FlopMeter(learner.stepper(learner.config), 1), [min(lengths), max(lengths)]


def test_padding_costs_nothing_and_parts_add_up(encoder: str) -> None:
    meter, (short, long) = meter_of(make_learner(encoder))

    together, apart = meter.flop([[short, long]]), meter.flop([[short], [long]])

    assert short < long
    assert together == apart == meter.flop([[short]]) + meter.flop([[long]])


def test_a_frozen_encoder_costs_its_forward_pass(encoder: str) -> None:
    learner = make_learner(encoder)
    meter, lengths = meter_of(learner)
    full = meter.flop([lengths])

    freeze(learner.model)

    names = learner.encoder.tokenizer.input_names
    forward = measure_work(learner.model, learner.runtime, names).forward.of(lengths)
    assert forward < meter.flop([lengths]) < 1.05 * forward < full


def test_a_fit_counts_the_flop_of_its_real_tokens(encoder: str, tmp_path: Path) -> None:
    learner = make_learner(encoder, epochs=2)
    meter, _ = meter_of(learner)

    history = learner.fit().history

    assert history.flop == pytest.approx(2 * meter.flop([lengths_of(learner)]), rel=1e-9)
    assert history.product_rate > 0
    assert 0 < history.mfu < 1


def test_gradual_unfreezing_costs_less_than_training_everything(encoder: str) -> None:
    whole, gradual = make_learner(encoder, epochs=2), make_learner(encoder, epochs=2, freeze="gradual")

    assert gradual.fit().history.flop < 0.7 * whole.fit().history.flop


def test_frozen_layers_that_are_run_once_are_not_counted_again(encoder: str) -> None:
    once, each_time = make_learner(encoder, epochs=2), make_learner(encoder, epochs=1)
    for learner in (once, each_time):
        learner.freeze()

    assert once.fit().history.flop < 0.1 * 2 * each_time.fit().history.flop
