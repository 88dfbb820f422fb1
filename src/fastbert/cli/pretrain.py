"""`fastbert pretrain`: a corpus in, a vocabulary and a BERT learned from it alone out."""

from __future__ import annotations

from pathlib import Path

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.adapt import CORPUS_HELP, hint_to_resume, if_exists, show_result
from fastbert.cli.output import print_data, print_json, show


def pretrain(
    corpus: list[Path] = typer.Argument(..., metavar="CORPUS...", help=CORPUS_HELP),
    out: Path = typer.Option(..., "--out", help="Folder of the new encoder."),
    size: str = typer.Option("small", help="tiny, mini, small, medium or base."),
    vocab_size: int = typer.Option(16_000, help="Entries of the vocabulary."),
    vocabulary: str = typer.Option("wordpiece", help="wordpiece or bpe."),
    cased: bool = typer.Option(False, "--cased", help="Keep upper and lower case apart; bpe always does."),
    text: str | None = typer.Option(
        None, help="Text column of tables, or several: COL or COL,COL. Text files are then read as tables too."
    ),
    epochs: int | None = typer.Option(None, help="Passes over the corpus; chosen from its size if not given."),
    lr: float | None = typer.Option(None, help="Peak learning rate; chosen for the size if not given."),
    batch_size: int | None = typer.Option(None, help="Sequences per optimiser step."),
    max_tokens: int | None = typer.Option(None, help="Tokens of a sequence."),
    mask_rate: float | None = typer.Option(None, help="Share of the tokens that are masked."),
    whole_word: bool | None = typer.Option(
        None, "--whole-word/--no-whole-word", help="Mask whole words; the default of WordPiece vocabularies."
    ),
    next_sentence: bool = typer.Option(False, "--next-sentence", help="Predict too whether a text follows another."),
    pregenerate: int | None = typer.Option(None, help="Write so many epochs of examples to disk first; used in turn."),
    precision: shared.Precision = None,
    seed: int | None = typer.Option(None, help="Seed of weights, masks, order and dropout."),
    assignments: list[str] = typer.Option([], "--set", help="Any option, as key=value; may be repeated."),
    resume: bool = typer.Option(False, "--resume", help="Go on with an interrupted run from its last whole epoch."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace the new encoder that lies at --out."),
    plan_only: shared.PlanOnly = False,
    log: Path | None = typer.Option(None, help="Write a JSON-lines log of the run to this file."),
    tensorboard: Path | None = typer.Option(None, help="Write TensorBoard files to this folder."),
    as_json: shared.AsJson = False,
) -> None:
    """Learn a vocabulary and train a new BERT on CORPUS as a masked language model, and write it to --out.

    For a language or notation that no encoder knows; else `fastbert adapt` needs far less text.
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
    new = adapting.NewEncoder(size, vocab_size, options.vocabulary_kind(vocabulary), lowercase=not cased)
    if plan_only:
        plan = adapting.prepare_new(corpus, new, config).plan
        print_json(plan.to_json()) if as_json else print_data(plan.view())
        return
    with hint_to_resume(out):
        result = adapting.pretrain(
            corpus,
            out,
            new,
            config,
            callbacks=options.callbacks(progress=not as_json, log=log, tensorboard=tensorboard),
            on_plan=lambda plan: show(plan.view()),
            if_exists=if_exists(resume=resume, overwrite=overwrite),
        )
    show_result(result, as_json=as_json)
