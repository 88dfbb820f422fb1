"""The defaults of learning a language, and that what the user says is kept."""

from __future__ import annotations

import pytest

from fastbert.config import AdaptConfig
from fastbert.training.adapt_recipe import Facts, choose, head_steps


@pytest.mark.parametrize(
    ("num_parameters", "from_scratch", "lr"),
    [(22_700_000, False, 1e-4), (110_000_000, False, 5e-5), (10_000_000, True, 1e-3), (110_000_000, True, 1e-4)],
)
def test_small_encoders_and_new_ones_learn_faster(num_parameters: int, from_scratch: bool, lr: float) -> None:
    chosen, reasons = choose(AdaptConfig(epochs=1), Facts(100, num_parameters, from_scratch))

    assert chosen.lr == lr
    assert reasons == (f"lr {lr:g}: {num_parameters / 1e6:.0f} M parameters",)


@pytest.mark.parametrize(("num_sequences", "epochs"), [(32, 40), (3200, 15), (1_000_000, 3)])
def test_a_small_corpus_is_read_more_often(num_sequences: int, epochs: int) -> None:
    chosen, reasons = choose(AdaptConfig(lr=1e-4), Facts(num_sequences, 10**6))

    assert chosen.epochs == epochs
    assert reasons == (f"{epochs} epochs, 3 to 40: 1,500 steps where the corpus allows",)


def test_what_the_user_says_is_kept() -> None:
    config = AdaptConfig(lr=3e-5, epochs=2)

    assert choose(config, Facts(100, 10**6)) == (config, ())


def test_a_new_head_waits_for_no_more_than_a_tenth() -> None:
    assert [head_steps(total, is_new_head=True) for total in (8, 1000, 10_000)] == [1, 100, 200]
