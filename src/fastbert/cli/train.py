"""`fastbert train`: a table in, a bundle out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_data, print_json, say, score_block, show

if TYPE_CHECKING:
    from fastbert.api import Tables
    from fastbert.bundle import Bundle
    from fastbert.training.learner import Learner


def train(
    table: Path = typer.Argument(
        ...,
        metavar="TABLE",
        help="Texts and labels: CSV, TSV, JSON lines, Parquet, Arrow, XLSX; tagged text: CoNLL, spans in JSON, BRAT; "
        "questions: SQuAD.",
    ),
    out: Path = typer.Option(..., "--out", help="Folder of the new model."),
    valid: Path | None = typer.Option(
        None, help="Validation table; without it a share is held out, or few rows are folded."
    ),
    test: Path | None = typer.Option(None, help="Test table, scored once at the end."),
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
    epochs: float | None = typer.Option(None, help="Passes over the rows; chosen from their number if not given."),
    lr: float | None = typer.Option(None, help="Peak learning rate; chosen for the encoder if not given."),
    schedule: str | None = typer.Option(None, help="Learning-rate schedule; see `fastbert schedules`."),
    batch_size: shared.RowsPerStep = None,
    max_tokens: shared.MaxTokens = None,
    precision: shared.Precision = None,
    seed: shared.Seed = None,
    time_budget: str | None = typer.Option(None, help="Longest time of the training: 10m, 1h30m."),
    config: shared.OptionsFile = None,
    goal: str | None = typer.Option(None, help="f1, fbeta:2, precision>=0.9, recall>=0.95, cost:FILE; see `decide`."),
    abstain: str | None = typer.Option(None, help="Answer unknown below a confidence (0.8), or for risk<=0.05."),
    assignments: list[str] = typer.Option([], "--set", help="Any option, as key=value; may be repeated."),
    adapt: list[Path] = typer.Option(
        [], "--adapt", help="Unlabelled text to adapt the encoder to first, kept if validation says so; repeatable."
    ),
    no_baseline: bool = typer.Option(False, "--no-baseline", help="Fit no linear model for comparison."),
    folds: int = typer.Option(0, help="Cross-validate in so many folds first, and report the scores; 5 is usual."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace the model that lies at --out."),
    plan_only: shared.PlanOnly = False,
    log: Path | None = typer.Option(None, help="Write a JSON-lines log of the run to this file."),
    tensorboard: Path | None = typer.Option(None, help="Write TensorBoard files to this folder."),
    track: list[str] = typer.Option(
        [],
        "--track",
        help="Send the run to mlflow, wandb or trackio, or to a project there: mlflow:PROJECT; repeatable.",
    ),
    track_model: bool = typer.Option(False, "--track-model", help="Send the model to --track, too."),
    as_json: shared.AsJson = False,
) -> None:
    """Train a model on TABLE and write it to --out, with its scores and a report.

    Columns, task, split, learning rate and epochs are inferred and printed as a plan first.
    """
    from fastbert import api
    from fastbert.bundle import check_target
    from fastbert.cli import options

    named = {
        "text": text, "label": label, "labels": labels, "labels_file": labels_file,
        "header": False if no_header else None, "delimiter": delimiter, "group": group, "on_bad_row": on_bad_row,
        "task": task, "encoder": encoder, "epochs": epochs, "lr": lr, "goal": goal, "abstain": abstain,
        "time_budget": time_budget,
        "schedule": schedule, "batch_size": batch_size, "max_tokens": max_tokens, "precision": precision, "seed": seed,
    }  # fmt: skip
    data, training = options.collect(config, assignments, named)
    decide = options.decisions(config, assignments, named)
    tables = api.Tables(table, valid, test, adapt, baseline=not no_baseline, folds=folds)
    if plan_only:
        learner = api.prepare(tables, data=data, config=training, decide=decide)
        show_plan(tables, out, learner, overwrite=overwrite, as_json=as_json)
        return
    callbacks = options.callbacks(
        progress=not as_json, log=log, tensorboard=tensorboard, track=track, track_model=track_model
    )
    check_target(out, overwrite=overwrite)
    learner = api.prepare(tables, data=data, config=training, decide=decide, callbacks=callbacks)
    result = api.finish(learner, tables, out, overwrite=overwrite, on_view=show)
    if as_json:
        print_json(result.to_json())
        return
    say()
    show_scores(result.bundle)
    say(f"\nspeed    {result.learner.history.describe_speed()}")
    say(f"model    {result.bundle.folder}\nreport   {result.bundle.folder / 'report.html'}")
    command = f"fastbert predict {result.bundle.folder}"
    say(f"try it   {command} TABLE" if result.bundle.reads_pairs else f'try it   echo "your text" | {command} -')


def show_scores(bundle: Bundle) -> None:
    """Print the scores of a model and of its linear baseline, and how they compare."""
    from fastbert.insight.baseline_section import baseline_scores, baseline_sentence, baseline_warning
    from fastbert.insight.run_facts import read_facts

    facts = read_facts(bundle.facts)
    baseline = facts.baseline
    own = {facts.name_of(split): scores for split, scores in bundle.scores.items()}
    linear = {f"{facts.name_of(split)}, linear": scores for split, scores in baseline_scores(baseline).items()}
    print_data(score_block(bundle.task, {**own, **linear}))
    sentence = baseline_warning(baseline) or baseline_sentence(baseline)
    if sentence:
        say(f"\n{sentence}")


def show_plan(tables: Tables, out: Path, learner: Learner, *, overwrite: bool, as_json: bool) -> None:
    """Print what would be done, adaptation included."""
    from fastbert import api

    adapting = api.prepare_adaptation(tables, out, learner, overwrite=overwrite)
    folds = api.prepare_folds(tables, out, learner, overwrite=overwrite)
    plan = learner.plan()
    if as_json:
        more = {} if adapting is None else {"adaptation": adapting.adaptation.plan.to_json()}
        more |= {} if folds is None else {"cross_validation": folds.to_json()}
        print_json({**plan.to_json(), **more})
        return
    print_data(plan.view())
    for planned in (adapting, folds):
        if planned is not None:
            print_data(planned.view())
