"""`fastbert distill`: a large model and texts without labels in, a small model out."""

from __future__ import annotations

from pathlib import Path

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_data, print_json, say, show


def distill(
    bundle: Path = typer.Argument(..., metavar="BUNDLE", help="Folder of the trained model that teaches."),
    unlabelled: list[Path] = typer.Option(
        ..., "--unlabelled", help="Texts to learn from, a table or a text a line, as `predict` reads them; repeatable."
    ),
    out: Path = typer.Option(..., "--out", help="Folder of the new model."),
    encoder: str | None = typer.Option(None, help="Encoder of the student: minilm, a folder, or a hub name."),
    train: Path | None = typer.Option(None, help="Labelled table to learn from, too."),
    valid: Path | None = typer.Option(
        None, help="Labelled table that chooses weights and decision rule; else texts with the teacher's answers do."
    ),
    test: Path | None = typer.Option(None, help="Labelled table that both models are scored on at the end."),
    temperature: float | None = typer.Option(None, help="Softens the teacher's scores of one label a row; 2 is usual."),
    label_weight: float | None = typer.Option(
        None, "--label-weight", help="Share of the usual loss in the rows of --train; 0.5 if not given."
    ),
    text: str | None = typer.Option(None, help="Text column, or two for pairs, where it is not that of the teacher."),
    label: str | None = typer.Option(None, help="Label column, where it is not that of the teacher."),
    labels: str | None = typer.Option(None, help="0/1 columns, where they are not those of the teacher."),
    no_header: shared.NoHeader = False,
    delimiter: shared.Delimiter = None,
    on_bad_row: str | None = typer.Option(None, help="error, or skip rows of labelled tables without text or label."),
    backend: str = typer.Option("auto", help="What runs the teacher; see `predict`."),
    epochs: float | None = typer.Option(None, help="Passes over the rows; chosen from their number, at least 10."),
    lr: float | None = typer.Option(None, help="Peak learning rate; chosen for the encoder if not given."),
    batch_size: shared.RowsPerStep = None,
    max_tokens: int | None = typer.Option(None, help="Longest input in tokens; that of the teacher if not given."),
    precision: shared.Precision = None,
    seed: shared.Seed = None,
    config: shared.OptionsFile = None,
    goal: str | None = typer.Option(None, help="Aim of the student's decision rule; see `decide`."),
    abstain: str | None = typer.Option(None, help="Answer unknown below a confidence (0.8), or for risk<=0.05."),
    assignments: list[str] = typer.Option([], "--set", help="Any option, as key=value; may be repeated."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace the model that lies at --out."),
    no_baseline: bool = typer.Option(False, "--no-baseline", help="Fit no linear model for comparison."),
    plan_only: shared.PlanOnly = False,
    log: Path | None = typer.Option(None, help="Write a JSON-lines log of the run to this file."),
    tensorboard: Path | None = typer.Option(None, help="Write TensorBoard files to this folder."),
    as_json: shared.AsJson = False,
) -> None:
    """Train a small model on what BUNDLE says of texts without labels, and write it to --out.

    For one label a row, several, and numbers. The result is an ordinary model with the teacher's labels.
    """
    from fastbert.bundle import check_target
    from fastbert.cli import options
    from fastbert.inference.predictor import Predictor
    from fastbert.tasks.distilled import Teaching
    from fastbert.training.distill import Distilling
    from fastbert.training.distill_rows import LessonTables

    named = {
        "text": text, "label": label, "labels": labels, "header": False if no_header else None,
        "delimiter": delimiter, "on_bad_row": on_bad_row, "encoder": encoder, "epochs": epochs, "lr": lr,
        "batch_size": batch_size, "max_tokens": max_tokens, "precision": precision, "seed": seed, "goal": goal,
        "abstain": abstain,
    }  # fmt: skip
    data, training = options.collect(config, assignments, named)
    teaching = Teaching(temperature, label_weight)
    check_target(out, overwrite=overwrite)
    ready = Distilling.prepare(
        Predictor.load(bundle, backend),
        LessonTables(unlabelled, train, valid, test),
        teaching=teaching,
        data=data,
        config=training,
        decide=options.decisions(config, assignments, named),
    )
    if plan_only:
        print_json(ready.to_json()) if as_json else print_data(ready.view())
        return
    callbacks = options.callbacks(progress=not as_json, log=log, tensorboard=tensorboard)
    result = ready.run(out, overwrite=overwrite, baseline=not no_baseline, callbacks=callbacks, on_view=show)
    if as_json:
        print_json(result.to_json())
        return
    say()
    print_data(result.view())
    say(f"\nspeed    {result.learner.history.describe_speed()}")
    say(f"model    {result.folder}\nreport   {result.folder / 'report.html'}")
