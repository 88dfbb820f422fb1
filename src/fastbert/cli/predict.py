"""`fastbert predict`: a table in, the same rows with labels and scores out, in constant memory."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from fastbert.cli.output import say, say_backend


def predict(
    bundle: Path = typer.Argument(..., metavar="BUNDLE", help="Folder of a model."),
    table: str = typer.Argument(
        ..., metavar="TABLE", help="Table of texts, or - for standard input (a table or one text a line)."
    ),
    out: Path | None = typer.Option(None, help="File to write: .csv, .tsv or .jsonl; else CSV to standard output."),
    text: str | None = typer.Option(None, help="Text column(s), if not those the model was trained on."),
    no_header: bool = typer.Option(False, "--no-header", help="The first row is data; columns are numbered from 0."),
    backend: str = typer.Option("auto", help="auto, torch, torch-bf16, onnx, openvino, or an export by name."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object on standard output."),
) -> None:
    """Label the rows of TABLE; its columns are kept, the answers are added behind them."""
    from fastbert.cli.options import collect
    from fastbert.inference.metering import MeteredBackend
    from fastbert.inference.predictor import Predictor
    from fastbert.inference.tables import open_texts, predict_rows
    from fastbert.inference.writers import open_writer

    config = collect(None, [], {"text": text, "header": False if no_header else None})[0]
    predictor = Predictor.load(bundle, backend)
    say_backend(predictor)
    predictor.backend = meter = MeteredBackend(predictor.backend)
    rows = open_texts(table, predictor, config, stream=sys.stdin.buffer if table == "-" else None)
    for sentence in rows.notes:
        say(f"note: {sentence}")
    with open_writer(rows.columns, predictor.answer_columns, out, as_json=as_json, source=table) as writer:
        count, empty = predict_rows(predictor, rows, writer)
    if empty:
        say(f"note: {empty} of {count} rows have no text; they are kept without an answer")
    if out is not None:
        say(f"{count} rows written to {out}; {meter.describe_speed(count - empty)}")
