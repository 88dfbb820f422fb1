"""`fastbert lr-find`: a learning-rate test on a table, before it is trained on."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_data, print_json, say

if TYPE_CHECKING:
    from fastbert.training.lr_finder import Progress


def lr_find(
    table: Path = typer.Argument(..., metavar="TABLE", help="The table to train on, as `fastbert train` reads it."),
    valid: Path | None = typer.Option(None, help="Validation table of the training; without it a share is held out."),
    text: shared.TextColumn = None,
    label: shared.LabelColumn = None,
    labels: shared.LabelColumns = None,
    labels_file: shared.LabelsFile = None,
    no_header: shared.NoHeader = False,
    delimiter: shared.Delimiter = None,
    group: shared.GroupColumn = None,
    on_bad_row: shared.OnBadRow = None,
    task: shared.TaskName = None,
    encoder: shared.EncoderName = None,
    batch_size: shared.RowsPerStep = None,
    max_tokens: shared.MaxTokens = None,
    precision: shared.Precision = None,
    seed: shared.Seed = None,
    config: shared.OptionsFile = None,
    assignments: list[str] = typer.Option([], "--set", help="Any option, as key=value; may be repeated."),
    lowest: float | None = typer.Option(None, help="Rate to start from; a hundredth of the recipe's if not given."),
    highest: float | None = typer.Option(None, help="Rate to end at; a thousand times the recipe's if not given."),
    steps: int = typer.Option(100, help="Steps of the test, each at a higher rate."),
    plot: Path | None = typer.Option(None, help="Draw the curve to this file (.png, .svg or .pdf)."),
    as_json: shared.AsJson = False,
) -> None:
    """Train on TABLE for a few steps at rising learning rates and suggest one. No model is written.

    The options are those of `fastbert train`; give both the same. A suggestion that is not to be trusted says so.
    """
    from fastbert import api
    from fastbert.cli import options

    named = {
        "text": text, "label": label, "labels": labels, "labels_file": labels_file,
        "header": False if no_header else None, "delimiter": delimiter, "group": group, "on_bad_row": on_bad_row,
        "task": task, "encoder": encoder, "batch_size": batch_size, "max_tokens": max_tokens,
        "precision": precision, "seed": seed,
    }  # fmt: skip
    data, training = options.collect(config, assignments, named)
    if plot is not None:
        from fastbert.insight.review import check_figure

        check_figure(plot)
    learner = api.prepare(api.Tables(table, valid), data=data, config=training)
    with _Shown(quiet=as_json) as shown:
        test = learner.lr_find(lowest=lowest, highest=highest, steps=steps, on_progress=shown.follow)
    if plot is not None:
        test.plot(plot)
        say(f"drawn to {plot}")
    command = (
        None
        if test.lr is None
        else train_command(table, {"valid": valid, "config": config, **named}, assignments, test.lr)
    )
    if as_json:
        print_json({**test.to_json(), "command": command})
        return
    print_data(test.view())
    say(f"\ntook     {test.seconds:.0f} s")
    say("train    with the rate of the plan: drop --lr" if command is None else f"train    {command}")
    if command is not None and test.unsure:
        say("note: unsure, see the doubts above; without --lr the rate of the plan is taken")


def train_command(table: Path, named: Mapping[str, object], assignments: Sequence[str], lr: float) -> str:
    """Return the command that trains with a rate and the options of the test.

    >>> train_command(Path("a b.csv"), {"label": "kind", "header": False, "seed": None}, [], 9.64e-5)
    "fastbert train 'a b.csv' --label kind --no-header --lr 9.6e-05 --out model/"
    """
    words = ["fastbert", "train", str(table)]
    for name, value in named.items():
        if name == "header" and value is False:
            words.append("--no-header")
        elif value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    for assignment in assignments:
        words += ["--set", assignment]
    return shlex.join([*words, "--lr", f"{lr:.2g}", "--out", "model/"])


class _Shown:
    """Says how long a test will take, then shows how far it is, on standard error."""

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._quiet = quiet
        self._bar = Progress(
            BarColumn(bar_width=12),
            TextColumn("{task.percentage:3.0f} %  rate {task.fields[rate]}  loss {task.fields[loss]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            refresh_per_second=4,
            disable=quiet,
        )
        self._task = self._bar.add_task("", total=1.0, rate="-", loss="-")
        self._begun = False

    def __enter__(self) -> _Shown:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def follow(self, progress: Progress) -> None:
        """Show one event of a test."""
        from fastbert.display import duration

        if not self._begun:
            self._begun = True
            if not self._quiet:
                say(f"test     about {duration(progress.seconds)}; the model is put back after it")
                self._bar.start()
        rate = "-" if progress.rate is None else f"{progress.rate:.2g}"
        loss = "-" if progress.loss is None else f"{progress.loss:.4f}"
        self._bar.update(self._task, completed=progress.share, rate=rate, loss=loss)
