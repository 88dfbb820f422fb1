"""`fastbert predict`: a table in, the same rows with labels and scores out, in constant memory.

By a model in a folder, or by one of a server (`--url`), with the same columns.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import say, say_backend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastbert.config import DataConfig
    from fastbert.data.reading import AnyLayout
    from fastbert.inference.tables import Answering

PATIENCE_S, RETRIES = 300.0, 50  # of each request to a server: a table can wait while others are served
INPUTS = typer.Argument(
    ...,
    metavar="[BUNDLE] TABLE",
    help="Folder of a model, unless --url names a server; table of texts, or - for standard input (a table or one "
    "text a line).",
)


@dataclass(frozen=True)
class _Job:
    """What is read and what is written."""

    table: str
    config: DataConfig
    out: Path | None
    as_json: bool


def predict(
    inputs: list[str] = INPUTS,
    out: shared.RowsFile = None,
    text: str | None = typer.Option(None, help="Text column(s), if not those the model was trained on."),
    no_header: shared.NoHeader = False,
    backend: shared.BackendName = "auto",
    url: str | None = typer.Option(None, help="Server that answers, such as http://localhost:8080."),
    model: str | None = typer.Option(None, help="Model of the server by name, if not its first one."),
    as_json: shared.AsJson = False,
) -> None:
    """Label the rows of TABLE; its columns are kept, the answers are added behind them.

    A server's API key is taken from the environment variable FASTBERT_API_KEY.
    """
    from fastbert.cli.options import collect

    bundle, table = _inputs(inputs, url, model, backend)
    config = collect(None, [], {"text": text, "header": False if no_header else None})[0]
    job = _Job(table, config, out, as_json)
    if url is None:
        _predict_here(Path(bundle), backend, job)
    else:
        _predict_there(url, model, job)


def _inputs(inputs: Sequence[str], url: str | None, model: str | None, backend: str) -> tuple[str, str]:
    """Return the folder of the model, "" for a server, and the table. Raises ConfigError for what does not fit."""
    from fastbert.errors import ConfigError

    if url is None and model is not None:
        raise ConfigError("--model names a model of a server, but there is no --url.", "Give the folder of the model.")
    if url is not None and backend != "auto":
        raise ConfigError("--backend is given with --url.", "The server chooses it: fastbert serve --backend.")
    expected = "BUNDLE and TABLE" if url is None else "TABLE alone, for --url names the server"
    if len(inputs) != (2 if url is None else 1):
        raise ConfigError(f"{len(inputs)} inputs are given; expected {expected}.", "See fastbert predict --help.")
    return (inputs[0], inputs[1]) if url is None else ("", inputs[0])


def _predict_here(bundle: Path, backend: str, job: _Job) -> None:
    from fastbert.inference.evaluation import saved_layout
    from fastbert.inference.metering import MeteredBackend
    from fastbert.inference.predictor import Predictor

    predictor = Predictor.load(bundle, backend)
    say_backend(predictor)
    predictor.backend = meter = MeteredBackend(predictor.backend)
    count, answered = _answer(predictor, saved_layout(predictor), predictor.answer_columns, job)
    if job.out is not None:
        say(f"{count} rows written to {job.out}; {meter.describe_speed(answered)}")


def _predict_there(url: str, model: str | None, job: _Job) -> None:
    from fastbert.client.client import Client
    from fastbert.client.served_predictor import ServedPredictor

    with Client(url, timeout_s=PATIENCE_S, retries=RETRIES) as client:
        predictor = ServedPredictor.find(client, model)
        say(f"server   {client.address}, model {predictor.model.name} {predictor.model.version}")
        start = time.perf_counter()
        count, answered = _answer(predictor, predictor.layout, predictor.answer_columns, job)
    if job.out is not None:
        say(f"{count} rows written to {job.out}; {answered / (time.perf_counter() - start):,.0f} texts/s")


def _answer(predictor: Answering, layout: AnyLayout | None, added: Sequence[str], job: _Job) -> tuple[int, int]:
    """Write each row with its answer; return how many rows there were, and how many of them were answered."""
    from fastbert.inference.tables import open_texts, predict_rows
    from fastbert.inference.writers import open_writer

    rows = open_texts(job.table, layout, job.config, stream=sys.stdin.buffer if job.table == "-" else None)
    for sentence in rows.notes:
        say(f"note: {sentence}")
    with open_writer(rows.columns, added, job.out, as_json=job.as_json, source=job.table) as writer:
        count, empty = predict_rows(predictor, rows, writer)
    if empty:
        say(f"note: {empty} of {count} rows have no text; they are kept without an answer")
    return count, count - empty
