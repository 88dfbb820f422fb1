"""`fastbert lr-find`, from a table to a rate."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.cli.lr_find import train_command
from tests.cli.conftest import Outcome, Run
from tests.feedback import write_feedback


def find(run: Run, encoder: str, folder: Path, *arguments: object) -> Outcome:
    """Test rates on a small file in a folder, quickly, with further arguments."""
    table = write_feedback(folder / "feedback.csv")
    return run("lr-find", table, "--encoder", encoder, "--steps", 40, "--batch-size", 8, *arguments)


def test_a_table_gives_a_curve_rates_and_the_command_to_train(run: Run, encoder: str, tmp_path: Path) -> None:
    outcome = find(run, encoder, tmp_path, "--seed", 7)

    assert outcome.code == 0
    assert outcome.out.startswith("Loss by learning rate\n")
    assert "minimum/10" in outcome.out and "valley" in outcome.out
    assert "the model is put back after it" in outcome.err
    assert f"train    fastbert train {tmp_path / 'feedback.csv'} --encoder {encoder}" in outcome.err
    assert "--batch-size 8 --seed 7 --lr " in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["feedback.csv"]


def test_json_is_one_object_and_nothing_else_is_said(run: Run, encoder: str, tmp_path: Path) -> None:
    outcome = find(run, encoder, tmp_path, "--json")

    values = outcome.json
    assert outcome.err == ""
    assert {"lr", "suggestions", "preferred", "unsure", "doubts", "rates", "smoothed", "command"} <= set(values)
    assert f"--lr {values['lr']:.2g} --out model/" in str(values["command"])


def test_a_curve_that_says_nothing_keeps_the_plan(run: Run, encoder: str, tmp_path: Path) -> None:
    outcome = find(run, encoder, tmp_path, "--lowest", "1e-12", "--highest", "1e-10")

    assert outcome.code == 0
    assert "Unsure; keep the plan's rate:" in outcome.out
    assert "train    with the rate of the plan: drop --lr" in outcome.err


def test_the_command_of_an_unsure_suggestion_is_marked(run: Run, encoder: str, tmp_path: Path) -> None:
    outcome = find(run, encoder, tmp_path, "--lowest", "1e-4", "--highest", "1e-2")  # ends before the loss rises

    assert "- The loss still falls at the highest rate; raise the range." in outcome.out
    assert "note: unsure, see the doubts above; without --lr the rate of the plan is taken" in outcome.err


def test_the_curve_is_drawn(run: Run, encoder: str, tmp_path: Path) -> None:
    outcome = find(run, encoder, tmp_path, "--plot", tmp_path / "curve.png")

    assert f"drawn to {tmp_path / 'curve.png'}" in outcome.err
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--plot", "nowhere/curve.png"], "error: nowhere/curve.png: the figure cannot be written there."),
        (["--steps", "3"], "error: steps is 3; it must be at least 20 and at most 2000."),
        (["--lowest", "1", "--highest", "2"], "error: The rates to try go from 1 to 2;"),
        (["--label", "kind"], "kind"),
        (["--set", "optimizer=adamv"], "Did you mean 'adamw'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_is_refused_before_any_work(
    run: Run, encoder: str, tmp_path: Path, arguments: list[str], message: str
) -> None:
    outcome = find(run, encoder, tmp_path, *arguments)

    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.out == "" and "test     about" not in outcome.err


def test_the_command_says_every_option_that_was_given() -> None:
    named = {"valid": Path("v.csv"), "labels_file": None, "header": False, "batch_size": 8, "delimiter": "|"}

    command = train_command(Path("a b.csv"), named, ["loss=balanced", "freeze=encoder"], 1.234e-4)

    assert command == (
        "fastbert train 'a b.csv' --valid v.csv --no-header --batch-size 8 --delimiter '|' --set loss=balanced "
        "--set freeze=encoder --lr 0.00012 --out model/"
    )
