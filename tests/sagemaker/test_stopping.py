"""SIGTERM ends a training after the present step, or the process where there is nothing to save."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace

import pytest

from fastbert.sagemaker.stopping import EXIT_CODE, REASON, Stopped, StopRequests
from fastbert.training.state import RunState, started


def begun(part: str = "") -> tuple[StopRequests, RunState]:
    """Return a listener to a training that has begun, and its state."""
    stop, state = StopRequests(), started(10, 1.0, "f1_macro")
    if part:
        stop.on_part(part)
    stop.on_start(state)
    return stop, state


def test_the_exit_code_is_that_of_the_signal() -> None:
    assert EXIT_CODE == 143


def test_before_a_training_the_process_ends() -> None:
    with pytest.raises(Stopped):
        StopRequests().request()


@pytest.mark.parametrize("event", ["on_step", "on_evaluate"])
def test_a_training_is_stopped_at_the_next_event(event: str) -> None:
    stop, state = begun()

    stop.request()
    getattr(stop, event)(replace(state, step=1))

    assert (stop.asked, state.stop.reason) == (True, REASON)


def test_without_a_signal_a_training_goes_on() -> None:
    stop, state = begun()

    stop.on_step(state)

    assert (stop.asked, state.stop.reason) == (False, None)


def test_a_second_signal_ends_the_process() -> None:
    stop, _ = begun()
    stop.request()

    with pytest.raises(Stopped):
        stop.request()


@pytest.mark.parametrize("part", ["fold 2 of 3", "fold 2 of 3, training", "trial: loss focal", "adaptation"])
def test_models_beside_the_one_to_save_are_not_waited_for(part: str) -> None:
    stop, _ = begun(part)

    with pytest.raises(Stopped):
        stop.request()


def test_what_comes_before_the_training_ends_early_and_so_does_the_training() -> None:
    stop, state = begun("pairs of rows")
    stop.request()
    stop.on_part("training")
    following = started(10, 1.0, "f1_macro")

    stop.on_start(following)

    assert following.stop.reason == REASON


def test_a_part_that_cannot_be_saved_does_not_begin_after_a_signal() -> None:
    stop, _ = begun()
    stop.request()

    with pytest.raises(Stopped):
        stop.on_part("fold 1 of 3")


def test_the_signal_itself_is_received_within_the_block_only() -> None:
    stop, _ = begun()
    before = signal.getsignal(signal.SIGTERM)

    with stop.listening():
        os.kill(os.getpid(), signal.SIGTERM)
        received = stop.asked

    assert received
    assert signal.getsignal(signal.SIGTERM) == before


def test_another_thread_listens_to_nothing() -> None:
    errors: list[Exception] = []

    def listen() -> None:
        try:
            with StopRequests().listening():
                pass
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()

    assert errors == []
