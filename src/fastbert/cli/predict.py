"""`fastbert predict`: a table in, the same rows with labels and scores out, in constant memory."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import say, say_backend


def predict(
    bundle: Path = typer.Argument(..., metavar="BUNDLE", help="Folder of a model."),
    table: str = typer.Argument(
        ..., metavar="TABLE", help="Table of texts, or - for standard input (a table or one text a line)."
    ),
    out: shared.RowsFile = None,
    text: str | None = typer.Option(None, help="Text column(s), if not those the model was trained on."),
    no_header: shared.NoHeader = False,
    backend: shared.BackendName = "auto",
    as_json: shared.AsJson = False,
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
