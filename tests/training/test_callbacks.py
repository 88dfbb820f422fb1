"""Each callback on states made by hand; the order of events is tested in `test_loop`."""

from __future__ import annotations

import dataclasses
import io
import json
import sys
from pathlib import Path

import pytest
from rich.console import Console

from fastbert.bundle import Bundle
from fastbert.errors import ConfigError, MissingExtraError
from fastbert.training.callbacks import Callback, EarlyStopping, JsonLog, ProgressBar, TensorBoard, monitored
from fastbert.training.plan import Plan
from fastbert.training.state import RunState, StopSwitch
from tests.feedback import make_learner
from tests.helpers import write_csv

SECRET = "the text of a user"


def make_state(step: int = 0, **changes: object) -> RunState:
    state = RunState(
        step=step, total_steps=10, epoch=step / 10, total_epochs=1.0, loss=0.5, lr=1e-4, gradient_norm=2.0,
        examples=8 * step, tokens=75 * step, padded_tokens=100 * step, seconds=0.5 * step,
        monitor="f1_macro", stop=StopSwitch(),
    )  # fmt: skip
    return dataclasses.replace(state, **changes)  # type: ignore[arg-type]  # any field


def evaluated(step: int, score: float, best_step: int) -> RunState:
    return make_state(step, scores={"accuracy": 0.9, "f1_macro": score}, best_step=best_step, best_score=0.8)


def lines_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("event", ["on_start", "on_step", "on_evaluate", "on_checkpoint", "on_finish"])
def test_a_plain_callback_does_nothing(event: str) -> None:
    state = make_state(1)

    getattr(Callback(), event)(state)

    assert state.stop.reason is None


def test_callbacks_hear_of_the_plan_and_of_the_saved_model(encoder: str, tmp_path: Path) -> None:
    heard: list[object] = []

    class Hears(Callback):
        def on_plan(self, plan: Plan) -> None:
            heard.append(plan.config.epochs)

        def on_save(self, bundle: Bundle) -> None:
            heard.append((bundle.folder, "accuracy" in bundle.scores["valid"]))

    make_learner(encoder, callbacks=[Hears()], epochs=1).fit().save(tmp_path / "model")

    assert heard == [1.0, (tmp_path / "model", True)]


# --- early stopping -----------------------------------------------------------------------------------


def test_patience_runs_out_after_so_many_evaluations_without_a_better_one() -> None:
    stopping, stop = EarlyStopping(2), StopSwitch()

    stopping.on_evaluate(dataclasses.replace(evaluated(1, 0.8, best_step=1), stop=stop))
    stopping.on_evaluate(dataclasses.replace(evaluated(2, 0.7, best_step=1), stop=stop))
    assert stop.reason is None
    stopping.on_evaluate(dataclasses.replace(evaluated(3, 0.7, best_step=1), stop=stop))

    assert stop.reason == "no better f1_macro in 2 evaluations"


def test_a_better_score_restores_patience() -> None:
    stopping, stop = EarlyStopping(2), StopSwitch()

    stopping.on_evaluate(dataclasses.replace(evaluated(1, 0.7, best_step=0), stop=stop))
    stopping.on_evaluate(dataclasses.replace(evaluated(2, 0.8, best_step=2), stop=stop))
    stopping.on_evaluate(dataclasses.replace(evaluated(3, 0.7, best_step=2), stop=stop))

    assert stop.reason is None


def test_a_new_fit_starts_with_full_patience() -> None:
    stopping, stop = EarlyStopping(2), StopSwitch()
    stopping.on_evaluate(evaluated(1, 0.7, best_step=0))

    stopping.on_start(make_state())
    stopping.on_evaluate(dataclasses.replace(evaluated(1, 0.7, best_step=0), stop=stop))

    assert stop.reason is None


# --- progress bar -------------------------------------------------------------------------------------


def bar_output(*, fail: bool = False) -> str:
    """Return what the bar wrote over one step and two evaluations."""
    stream = io.StringIO()
    bar = ProgressBar(Console(file=stream, force_terminal=False, width=120))
    bar.on_start(make_state())
    bar.on_step(make_state(1))
    bar.on_evaluate(evaluated(1, 0.75, best_step=1))
    bar.on_evaluate(evaluated(2, 0.7, best_step=1))
    if fail:
        bar.on_error(make_state(2), ValueError(SECRET))
    else:
        bar.on_finish(make_state(2))
    return stream.getvalue()


def test_the_bar_leaves_a_line_for_each_evaluation() -> None:
    output = bar_output()

    assert "epoch 0.10  step 1  loss 0.5000  f1_macro 0.7500  best\n" in output
    assert "epoch 0.20  step 2  loss 0.5000  f1_macro 0.7000\n" in output


