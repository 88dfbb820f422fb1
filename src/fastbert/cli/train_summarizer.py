"""`fastbert train-summarizer`: a table of texts and summaries in, a model that writes summaries out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_json, say, show

if TYPE_CHECKING:
    from fastbert.training.summarizing import EpochRecord, TrainedSummarizer


def train_summarizer(
    table: Path = typer.Argument(..., metavar="TABLE", help="Table of texts and their summaries."),
    text: str = typer.Option(..., help="Text column."),
    summary: str = typer.Option(..., help="Column of summaries."),
    encoder: str = typer.Option(..., help="Folder or hub name of a T5, BART, Pegasus or mBART checkpoint."),
    out: Path = typer.Option(..., "--out", help="Folder of the new model."),
    epochs: int = typer.Option(3, help="Passes over the rows; the best by the held-out loss is kept."),
    lr: float = typer.Option(5e-5, help="Peak learning rate."),
    schedule: str = typer.Option("warmup_linear", help="Learning-rate schedule; see `fastbert schedules`."),
    optimizer: str = typer.Option("adamw", help="adamw, sgd, lamb, lion or adafactor."),
    batch_size: int = typer.Option(8, help="Rows per optimiser step."),
    max_tokens: int | None = typer.Option(None, help="Longest text in tokens; what is longer is cut at its end."),
    max_summary_tokens: int | None = typer.Option(None, help="Longest summary in tokens; 128 if not given."),
    valid_share: float = typer.Option(0.1, help="Share of the rows that is held out."),
    precision: str = typer.Option("auto", help="auto, fp32, bf16 or fp16."),
    seed: int = typer.Option(0, help="Seed of split, order and dropout."),
    no_header: shared.NoHeader = False,
    as_json: shared.AsJson = False,
) -> None:
    """Train a model with a decoder to write summaries, and write it to --out as a plain Hugging Face checkpoint.

    `fastbert summarize` uses it, with torch. It is no bundle: it cannot be evaluated, exported or served.
    """
    from fastbert.bundle import check_target
    from fastbert.cli.options import collect
    from fastbert.data.summary_pairs import read_summary_pairs
    from fastbert.errors import ConfigError
    from fastbert.models.loading import open_encoder
    from fastbert.training import summarizing

    if out.exists():
        raise ConfigError(f"{out} exists already.", "Choose another folder.")
    check_target(out, overwrite=False)
    header = False if no_header else None
    data, training = collect(None, [], {"text": text, "header": header, "precision": precision})
    config = summarizing.SummarizerConfig(
        epochs,
        lr,
        batch_size,
        optimizer,
        schedule,
        max_tokens,
        max_summary_tokens,
        valid_share,
        seed,
        training.precision,
    )
    opened = open_encoder(encoder, decoder=True)
    pairs = read_summary_pairs(table, text=text, summary=summary, header=data.has_header)
    trained = summarizing.train_summarizer(pairs, opened, config, on_epoch=_say_epoch)
    trained.save(out)
    if as_json:
        print_json({"out": str(out), **trained.to_json()})
        return
    _show(trained)
    say(f"model    {out}\ntry it   fastbert summarize {out} TABLE --text {text}")


def _say_epoch(record: EpochRecord) -> None:
    mark = " (best)" if record.best else ""
    say(f"epoch {record.epoch}: loss {record.loss:.4f}, held-out loss {record.valid_loss:.4f}{mark}")


def _show(trained: TrainedSummarizer) -> None:
    from fastbert.display import Block, number

    for count, what, option in (
        (trained.cut.texts, "texts", "--max-tokens"),
        (trained.cut.summaries, "summaries", "--max-summary-tokens"),
    ):
        if count:
            say(f"note: {count} {what} are longer than what is read of them and were cut ({option})")
    rows = tuple(
        (name, *(number(value) for value in scores.values()))
        for name, scores in (("this model", trained.rouge), ("first 3 sentences", trained.lead))
    )
    show(Block(f"ROUGE F over {trained.scored} held-out rows", (), ("summary", *trained.rouge), rows))
