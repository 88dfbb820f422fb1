"""`fastbert embed`: a vector for each row of a table."""

from __future__ import annotations

from pathlib import Path

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_json, say


def embed(
    source: str = typer.Argument(
        ..., metavar="BUNDLE|ENCODER", help="Folder of a model, or an encoder: minilm, a folder, or a hub name."
    ),
    table: Path = typer.Argument(..., metavar="TABLE", help="Table of texts."),
    out: Path = typer.Option(..., help="File to write: .parquet keeps the columns of TABLE, .npy is the matrix alone."),
    text: shared.TextColumn = None,
    pooling: str = typer.Option("auto", help="auto (as the checkpoint says, else mean), mean, or cls."),
    raw: bool = typer.Option(False, "--raw", help="Keep the length of vectors; else it is made 1."),
    max_tokens: int | None = typer.Option(None, help="Longest input in tokens; what is longer is cut."),
    truncation: str = typer.Option("head", help="head, tail, head_tail, or windows: read all, average the vectors."),
    no_header: shared.NoHeader = False,
    as_json: shared.AsJson = False,
) -> None:
    """Write a vector for each row of TABLE, made by the encoder; texts alike in meaning have vectors alike."""
    from fastbert.cli.options import collect
    from fastbert.errors import ConfigError
    from fastbert.inference.embedder import Embedder
    from fastbert.inference.vector_files import check_vector_file, read_texts, write_vectors

    if pooling not in ("auto", "mean", "cls"):
        raise ConfigError(f"--pooling is '{pooling}'; expected auto, mean or cls.")
    check_vector_file(out, table)
    header = False if no_header else None
    config = collect(None, [], {"text": text, "header": header, "truncation": truncation})[0]
    texts = read_texts(table, config)
    embedder = Embedder.open(source, pooling=pooling, max_tokens=max_tokens)  # type: ignore[arg-type]  # checked above
    embedder.normalized, embedder.truncation = not raw, config.truncation
    empty, cut = write_vectors(texts, embedder, out)
    for note in texts.table.notes:
        say(f"note: {note}")
    if as_json:
        print_json({"out": str(out), "rows": len(texts.texts), "width": embedder.width, "empty": empty, "cut": cut})
        return
    if empty:
        say(f"note: {empty} of {len(texts.texts)} rows have no text; they have no vector")
    if cut:
        say(f"note: {cut} texts are longer than {embedder.max_tokens} tokens and were cut (see --truncation)")
    shown = " and ".join(f"'{column}'" for column in texts.columns)
    say(f"{len(texts.texts)} vectors of {embedder.width} numbers from column {shown} written to {out}")
