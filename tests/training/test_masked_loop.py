"""The loop against its definition: accumulation, rates, the head alone first, and what callbacks hear."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fastbert.data.batches import middle_step, training_steps
from fastbert.errors import TrainingError
from fastbert.training.adapt import Adaptation, prepare
from fastbert.training.adapt_recipe import HEAD_RATE
from fastbert.training.callbacks import Callback
from fastbert.training.masked_loop import MaskedLoop, Progress, steps_of
from fastbert.training.state import RunState
from tests.training.corpora import quick, write_corpus


class Listener(Callback):
    """Notes events, rates and whether the encoder's embeddings have a gradient."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.events: list[str] = []
        self.rates: list[float] = []
        self.states: list[RunState] = []
        self.stop_at = stop_at

    def on_start(self, state: RunState) -> None:
        self.events.append("start")

    def on_step(self, state: RunState) -> None:
        self.events.append("step")
        self.rates.append(state.lr)
        self.states.append(state)
        if state.step == self.stop_at:
            state.stop.ask("enough")

    def on_evaluate(self, state: RunState) -> None:
        self.events.append("evaluate")

    def on_finish(self, state: RunState) -> None:
        self.events.append("finish")

    def on_error(self, state: RunState, error: BaseException) -> None:
        self.events.append(type(error).__name__)


def ready(encoder: str, folder: Path, **options: object) -> Adaptation:
    return prepare([write_corpus(folder / "corpus.txt")], encoder, quick(**options))


def loop_of(adaptation: Adaptation, *callbacks: Callback) -> MaskedLoop:
    return adaptation._loop(Path("nowhere"), callbacks, "key")


def run(loop: MaskedLoop) -> tuple[Progress, RunState]:
    return replace(loop, keep=lambda progress: None).run(Progress())


@pytest.mark.parametrize("next_sentence", [False, True])
def test_accumulated_parts_give_the_gradients_of_one_batch(next_sentence: bool, encoder: str, tmp_path: Path) -> None:
    made = ready(encoder, tmp_path, next_sentence=next_sentence)
    loop = loop_of(made)
    for module in loop.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    before = {name: one.detach().clone() for name, one in loop.model.named_parameters()}
    epoch = made.examples(0)
    found = []
    for parts in ([np.arange(6)], [np.arange(2), np.arange(2, 6)]):
        for name, parameter in loop.model.named_parameters():
            parameter.data.copy_(before[name])
        loss, norm = loop._step([loop._batch(epoch, rows) for rows in parts], np.random.default_rng(0))
        found.append((loss, norm))

    assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_the_loss_of_a_step_is_that_of_transformers(encoder: str, tmp_path: Path) -> None:
    made = ready(encoder, tmp_path)
    loop = loop_of(made)
    for module in loop.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    epoch, rows = made.examples(0), np.arange(5)
    batch = loop._batch(epoch, rows)
    starts = np.cumsum(epoch.lengths_N) - epoch.lengths_N
    width = batch["input_ids"].shape[1]
    labels = torch.full((5, width), -100)
    for number, row in enumerate(rows):
        length = epoch.lengths_N[row]
        labels[number, :length] = torch.from_numpy(epoch.labels_T()[starts[row] : starts[row] + length])
    names = ("input_ids", "attention_mask", "token_type_ids")
    with torch.no_grad():
        expected = float(made.model.model(**{name: batch[name] for name in names}, labels=labels).loss)

    assert loop._step([batch], np.random.default_rng(0))[0] == pytest.approx(expected, rel=1e-6)


