"""Trackers: what they send of a run and when, and that their failures end no training. Shown with a double.

What each package gets is in `test_trackers_packages`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from fastbert import Predictor
from fastbert.bundle import read_bundle
from fastbert.errors import ConfigError, MissingExtraError
from fastbert.training.trackers import TRACKERS, End, Tracker
from tests.feedback import feedback_rows, make_learner
from tests.training.test_callbacks import SECRET, evaluated, make_state


class Noting(Tracker):
    """A tracker that notes its calls, and fails at those that are named."""

    package, title = "json", "Noting"  # a package that is there

    def __init__(self, project: str | None = None, *, failing: tuple[str, ...] = (), **options: object) -> None:
        super().__init__(project, **options)  # type: ignore[arg-type]  # each fits
        self.failing, self.calls = set(failing), list[tuple[object, ...]]()

    def names(self) -> list[object]:
        return [call[0] for call in self.calls]

    def _note(self, *call: object) -> None:
        self.calls.append(call)
        if call[0] in self.failing:
            raise ConnectionError("no route to host\nof a server")

    def _open(self, name: str | None, group: str | None, options: Mapping[str, object]) -> None:
        self._note("open", name, group, dict(options))

    def _log(self, values: Mapping[str, float], step: int) -> None:
        self._note("log", dict(values), step)

    def _summarize(self, values: Mapping[str, float]) -> None:
        self._note("summarize", dict(values))

    def _upload(self, folder: Path) -> None:
        self._note("upload", folder)

    def _end(self, end: End) -> None:
        self._note("end", end)

    def _add(self, options: Mapping[str, object]) -> None:
        self._note("add", dict(options))


def opened(**options: object) -> Noting:
    tracker = Noting(**options)  # type: ignore[arg-type]  # each fits
    tracker.on_start(make_state(total_steps=1000))
    tracker.calls.clear()
    return tracker


# --- what is sent -------------------------------------------------------------------------------------


def test_a_run_is_opened_with_its_options_and_ends_with_the_saved_model(encoder: str, tmp_path: Path) -> None:
    tracker = Noting("reviews", name="first", bundle=True, every=3)
    learner = make_learner(encoder, callbacks=[tracker])

    learner.fit().save(tmp_path / "model")

    (_, name, group, options), *_ = tracker.calls
    assert isinstance(options, dict)
    assert (name, group) == ("first", None)
    assert (options["task"], options["num_labels"], options["rows/train"], options["lr"]) == (
        "single_label",
        2,
        32,
        1e-3,
    )
    assert options["steps"] == 8 and None not in options.values()
    assert tracker.names() == ["open", "log", "log", "log", "log", "log", "summarize", "summarize", "upload", "end"]
    assert [call[2] for call in tracker.calls if call[0] == "log"] == [1, 3, 4, 6, 8]  # 4 and 8: evaluations
    scores = tracker.calls[-3][1]
    assert isinstance(scores, dict)
    assert scores["model/valid/accuracy"] == read_bundle(tmp_path / "model").scores["valid"]["accuracy"]
    assert tracker.calls[-2:] == [("upload", tmp_path / "model"), ("end", "finished")]


def test_no_text_is_sent(encoder: str, tmp_path: Path) -> None:
    tracker = Noting()
    texts = [row["text"] for row in feedback_rows()]

    make_learner(encoder, callbacks=[tracker], epochs=1).fit().save(tmp_path / "model")

    assert not [text for text in texts if text in repr(tracker.calls)]


def test_curves_have_about_500_points() -> None:
    tracker = opened()

    for step in range(1, 1001):
        tracker.on_step(make_state(step, total_steps=1000))

    assert len(tracker.calls) == 501


@pytest.mark.parametrize("every", [1, 10])
def test_the_number_of_steps_between_points_may_be_given(every: int) -> None:
    tracker = opened(every=every)

    for step in range(1, 21):
        tracker.on_step(make_state(step))

    assert len(tracker.calls) == {1: 20, 10: 3}[every]


def test_steps_carry_loss_rate_and_norm_and_evaluations_every_score() -> None:
    tracker = opened()

    tracker.on_step(make_state(1, steps_before=4))
    tracker.on_evaluate(evaluated(2, 0.75, best_step=1))

    assert tracker.calls == [
        ("log", {"train/loss": 0.5, "train/lr": 1e-4, "train/gradient_norm": 2.0}, 5),
        ("log", {"valid/accuracy": 0.9, "valid/f1_macro": 0.75}, 2),
    ]


def test_what_is_no_number_is_left_out() -> None:
    tracker = opened()

    tracker.on_step(make_state(1, loss=float("nan"), gradient_norm=float("inf")))

    assert tracker.calls == [("log", {"train/lr": 1e-4}, 1)]


@pytest.mark.parametrize(("error", "end"), [(ValueError(SECRET), "failed"), (KeyboardInterrupt(), "killed")])
def test_a_run_that_breaks_off_ends_as_failed_and_tells_no_message(error: BaseException, end: str) -> None:
    tracker = opened()

    tracker.on_error(make_state(1), error)
    tracker.on_error(make_state(1), error)

    assert tracker.calls == [("end", end)]


def test_a_second_fit_goes_on_in_the_run_and_a_new_learner_opens_another(encoder: str) -> None:
    tracker = Noting(every=100)
    learner = make_learner(encoder, callbacks=[tracker], epochs=1)

    learner.fit().fit(lr=2e-3)
    make_learner(encoder, callbacks=[tracker], epochs=1).fit()
    tracker.close()
    tracker.close()

    assert [name for name in tracker.names() if name in ("open", "add", "end")] == ["open", "add", "end", "open", "end"]
    added = next(call[1] for call in tracker.calls if call[0] == "add")
    assert isinstance(added, dict)
    assert added["fit2/lr"] == 2e-3


def test_each_of_several_trainings_has_a_run_and_so_has_the_saved_model(bundle: Path) -> None:
    tracker = Noting("reviews")

    for part in ("adaptation", "plain encoder, split 1 of 4"):
        tracker.on_part(part)
        tracker.on_start(make_state())
        tracker.on_finish(make_state(1))
    tracker.on_save(read_bundle(bundle))

    runs = [call[1:3] for call in tracker.calls if call[0] == "open"]
    assert runs == [
        ("adaptation", "reviews"),
        ("plain encoder, split 1 of 4", "reviews"),
        ("saved model", "reviews"),
    ]
    assert tracker.names().count("end") == 3


def test_a_model_that_is_saved_again_is_not_sent_again(bundle: Path) -> None:
    tracker = opened()

    tracker.on_save(read_bundle(bundle))
    tracker.on_save(read_bundle(bundle))

    assert tracker.names() == ["summarize", "end"]


# --- failures -----------------------------------------------------------------------------------------


def test_a_run_that_cannot_be_opened_ends_the_training_before_its_first_step(encoder: str) -> None:
    tracker = Noting(failing=("open",))
    learner = make_learner(encoder, callbacks=[tracker])

    with pytest.raises(ConfigError) as caught:
        learner.fit()

    assert str(caught.value) == (
        "Noting cannot open a run: no route to host\n  Put its address or settings right, or train without it."
    )
    assert (learner.history.steps, tracker.names()) == ([], ["open"])


@pytest.mark.parametrize("failing", ["log", "summarize", "upload", "end"])
def test_a_tracker_that_breaks_is_dropped_with_one_warning_and_training_goes_on(
    failing: str, encoder: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tracker = Noting(failing=(failing,), bundle=True)

    with caplog.at_level(logging.WARNING):
        make_learner(encoder, callbacks=[tracker], epochs=1).fit().save(tmp_path / "model")

    assert Predictor.load(tmp_path / "model").labels == ("bug", "praise")
    assert [record.getMessage() for record in caplog.records if "dropped" in record.getMessage()] == [
        "Noting is dropped, training goes on: ConnectionError: no route to host"
    ]
    assert tracker.names()[-1] == failing


def test_a_later_run_that_cannot_be_opened_ends_nothing() -> None:
    tracker = opened(failing=())
    tracker.failing = {"open"}

    tracker.on_part("split 2")
    tracker.on_start(make_state())
    tracker.on_step(make_state(1))

    assert tracker.names() == ["end", "open"]


@pytest.mark.parametrize("name", TRACKERS)
def test_without_the_package_the_message_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(MissingExtraError, match=rf"callback needs the package {name}.*\n.*fastbert-nlp\[{name}\]"):
        TRACKERS[name]()
