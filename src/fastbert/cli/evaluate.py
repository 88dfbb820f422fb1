"""`fastbert evaluate`: the scores of a bundle on a labelled table."""

from __future__ import annotations

from pathlib import Path

import typer

from fastbert.cli.output import print_data, print_json, say, say_backend, score_block
from fastbert.display import label_score_rows


def evaluate(
    bundle: Path = typer.Argument(..., metavar="BUNDLE", help="Folder of a model."),
    table: Path = typer.Argument(..., metavar="TABLE", help="Labelled table."),
    text: str | None = typer.Option(None, help="Text column(s), if not those the model was trained on."),
    label: str | None = typer.Option(None, help="Label column, if not the one the model was trained on."),
    labels: str | None = typer.Option(None, help="0/1 label columns: COL,COL,..."),
    labels_file: Path | None = typer.Option(None, help="File of label names, for labels given as numbers."),
    delimiter: str | None = typer.Option(None, help="What separates the labels of one cell, such as '|'."),
    no_header: bool = typer.Option(False, "--no-header", help="The first row is data; columns are numbered from 0."),
    on_bad_row: str | None = typer.Option(None, help="error, or skip rows without text or label."),
    backend: str = typer.Option("auto", help="auto, torch, torch-bf16, onnx, openvino, or an export by name."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object on standard output."),
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
