"""`fastbert summarize`: a summary behind each row of a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fastbert.cli.output import print_json, say, show

if TYPE_CHECKING:
    from fastbert.display import Block
    from fastbert.inference.summary_rows import SummaryResult


def summarize(
    source: str = typer.Argument(
        ..., metavar="BUNDLE|ENCODER", help="Folder of a model, or an encoder: minilm, a folder, or a hub name."
    ),
    table: Path = typer.Argument(..., metavar="TABLE", help="Table of texts."),
    text: str = typer.Option(..., help="Text column."),
    sentences: int = typer.Option(3, help="Sentences of a summary."),
    reference: str | None = typer.Option(None, help="Column of summaries to compare with: prints ROUGE."),
    out: Path | None = typer.Option(None, help="File to write: .csv, .tsv or .jsonl; else CSV to standard output."),
    no_header: bool = typer.Option(False, "--no-header", help="The first row is data; columns are numbered from 0."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object on standard output."),
) -> None:
    """Write a summary of each row's text: the sentences that say most of it and repeat least, in their order.

    Nothing is trained, and no sentence is rewritten. With --reference, ROUGE is printed beside that of the first
    sentences of each text, which for news are a summary that is hard to beat.
    """
    from fastbert.cli.options import collect
    from fastbert.inference.embedder import Embedder
    from fastbert.inference.summaries import ExtractiveSummarizer, check_summary
    from fastbert.inference.summary_rows import read_summary_table, summarize_rows, write_summaries
    from fastbert.inference.writers import check_out

    check_summary(sentences)
    if out is not None:
        check_out(out, str(table))
    config = collect(None, [], {"text": text, "header": False if no_header else None})[0]
    texts = read_summary_table(table, config, reference)
    result = summarize_rows(texts, ExtractiveSummarizer(Embedder.open(source), sentences), sentences=sentences)
    if out is not None or not as_json:
        write_summaries(texts, result, out, source=str(table))
    if as_json:
        made = {"summaries": list(result.summaries)} if out is None else {"out": str(out)}
        print_json({**made, **result.to_json()})
        return
    if result.empty:
        say(f"note: {result.empty} of {len(result.summaries)} rows have no text; they have no summary")
    if result.rouge:
        show(_scores(result, sentences))
    if out is not None:
        say(f"{len(result.summaries)} rows written to {out}")


def _scores(result: SummaryResult, sentences: int) -> Block:
    from fastbert.display import Block, number

    rows = tuple(
        (name, *(number(value) for value in scores.values()))
        for name, scores in (("these summaries", result.rouge), (f"first {sentences} sentences", result.lead))
    )
    return Block(f"ROUGE F over {result.compared} rows", (), ("summary", *result.rouge), rows)
