"""`fastbert label`: labels for the rows of a table without any training, by descriptions of the labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import say

if TYPE_CHECKING:
    from fastbert.data.label_descriptions import Descriptions


def label(
    table: Path = typer.Argument(..., metavar="TABLE", help="Table of texts."),
    labels: str | None = typer.Option(None, help="Label names: NAME,NAME,..."),
    labels_file: Path | None = typer.Option(None, help="File of lines `name` or `name: description or example text`."),
    encoder: str = typer.Option("minilm", help="minilm, a folder, or a hub name; one trained to compare texts."),
    multi: bool = typer.Option(False, "--multi", help="Give each label that is near enough; else the nearest alone."),
    threshold: float | None = typer.Option(None, help="With --multi, the least cosine of a label; 0.2 if not given."),
    text: shared.TextColumn = None,
    out: shared.RowsFile = None,
    max_tokens: int | None = typer.Option(None, help="Longest input in tokens; what is longer is cut."),
    no_header: shared.NoHeader = False,
    as_json: shared.AsJson = False,
) -> None:
    """Guess a label for each row of TABLE without training: the one whose description is nearest in meaning.

    A first guess, to look at a table or to begin labelling it. A model trained on 300 labelled rows is far better:
    0.87 against 0.54 of TREC's questions right. Descriptions beat bare names; several lines for one label are averaged.
    Scores add up to 1 for a row; with --multi they are cosines, and guesses are poor where labels are many: look at
    some before you choose --threshold.
    """
    from fastbert.cli.options import collect
    from fastbert.errors import ConfigError
    from fastbert.inference.embedder import Embedder
    from fastbert.inference.vector_files import read_texts
    from fastbert.inference.writers import check_out, open_writer
    from fastbert.inference.zero_shot import THRESHOLD, ZeroShotLabeller, check_choices, label_rows

    if threshold is not None and not multi:
        raise ConfigError("--threshold is given without --multi; one label a row has no threshold.", "Add --multi.")
    described = _described(labels, labels_file)
    limit = THRESHOLD if threshold is None else threshold
    check_choices(len(described), multi=multi, threshold=limit)
    if out is not None:
        check_out(out, table, *([] if labels_file is None else [labels_file]))
    texts = read_texts(table, collect(None, [], {"text": text, "header": False if no_header else None})[0])
    embedder = Embedder.open(encoder, max_tokens=max_tokens)
    labeller = ZeroShotLabeller.of(embedder, described, multi=multi, threshold=limit)
    with open_writer(texts.table.columns, labeller.answer_columns, out, as_json=as_json, source=str(table)) as writer:
        empty, cut = label_rows(texts, labeller, writer)
    for note in texts.table.notes:
        say(f"note: {note}")
    if empty:
        say(f"note: {empty} of {len(texts.texts)} rows have no text; they are kept without a label")
    if cut:
        say(f"note: {cut} texts are longer than {embedder.max_tokens} tokens and were cut")
    if out is not None:
        say(f"{len(texts.texts)} rows written to {out}; the labels are first guesses, nothing was trained")


def _described(labels: str | None, labels_file: Path | None) -> Descriptions:
    from fastbert.data.label_descriptions import named_labels, read_label_descriptions
    from fastbert.errors import ConfigError

    if (labels is None) == (labels_file is None):
        what = "Neither --labels nor --labels-file is" if labels is None else "Both --labels and --labels-file are"
        raise ConfigError(f"{what} given; expected one of them.")
    return read_label_descriptions(labels_file) if labels_file is not None else named_labels(labels or "")