def test_the_bar_names_the_part_within_80_columns() -> None:
    stream = io.StringIO()
    bar = ProgressBar(Console(file=stream, force_terminal=False, width=80))
    bar.on_part("fold 1 of 3, pairs of rows")
    bar.on_start(make_state())
    bar.on_step(make_state(1))
    bar.on_finish(make_state(1))

    assert stream.getvalue().startswith("fold 1 of 3, pairs of rows  epoch ")
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize(
    ("kept_steps", "line"),
    [
        ((4,), "  kept the weights after step 4: f1_macro 0.7500\n"),
        ((2, 3, 4), "  kept the mean of the weights after steps 2, 3, 4: f1_macro 0.7500\n"),
    ],
)
def test_the_bar_says_at_the_end_which_weights_were_kept(kept_steps: tuple[int, ...], line: str) -> None:
    stream = io.StringIO()

    bar = ProgressBar(Console(file=stream, force_terminal=False, width=120))
    bar.on_finish(dataclasses.replace(evaluated(4, 0.75, best_step=1), kept_steps=kept_steps))

    assert stream.getvalue() == line


def test_the_bar_marks_a_model_that_gives_all_rows_one_answer() -> None:
    stream = io.StringIO()

    bar = ProgressBar(Console(file=stream, force_terminal=False, width=120))
    bar.on_start(make_state())
    bar.on_evaluate(dataclasses.replace(evaluated(1, 0.5, best_step=1), collapsed=True))
    bar.on_finish(dataclasses.replace(evaluated(1, 0.5, best_step=1), collapsed=True, kept_steps=(1,)))

    assert "f1_macro 0.5000  best  (one answer for all rows)\n" in stream.getvalue()
    assert "kept the weights after step 1: f1_macro 0.5000  (one answer for all rows)\n" in stream.getvalue()


def test_the_bar_follows_a_number_of_steps_that_changes() -> None:
    stream = io.StringIO()
    bar = ProgressBar(Console(file=stream, force_terminal=False, width=120))
    bar.on_start(make_state())
    bar.on_step(make_state(11, total_steps=12))
    bar.on_finish(make_state(11, total_steps=12))

    assert " 11/12 " in stream.getvalue()


def test_the_bar_shows_the_rate() -> None:
    assert "150 tokens/s" in bar_output()


def test_an_error_closes_the_bar_and_shows_nothing_of_itself() -> None:
    output = bar_output(fail=True)

    assert output.endswith("\n")
    assert SECRET not in output


def test_a_bar_that_never_started_can_be_closed() -> None:
    stream = io.StringIO()

    ProgressBar(Console(file=stream)).on_finish(make_state())

    assert stream.getvalue() == ""


def test_the_bar_writes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    bar = ProgressBar()
    bar.on_start(make_state())
    bar.on_evaluate(evaluated(1, 0.75, best_step=1))
    bar.on_finish(make_state(1))

    captured = capsys.readouterr()

    assert captured.out == ""
    assert "f1_macro 0.7500" in captured.err


# --- JSON log -----------------------------------------------------------------------------------------


def test_the_log_has_the_first_step_and_every_tenth(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "run.jsonl", every=2)

    log.on_step(make_state(1))
    log.on_step(make_state(2))
    log.on_step(make_state(3))
    log.on_step(make_state(4))

    assert [line["step"] for line in lines_of(log.path)] == [1, 2, 4]


def test_a_step_of_the_log_has_loss_rate_and_norm(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "run.jsonl")

    log.on_step(make_state(1))

    assert lines_of(log.path) == [
        {"event": "step", "loss": 0.5, "lr": 1e-4, "norm": 2.0, "step": 1, "epoch": 0.1, "seconds": 0.5}
    ]


def test_an_evaluation_of_the_log_has_all_scores(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "run.jsonl")

    log.on_evaluate(evaluated(1, 0.75, best_step=1))

    assert lines_of(log.path)[0]["scores"] == {"accuracy": 0.9, "f1_macro": 0.75}


def test_the_log_names_which_of_several_trainings_it_is(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "run.jsonl")

    for name in ("adaptation", "plain encoder"):
        log.on_part(name)
        log.on_step(make_state(1))

    assert [line["run"] for line in lines_of(log.path)] == ["adaptation", "plain encoder"]


def test_the_end_of_the_log_says_why_it_stopped(tmp_path: Path) -> None:
    log, state = JsonLog(tmp_path / "run.jsonl"), make_state(4)
    state.stop.ask("enough")

    log.on_finish(state)

    last = lines_of(log.path)[-1]
    assert (last["event"], last["stopped"], last["tokens_per_second"]) == ("finish", "enough", 150.0)


