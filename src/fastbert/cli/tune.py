"""`fastbert tune`: a table in, the best model that a search finds out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_data, print_json, say, score_block, show

if TYPE_CHECKING:
    from fastbert.tuning.result import TuneResult


def tune(
    table: Path = typer.Argument(..., metavar="TABLE", help="Texts and labels, as for `fastbert train`."),
    out: Path = typer.Option(..., "--out", help="Folder of the new model; the search is kept beside it, in OUT-tune."),
    trials: int | None = typer.Option(
        None, help="Trials of the study, all runs and processes together; 20 where no --timeout is given."
    ),
    timeout: str | None = typer.Option(None, help="Time of this run, such as 90s, 20m or 1h30m."),
    storage: str | None = typer.Option(
        None, help="URL of a database for several processes: sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME."
    ),
    study: str | None = typer.Option(None, help="Name of the study in the database; else that of --out."),
    space: Path | None = typer.Option(None, help="TOML file of what is searched; else the usual space of the task."),
    splits: int | None = typer.Option(
        None, help="Trainings of each trial, on other validation rows; chosen by their number if not given."
    ),
    max_latency: str | None = typer.Option(None, help="Longest time for one long text, such as 20ms, measured here."),
    backend: str | None = typer.Option(None, help="What --max-latency is measured by: torch, or onnx, which is saved."),
    valid: Path | None = typer.Option(None, help="Validation table; without it a share of TABLE is held out."),
    test: Path | None = typer.Option(None, help="Test table, read and scored once, when the search is over."),
    text: shared.TextColumn = None,
    label: shared.LabelColumn = None,
    labels: shared.LabelColumns = None,
    labels_file: shared.LabelsFile = None,
    no_header: shared.NoHeader = False,
    delimiter: shared.Delimiter = None,
    group: shared.GroupColumn = None,
    on_bad_row: shared.OnBadRow = None,
    task: shared.TaskName = None,
    encoder: list[str] = typer.Option([], "--encoder", help="minilm, a folder, or a hub name; several are searched."),
    max_tokens: shared.MaxTokens = None,
    precision: shared.Precision = None,
    seed: int | None = typer.Option(None, help="Seed of split, weights, order, dropout, and of what is tried."),
    config: Path | None = typer.Option(None, help="TOML file of options; they are not searched."),
    goal: str | None = typer.Option(None, help="Goal of the decision rule, as for `fastbert train`; not searched."),
    abstain: str | None = typer.Option(None, help="Answer unknown below a confidence (0.8), or for risk<=0.05."),
    assignments: list[str] = typer.Option([], "--set", help="Any option, as key=value; it is not searched."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace another model that lies at --out."),
    restart: bool = typer.Option(False, "--restart", help="Delete the study and begin anew."),
    plan_only: shared.PlanOnly = False,
    as_json: shared.AsJson = False,
) -> None:
    """Search for the options that make the best model of TABLE, and write that model to --out.

    The same command goes on with a search that was interrupted, and takes part in one that runs.
    """
    from fastbert.cli.options import merge
    from fastbert.tuning.setup import Tables
    from fastbert.tuning.tune import Listeners, prepare_search, run_search

    named = {
        "text": text, "label": label, "labels": labels, "labels_file": labels_file,
        "header": False if no_header else None, "delimiter": delimiter, "group": group, "on_bad_row": on_bad_row,
        "task": task, "encoder": encoder or None, "max_tokens": max_tokens, "precision": precision, "seed": seed,
        "goal": goal, "abstain": abstain,
    }  # fmt: skip
    asked = {
        "trials": trials, "timeout": timeout, "storage": storage, "study": study, "space": space,
        "splits": splits, "max_latency": max_latency, "backend": backend,
    }  # fmt: skip
    options = merge(config, assignments, named) | asked
    prepared = prepare_search(Tables(table, valid, test), out, options, overwrite=overwrite)
    if plan_only:
        print_json(prepared.to_json()) if as_json else print_data(prepared.view())
        return
    with hint_to_go_on():
        found = run_search(prepared, Listeners(show, say), restart=restart)
    show_result(found, as_json=as_json)


@contextlib.contextmanager
def hint_to_go_on() -> Iterator[None]:
    """Say that an interrupted search can go on."""
    try:
        yield
    except KeyboardInterrupt:
        say("interrupted; the same command goes on with the trials that are done")
        raise


def show_result(found: TuneResult, *, as_json: bool) -> None:
    """Print what was found and where it lies."""
    if as_json:
        print_json(found.to_json())
        return
    say()
    print_data(found.view())
    if found.bundle is None:
        still = "1 trial" if found.running == 1 else f"{found.running} trials"
        say(f"\n{still} of other processes not yet done; the process that ends last writes the model")
        return
    print_data(score_block(found.bundle.task, found.bundle.scores))
    say(f"\nmodel    {found.bundle.folder}\nsearch   {found.folder / 'tune.html'}")
    say(f"again    fastbert train TABLE --config {found.folder / 'best.toml'} --out MODEL")
