"""`fastbert similar`: rows of a table that say the same, or rows of one table that another holds too."""

from __future__ import annotations

from pathlib import Path

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_json, say


def similar(
    table: Path = typer.Argument(..., metavar="TABLE", help="Table of texts."),
    against: Path | None = typer.Option(
        None, help="Compare with the rows of this table instead, such as the test set."
    ),
    encoder: str = typer.Option("minilm", help="minilm, a folder, a hub name, or a bundle."),
    text: shared.TextColumn = None,
    least: float = typer.Option(0.9, help="Least similarity (cosine) of a pair, up to 1."),
    out: shared.RowsFile = None,
    max_tokens: int | None = typer.Option(None, help="Longest input in tokens; what is longer is cut."),
    no_header: shared.NoHeader = False,
    as_json: shared.AsJson = False,
) -> None:
    """List pairs of rows whose texts are nearly the same, the nearest first."""
    from fastbert.cli.options import collect
    from fastbert.errors import ConfigError
    from fastbert.inference.embedder import Embedder
    from fastbert.inference.similar_rows import find_similar, write_pairs
    from fastbert.inference.writers import check_out

    if not 0 < least <= 1:
        raise ConfigError(f"--least is {least}; expected a number above 0 and at most 1, such as 0.9.")
    if out is not None:
        check_out(out, table, *([] if against is None else [against]))
    config = collect(None, [], {"text": text, "header": False if no_header else None})[0]
    found = find_similar(
        lambda: Embedder.open(encoder, max_tokens=max_tokens, precision="auto"),
        table,
        against,
        config=config,
        least=least,
    )
    if out is not None or not as_json:
        write_pairs(found, out, source=str(table))
    if as_json:
        print_json(found.to_json() if out is None else {"out": str(out), "rows": len(found.pairs)})
        return
    for note in found.notes:
        say(f"note: {note}")
    where = table.name if against is None else f"{table.name} and {against.name}"
    say(f"{len(found.pairs)} pairs of rows of {where} are at least {least:g} alike")
    if out is not None:
        say(f"written to {out}")