def test_the_log_names_the_kind_of_an_error_and_not_its_message(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "run.jsonl")

    log.on_error(make_state(4), ValueError(SECRET))

    assert lines_of(log.path)[0]["kind"] == "ValueError"
    assert SECRET not in log.path.read_text(encoding="utf-8")


def test_a_second_run_is_appended_to_the_log(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"

    JsonLog(path).on_step(make_state(1))
    JsonLog(path).on_step(make_state(1))

    assert len(lines_of(path)) == 2


@pytest.mark.parametrize("name", ["missing/run.jsonl", "."])
def test_a_log_that_cannot_be_written_is_refused_at_once(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        JsonLog(tmp_path / name)

    assert str(caught.value) == (
        f"{tmp_path / name}: the log cannot be written there.\n  Give a file in a folder that exists."
    )


def test_the_log_counts_on_from_fit_to_fit(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "run.jsonl")

    log.on_evaluate(dataclasses.replace(evaluated(10, 0.8, best_step=1), steps_before=0, epochs_before=0))
    log.on_evaluate(dataclasses.replace(evaluated(5, 0.8, best_step=1), steps_before=10, epochs_before=1))

    assert [(line["step"], line["epoch"]) for line in lines_of(log.path)] == [(10, 1.0), (15, 1.5)]


# --- TensorBoard --------------------------------------------------------------------------------------


def tags_of(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return what was written, as (step, value) by name."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag: [(point.step, point.value) for point in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports
def test_tensorboard_gets_steps_and_every_score(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path)
    board.on_step(make_state(1))
    board.on_evaluate(evaluated(1, 0.75, best_step=1))
    board.on_finish(make_state(1))

    tags = tags_of(tmp_path)

    assert set(tags) == {"train/loss", "train/lr", "train/gradient_norm", "valid/accuracy", "valid/f1_macro"}
    assert tags["train/loss"] == [(1, 0.5)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports
def test_each_of_several_trainings_has_curves_of_its_own(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path)
    for name in ("adaptation", "plain encoder, split 1 of 4"):
        board.on_part(name)
        board.on_step(make_state(1))
        board.on_finish(make_state(1))

    for folder in ("adaptation", "plain-encoder-split-1-of-4"):
        assert tags_of(tmp_path / folder)["train/loss"] == [(1, 0.5)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports
def test_a_second_fit_does_not_write_over_the_first(tmp_path: Path) -> None:
    """Its steps began again at 1, over those of the first."""
    board = TensorBoard(tmp_path)
    board.on_step(make_state(1))
    board.on_finish(make_state(1))
    board.on_step(make_state(1, steps_before=10))
    board.on_evaluate(dataclasses.replace(evaluated(2, 0.75, best_step=1), steps_before=10))
    board.on_finish(make_state(2, steps_before=10))

    tags = tags_of(tmp_path)
    assert [step for step, _ in tags["train/loss"]] == [1, 11]
    assert tags["valid/f1_macro"] == [(12, 0.75)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports
def test_tensorboard_keeps_what_was_measured_before_an_error(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path)
    board.on_step(make_state(1))
    board.on_error(make_state(1), ValueError(SECRET))

    assert tags_of(tmp_path)["train/loss"] == [(1, 0.5)]


def test_without_tensorboard_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)

    with pytest.raises(MissingExtraError, match=r"tensorboard.*\n.*fastbert-nlp\[track\]"):
        TensorBoard(tmp_path)


# --- the monitored score ------------------------------------------------------------------------------


def test_the_monitored_score_is_the_task_s() -> None:
    assert monitored(evaluated(1, 0.75, best_step=1)) == ("f1_macro", 0.75)


def test_any_score_stands_in_for_one_that_is_undefined() -> None:
    assert monitored(make_state(1, scores={"accuracy": 0.9})) == ("accuracy", 0.9)


def test_a_log_is_not_added_to_a_file_that_is_none(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "train.csv", ["text", "label"], [["works", "praise"]])

    with pytest.raises(ConfigError, match=r"train.csv exists and is no log of a run; nothing is added to it"):
        JsonLog(table)


def test_a_log_goes_on_in_the_file_of_an_earlier_run(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"event": "finish", "step": 3}\n', encoding="utf-8")

    assert JsonLog(tmp_path / "log.jsonl").path.is_file()


def test_tensorboard_files_in_the_place_of_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")

    with pytest.raises(ConfigError, match=r"taken: TensorBoard's files cannot be written there"):
        TensorBoard(tmp_path / "taken")
