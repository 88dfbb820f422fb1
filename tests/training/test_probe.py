"""The head trained first: the encoder stays as it was meanwhile, and is trained after."""

from __future__ import annotations

from fastbert.training import probe
from fastbert.training.callbacks import Callback
from fastbert.training.learner import Learner
from fastbert.training.state import RunState
from tests.feedback import differing, make_learner, weights


class Frozen(Callback):
    """Notes at the start of each fit how much of the model is frozen, and what is announced."""

    def __init__(self) -> None:
        self.learner: Learner | None = None
        self.parts: list[str] = []
        self.trained: list[set[bool]] = []

    def on_part(self, part: str) -> None:
        self.parts.append(part)

    def on_start(self, state: RunState) -> None:
        assert self.learner is not None
        self.trained.append({parameter.requires_grad for parameter in self.learner.model.parameters()})


def test_the_head_moves_and_the_encoder_stays(encoder: str) -> None:
    learner = make_learner(encoder)
    before = weights(learner.model)

    probe.train_head_first(learner)

    moved = differing(before, weights(learner.model))
    assert moved and all(name.startswith(("classifier", "bert.pooler")) for name in moved)
    assert all(parameter.requires_grad for parameter in learner.model.parameters())


def test_a_training_begins_with_it_once(encoder: str) -> None:
    watch = Frozen()
    learner = make_learner(encoder, start="probe", callbacks=[watch])
    watch.learner = learner

    learner.fit().fit(epochs=1)

    assert watch.parts == ["the head alone", "training"]
    assert [False in one for one in watch.trained] == [True, False, False]
    assert [stage.name for stage in learner.history.stages] == ["the head alone", "training", "training"]
    assert sum(stage.steps for stage in learner.history.stages) == len(learner.history.steps)
    assert learner.last_plan.config.head_lr_factor == 1.0
    assert any("the head is trained alone first" in reason for reason in learner.last_plan.reasons)


def test_layers_that_were_frozen_stay_so(encoder: str) -> None:
    learner = make_learner(encoder, start="probe")
    learner.freeze_to(-2)
    before = [parameter.requires_grad for parameter in learner.model.parameters()]

    learner.fit()

    assert [parameter.requires_grad for parameter in learner.model.parameters()] == before
    assert True in before and False in before
