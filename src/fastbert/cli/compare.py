"""`fastbert compare`: models, and baselines made on the spot, on the same labelled table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_data, print_json, say

if TYPE_CHECKING:
    from fastbert.insight.compare_tables import Compared


def compare(
    paths: list[Path] = typer.Argument(
        ..., metavar="BUNDLE... TABLE", help="Folders of models, and last a labelled table."
    ),
    train: Path | None = typer.Option(None, help="Labelled table to fit baselines on."),
    valid: Path | None = typer.Option(None, help="Table to choose their strength by; else a tenth of --train."),
    baselines: str | None = typer.Option(
        None, help="majority, tfidf, embeddings (of --encoder), dictionary (tagging): NAME,NAME; else all of the task."
    ),
    encoder: str = typer.Option("minilm", help="Frozen encoder of the baseline embeddings."),
    against: str | None = typer.Option(None, help="Model that the others are held against; else the first."),
    text: str | None = typer.Option(None, help="Text column(s), if not those the models were trained on."),
    label: str | None = typer.Option(None, help="Label column, if not the one the models were trained on."),
    labels: str | None = typer.Option(None, help="0/1 label columns: COL,COL,..."),
    labels_file: Path | None = typer.Option(None, help="File of label names, for labels given as numbers."),
    delimiter: shared.Delimiter = None,
    no_header: shared.NoHeader = False,
    on_bad_row: shared.OnBadRow = None,
    backend: shared.BackendName = "auto",
    examples: int = typer.Option(0, help="Show so many rows that each model won and lost."),
    rows: Path | None = typer.Option(None, help="Write every row with all answers: .csv, .tsv or .jsonl."),
    html: Path | None = typer.Option(None, help="Write the comparison as a page that opens offline."),
    seed: int = typer.Option(42, help="Seed of the drawn rows and of the baselines."),
    as_json: shared.AsJson = False,
) -> None:
    """Compare models on TABLE: scores with intervals, F1 of each label, rows won and lost, cost.

    With --train also against baselines: what is most frequent, linear models on words and on frozen embeddings.
    """
    from fastbert.cli.options import collect
    from fastbert.errors import ConfigError
    from fastbert.insight.compare_tables import BaselineOptions, compare_tables

    *folders, table = paths
    if not folders:
        raise ConfigError(f"Only {table} is given.", "Name one bundle or more, and last a labelled table.")
    if examples < 0:
        raise ConfigError(f"--examples is {examples}; expected 0 or more.")
    named = {
        "text": text, "label": label, "labels": labels, "labels_file": labels_file, "delimiter": delimiter,
        "header": False if no_header else None, "on_bad_row": on_bad_row,
    }  # fmt: skip
    config = collect(None, [], named)[0]
    check_files(rows, html, [path for path in (table, train, valid) if path is not None])
    kinds = tuple(name.strip() for name in (baselines or "").split(",") if name.strip())
    compared = compare_tables(
        folders,
        table,
        config,
        backend=backend,
        baselines=BaselineOptions(train, valid, kinds, encoder, seed),
        against=against,
        on_note=say,
    )
    write_files(compared, rows, html, table)
    if as_json:
        print_json(compared.to_json())
        return
    show_comparison(compared, examples)
    for path in (rows, html):
        if path is not None:
            say(f"written to {path}")


def check_files(rows: Path | None, html: Path | None, inputs: list[Path]) -> None:
    """Refuse files that cannot be written, before any work."""
    from fastbert.inference.writers import check_out
    from fastbert.insight.compare_page import check_page

    if rows is not None:
        check_out(rows, *inputs)
    if html is not None:
        check_page(html, *inputs)


def write_files(compared: Compared, rows: Path | None, html: Path | None, table: Path) -> None:
    """Write what was asked for."""
    from fastbert.inference.writers import write_records
    from fastbert.insight.compare_page import comparison_page, write_page
    from fastbert.insight.compare_rows import row_columns, row_records

    if rows is not None:
        records = row_records(compared.task, compared.examples, compared.answers)
        write_records(row_columns(list(compared.answers)), records, rows, source=str(table))
    if html is not None:
        write_page(html, comparison_page(compared.comparison, compared.costs, f"Comparison on {table.name}"))


def show_comparison(compared: Compared, examples: int) -> None:
    """Print the comparison, and rows where they are asked for."""
    from fastbert.insight.compare_rows import example_blocks
    from fastbert.insight.compare_view import comparison_view

    for note in compared.comparison.notes:
        say(f"note: {note}")
    say()
    print_data(comparison_view(compared.comparison, compared.costs))
    for duel in compared.comparison.duels if examples else ():
        for block in example_blocks(duel, compared.examples, compared.whole, examples):
            print()
            print_data(block)
