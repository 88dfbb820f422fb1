"""Options from the command line, --set and a TOML file, merged by strength."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.cli.options import callbacks, collect
from fastbert.errors import ConfigError
from fastbert.training.callbacks import JsonLog, ProgressBar, TensorBoard
from fastbert.training.trackers import Trackio


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(
        'batch_size = 4\n[train]\nlr = 1e-5\nepochs = 1\n[data]\ntext = "note"\nmax_tokens = 32\n', encoding="utf-8"
    )
    return path


def test_a_file_gives_options_of_both_kinds(toml: Path) -> None:
    data, train = collect(toml, [], {})

    assert (data.text, data.max_tokens) == (("note",), 32)
    assert (train.lr, train.epochs, train.batch_size) == (1e-5, 1.0, 4)


@pytest.mark.parametrize(
    ("assignments", "named", "lr"),
    [([], {}, 1e-5), (["lr=2e-5"], {}, 2e-5), (["lr=2e-5"], {"lr": 3e-5}, 3e-5), ([], {"lr": 3e-5}, 3e-5)],
    ids=["file", "set over file", "option over set", "option over file"],
)
def test_options_win_over_set_and_set_over_the_file(
    assignments: list[str], named: dict[str, object], lr: float, toml: Path
) -> None:
    assert collect(toml, assignments, named)[1].lr == lr


def test_an_option_that_is_not_given_does_not_hide_the_file(toml: Path) -> None:
    assert collect(toml, [], {"epochs": None})[1].epochs == 1.0


def test_the_last_of_two_assignments_wins() -> None:
    assert collect(None, ["lr=1e-5", "lr=2e-5"], {})[1].lr == 2e-5


def test_an_assignment_may_be_written_with_dashes() -> None:
    assert collect(None, ["batch-size=4"], {})[1].batch_size == 4


def test_label_is_one_column_even_with_a_comma_in_its_name() -> None:
    assert collect(None, [], {"label": "yes, no"})[0].labels == ("yes, no",)


def test_labels_are_several_columns() -> None:
    assert collect(None, [], {"labels": "bug,praise"})[0].labels == ("bug", "praise")


def test_label_of_the_command_line_replaces_labels_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('labels = ["bug", "praise"]\n', encoding="utf-8")

    assert collect(path, [], {"label": "tag"})[0].labels == ("tag",)


@pytest.mark.parametrize(
    ("assignments", "named", "message"),
    [
        ([], {"label": "a", "labels": "b,c"}, "--label and --labels are both given.\n  Use --label for one column"),
        (["lr"], {}, "'lr' is not of the form key=value.\n  Example: --set lr=1e-4"),
        (["learning_rate=1"], {}, "'learning_rate' is not an option."),
        (["epoch=1"], {}, "'epoch' is not an option.\n  Did you mean 'epochs'?"),
        (["epochs=many"], {}, "epochs is 'many'; expected a number or none."),
    ],
)
def test_wrong_options_are_refused(assignments: list[str], named: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        collect(None, assignments, named)

    assert str(caught.value).startswith(message)


def test_callbacks_are_those_that_were_asked_for(tmp_path: Path) -> None:
    chosen = callbacks(progress=True, log=tmp_path / "run.jsonl", tensorboard=tmp_path / "board")

    assert [type(one) for one in chosen] == [ProgressBar, JsonLog, TensorBoard]


@pytest.mark.parametrize(("text", "project"), [("trackio", None), ("trackio:reviews", "reviews")])
def test_a_tracker_is_named_with_its_project(text: str, project: str | None) -> None:
    (tracker,) = callbacks(progress=False, log=None, tensorboard=None, track=[text], track_model=True)

    assert isinstance(tracker, Trackio)
    assert (tracker.project, tracker.bundle) == (project, True)


@pytest.mark.parametrize(
    ("track", "message"),
    [
        (["mlfow"], "--track is 'mlfow'; expected mlflow, wandb, trackio.\n  Did you mean 'mlflow'?"),
        ([], "--track-model sends the model to a tracker, but there is no --track."),
    ],
)
def test_a_tracker_that_is_none_is_refused(track: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        callbacks(progress=False, log=None, tensorboard=None, track=track, track_model=True)

    assert str(caught.value).startswith(message)


def test_no_callbacks_are_made_unasked() -> None:
    assert callbacks(progress=False, log=None, tensorboard=None) == []
