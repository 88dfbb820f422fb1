"""`fastbert summarize`: a summary behind each row of a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_json, say, show

if TYPE_CHECKING:
    from fastbert.display import Block
    from fastbert.inference.summary_rows import Summarizes, SummaryResult


def summarize(
    source: str = typer.Argument(
        ...,
        metavar="BUNDLE|ENCODER|SUMMARIZER",
        help="Folder of a model, an encoder (minilm, a folder, a hub name), or a folder of a model that writes.",
    ),
    table: Path = typer.Argument(..., metavar="TABLE", help="Table of texts."),
    text: str = typer.Option(..., help="Text column."),
    sentences: int = typer.Option(3, help="Sentences of a summary, where none is written."),
    beams: int | None = typer.Option(None, help="Of a model that writes: candidates kept at each word."),
    max_summary_tokens: int | None = typer.Option(None, help="Of a model that writes: longest summary in tokens."),
    reference: str | None = typer.Option(None, help="Column of summaries to compare with: prints ROUGE."),
    out: shared.RowsFile = None,
    no_header: shared.NoHeader = False,
    as_json: shared.AsJson = False,
) -> None:
    """Write a summary of each row's text: the sentences that say most of it and repeat least, in their order.

    Nothing is trained, and no sentence is rewritten. A folder of `fastbert train-summarizer`, or another T5 or BART
    checkpoint, writes summaries of its own instead, by beam search; what it writes may be wrong. With --reference,
    ROUGE is printed beside that of the first sentences of each text, which for news are a summary that is hard to beat.
    """
    from fastbert.cli.options import collect
    from fastbert.inference.summaries import check_summary
    from fastbert.inference.summary_rows import read_summary_table, summarize_rows, write_summaries
    from fastbert.inference.writers import check_out

    check_summary(sentences)
    if out is not None:
        check_out(out, table)
    config = collect(None, [], {"text": text, "header": False if no_header else None})[0]
    texts = read_summary_table(table, config, reference)
    summarizer = _open(source, sentences, beams, max_summary_tokens)
    result = summarize_rows(texts, summarizer, sentences=sentences)
    if out is not None or not as_json:
        write_summaries(texts, result, out, source=str(table))
    for note in texts.table.notes:
        say(f"note: {note}")
    if as_json:
        made = {"summaries": list(result.summaries)} if out is None else {"out": str(out)}
        print_json({**made, **result.to_json()})
        return
    if result.empty:
        say(f"note: {result.empty} of {len(result.summaries)} rows have no text; they have no summary")
    cut = getattr(summarizer, "cut", 0)
    if cut:
        say(f"note: {cut} texts are longer than the model reads; their beginning was summarised")
    if result.rouge:
        show(_scores(result, sentences))
    if out is not None:
        say(f"{len(result.summaries)} rows written to {out}")


def _open(source: str, sentences: int, beams: int | None, max_summary_tokens: int | None) -> Summarizes:
    from fastbert.bundle import has_decoder
    from fastbert.errors import ConfigError
    from fastbert.inference.embedder import Embedder
    from fastbert.inference.generation import AbstractiveSummarizer
    from fastbert.inference.summaries import ExtractiveSummarizer

    if has_decoder(Path(source)):
        return AbstractiveSummarizer.open(source, beams=beams, max_summary_tokens=max_summary_tokens)
    if beams is not None or max_summary_tokens is not None:
        raise ConfigError(
            f"'{source}' is no folder of a model that writes; --beams and --max-summary-tokens are for such a one.",
            "Use --sentences.",
        )
    return ExtractiveSummarizer(Embedder.open(source), sentences)


def _scores(result: SummaryResult, sentences: int) -> Block:
    from fastbert.display import Block, number

    rows = tuple(
        (name, *(number(value) for value in scores.values()))
        for name, scores in (("these summaries", result.rouge), (f"first {sentences} sentences", result.lead))
    )
    return Block(f"ROUGE F over {result.compared} rows", (), ("summary", *result.rouge), rows)
