"""`fastbert adapt`: an encoder and a corpus in, an encoder that knows the corpus' language out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_data, print_json, say, show

if TYPE_CHECKING:
    from fastbert.training.adapt_plan import AdaptResult

CORPUS_HELP = (
    "Files or folders: plain text (a sentence a line, blank lines between documents), CSV, TSV, JSON lines, Parquet, "
    "XLSX; each may be gzipped."
)


def adapt(
    corpus: list[Path] = typer.Argument(..., metavar="CORPUS...", help=CORPUS_HELP),
    out: Path = typer.Option(..., "--out", help="Folder of the adapted encoder."),
    encoder: str = typer.Option("minilm", help="minilm, a folder, or a hub name."),
    text: str | None = typer.Option(
        None, help="Text column of tables, or several: COL or COL,COL. Text files are then read as tables too."
    ),
    epochs: int | None = typer.Option(None, help="Passes over the corpus; chosen from its size if not given."),
    lr: float | None = typer.Option(None, help="Peak learning rate; chosen for the encoder if not given."),
    batch_size: int | None = typer.Option(None, help="Sequences per optimiser step."),
    max_tokens: int | None = typer.Option(None, help="Tokens of a sequence."),
    mask_rate: float | None = typer.Option(None, help="Share of the tokens that are masked."),
    whole_word: bool | None = typer.Option(
        None, "--whole-word/--no-whole-word", help="Mask whole words; the default of WordPiece encoders."
    ),
    next_sentence: bool = typer.Option(False, "--next-sentence", help="Predict too whether a text follows another."),
    pregenerate: int | None = typer.Option(None, help="Write so many epochs of examples to disk first; used in turn."),
    precision: shared.Precision = None,
    seed: int | None = typer.Option(None, help="Seed of masks, order, a new head and dropout."),
    assignments: list[str] = typer.Option([], "--set", help="Any option, as key=value; may be repeated."),
    resume: bool = typer.Option(False, "--resume", help="Go on with an interrupted run from its last whole epoch."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace the adapted encoder that lies at --out."),
    plan_only: shared.PlanOnly = False,
    log: Path | None = typer.Option(None, help="Write a JSON-lines log of the run to this file."),
    tensorboard: Path | None = typer.Option(None, help="Write TensorBoard files to this folder."),
    as_json: shared.AsJson = False,
) -> None:
    """Train ENCODER further on CORPUS as a masked language model, and write it to --out.

    The result is a plain Hugging Face checkpoint: `fastbert train TABLE --encoder OUT` starts from it.
    """
    from fastbert.cli import options
    from fastbert.training import adapt as adapting

    config = options.adapt_config(
        assignments,
        {
            "text": text, "epochs": epochs, "lr": lr, "batch_size": batch_size, "max_tokens": max_tokens,
            "mask_rate": mask_rate, "whole_word": whole_word, "next_sentence": next_sentence or None,
            "pregenerate": pregenerate, "precision": precision, "seed": seed,
        },
    )  # fmt: skip
    if plan_only:
        plan = adapting.prepare(corpus, encoder, config).plan
        print_json(plan.to_json()) if as_json else print_data(plan.view())
        return
    with hint_to_resume(out):
        result = adapting.adapt(
            corpus,
            encoder,
            out,
            config,
            callbacks=options.callbacks(progress=not as_json, log=log, tensorboard=tensorboard),
            on_plan=lambda plan: show(plan.view()),
            if_exists=if_exists(resume=resume, overwrite=overwrite),
        )
    show_result(result, as_json=as_json)


def if_exists(*, resume: bool, overwrite: bool) -> Literal["refuse", "overwrite", "resume"]:
    """Return what to do with what lies at --out. Raises ConfigError for both options."""
    from fastbert.errors import ConfigError

    if resume and overwrite:
        raise ConfigError(
            "--resume and --overwrite are both given.",
            "Give --resume alone: it goes on with a run that may replace, too.",
        )
    return "resume" if resume else "overwrite" if overwrite else "refuse"


@contextlib.contextmanager
def hint_to_resume(out: Path) -> Iterator[None]:
    """Say that an interrupted run can go on, if it can."""
    from fastbert.training.adapt_state import has_state, working_folder

    try:
        yield
    except KeyboardInterrupt:
        if has_state(working_folder(out)):
            say("interrupted; the same command with --resume goes on from the last whole epoch")
        raise


def show_result(result: AdaptResult, *, as_json: bool) -> None:
    """Print scores before and after, and how to go on."""
    if as_json:
        print_json({"encoder": str(result.folder), **result.to_json()})
        return
    say()
    print_data(result.block())
    say(f"\nspeed    {result.tokens_per_second:,.0f} tokens/s")
    say(f"encoder  {result.folder}")
    say(f"use it   fastbert train TABLE --encoder {result.folder} --out MODEL")
