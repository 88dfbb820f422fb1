"""`fastbert evaluate`: the scores of a bundle on a labelled table."""

from __future__ import annotations

from pathlib import Path

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_data, print_json, say, say_backend, score_block
from fastbert.display import label_score_rows


def evaluate(
    bundle: Path = typer.Argument(..., metavar="BUNDLE", help="Folder of a model."),
    table: Path = typer.Argument(..., metavar="TABLE", help="Labelled table."),
    text: str | None = typer.Option(None, help="Text column(s), if not those the model was trained on."),
    label: str | None = typer.Option(None, help="Label column, if not the one the model was trained on."),
    labels: str | None = typer.Option(None, help="0/1 label columns: COL,COL,..."),
    labels_file: Path | None = typer.Option(None, help="File of label names, for labels given as numbers."),
    delimiter: shared.Delimiter = None,
    no_header: shared.NoHeader = False,
    on_bad_row: shared.OnBadRow = None,
    backend: shared.BackendName = "auto",
    as_json: shared.AsJson = False,
) -> None:
    """Score the model in BUNDLE on TABLE: overall and for each label."""
    from fastbert.cli.options import collect
    from fastbert.inference.evaluation import evaluate_table
    from fastbert.inference.predictor import Predictor

    predictor = Predictor.load(bundle, backend)
    say_backend(predictor)
    named = {
        "text": text, "label": label, "labels": labels, "labels_file": labels_file, "delimiter": delimiter,
        "header": False if no_header else None, "on_bad_row": on_bad_row,
    }  # fmt: skip
    result = evaluate_table(predictor, table, collect(None, [], named)[0])
    if as_json:
        print_json(result.to_json())
        return
    for sentence in result.notes:
        say(f"note: {sentence}")
    say(f"{result.rows} rows of {table}")
    print_data(score_block(predictor.task, {table.name: result.scores}))
    if result.per_label:
        print_data(label_score_rows(result.per_label))