def test_the_head_learns_alone_first_then_the_rate_rises_and_falls(encoder: str, tmp_path: Path) -> None:
    listener = Listener()
    made = ready(encoder, tmp_path, epochs=10)
    loop = loop_of(made, listener)
    embeddings = made.model.model.get_input_embeddings().weight
    before = torch.as_tensor(embeddings).detach().clone()
    loop._set_rate(0.0, 0)

    assert not torch.as_tensor(embeddings).requires_grad
    assert all(parameter.requires_grad for parameter in made.model.new_parameters())
    run(loop)
    head, rest = listener.rates[: loop.head_steps], listener.rates[loop.head_steps :]
    assert loop.head_steps == 10 or loop.head_steps == -(-made.plan.steps // 10)
    assert set(head) == {HEAD_RATE}
    top = int(np.argmax(rest))
    assert rest[: top + 1] == sorted(rest[: top + 1]) and rest[top:] == sorted(rest[top:], reverse=True)
    assert max(rest) == pytest.approx(3e-3, rel=0.3) and rest[-1] < 3e-4
    assert not torch.equal(before, torch.as_tensor(embeddings))


def test_callbacks_hear_of_everything_in_order(encoder: str, tmp_path: Path) -> None:
    listener = Listener()
    made = ready(encoder, tmp_path, epochs=2)
    progress, state = run(loop_of(made, listener))
    steps = made.plan.steps // 2

    one = ["step"] * steps + ["evaluate"]
    assert listener.events == ["start", "evaluate", *one, *one, "finish"]
    assert (progress.epochs, progress.steps, state.step) == (2, 2 * steps, made.plan.steps)
    assert listener.states[-1].epoch == 2.0 and listener.states[-1].total_steps == made.plan.steps
    assert progress.tokens == state.tokens == sum(int(made.examples(epoch).lengths_N.sum()) for epoch in range(2))


def test_an_epoch_with_more_sequences_than_the_first_does_not_pass_the_number_of_steps(
    encoder: str, tmp_path: Path
) -> None:
    """As with pairs, whose draws differ from epoch to epoch."""
    listener = Listener()
    made = ready(encoder, tmp_path, epochs=2)
    (tmp_path / "longer").mkdir()
    longer = prepare([write_corpus(tmp_path / "longer" / "corpus.txt", 120)], encoder, quick(epochs=2))
    per_epoch = [-(-len(one) // made.config.batch_size) for one in (made.examples(0), longer.examples(1))]
    loop = loop_of(made, listener)

    _, state = run(replace(loop, examples=lambda epoch: (made, longer)[epoch].examples(epoch)))

    assert per_epoch[1] > per_epoch[0]
    assert [one.total_steps for one in listener.states] == [2 * per_epoch[0]] * per_epoch[0] + [
        sum(per_epoch)
    ] * per_epoch[1]
    assert state.step == state.total_steps


def test_a_callback_may_ask_to_stop_at_the_end_of_an_epoch(encoder: str, tmp_path: Path) -> None:
    made = ready(encoder, tmp_path)
    progress, state = run(loop_of(made, Listener(stop_at=1)))

    assert progress.epochs == 1 and state.stop.reason == "enough"


def test_a_loss_that_is_not_finite_ends_the_run(encoder: str, tmp_path: Path) -> None:
    listener = Listener()
    made = ready(encoder, tmp_path)
    loop = loop_of(made, listener)
    with torch.no_grad():
        made.model.new_parameters()[0].fill_(float("nan"))

    with pytest.raises(TrainingError, match="The loss is nan: training has diverged"):
        run(loop)
    assert listener.events == ["start", "evaluate", "TrainingError"]


def test_evaluation_changes_nothing_and_repeats_itself(encoder: str, tmp_path: Path) -> None:
    loop = loop_of(ready(encoder, tmp_path))
    loop.model.train()
    first = loop.evaluate()

    assert loop.evaluate() == first and loop.model.training
    assert first["perplexity"] == pytest.approx(np.exp(first["loss"]))


def test_an_estimate_is_of_all_epochs_and_evaluations(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each pass takes a second here, so a step 1.1."""
    adaptation = ready(encoder, tmp_path, epochs=3)
    loop = loop_of(adaptation)
    made = loop.examples(0)
    moments = itertools.count()
    monkeypatch.setattr("time.perf_counter", lambda: float(next(moments)))
    costs = made.costs
    steps = training_steps(
        costs, batch_size=loop.config.batch_size, batch_tokens=loop.config.batch_tokens, seed=loop.config.seed, epoch=0
    )
    epoch_s = 1.1 * middle_step(steps, costs)[1]
    share = loop.valid.costs.longest_N.sum() / costs.longest_N.sum()

    assert loop.estimate_seconds(made) == pytest.approx(3 * epoch_s + 4 * epoch_s / 3 * share)


def test_an_estimate_changes_nothing(encoder: str, tmp_path: Path) -> None:
    adaptation = ready(encoder, tmp_path)
    loop = loop_of(adaptation)
    made = loop.examples(0)
    before = [parameter.detach().clone() for parameter in loop.model.parameters()]
    modes = [module.training for module in loop.model.modules()]
    drawn = torch.get_rng_state()

    assert loop.estimate_seconds(made) > 0
    assert adaptation.plan.seconds > 0
    assert all(map(torch.equal, before, loop.model.parameters()))
    assert [module.training for module in loop.model.modules()] == modes
    assert all(parameter.grad is None for parameter in loop.model.parameters())
    assert torch.equal(torch.get_rng_state(), drawn)


def test_steps_are_counted_over_all_epochs() -> None:
    assert steps_of(quick(epochs=3), 17) == 9
