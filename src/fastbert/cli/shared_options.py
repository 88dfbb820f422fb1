"""Options that several commands have, each under one name and with one help text; a command gives the default.

Knows no command, and not what an option does: `options` makes configurations of their values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# How a table is read.
TextColumn = Annotated[str | None, typer.Option(help="Text column, or two for pairs: COL or COL,COL.")]
LabelColumn = Annotated[str | None, typer.Option(help="Label column.")]
LabelColumns = Annotated[str | None, typer.Option(help="0/1 columns of a multi-label table: COL,COL,...")]
LabelsFile = Annotated[Path | None, typer.Option(help="File of label names, one a line.")]
NoHeader = Annotated[bool, typer.Option("--no-header", help="The first row is data; columns are numbered from 0.")]
Delimiter = Annotated[str | None, typer.Option(help="What separates the labels of one cell, such as '|'.")]
GroupColumn = Annotated[str | None, typer.Option(help="Column whose equal values are kept on one side of the split.")]
OnBadRow = Annotated[str | None, typer.Option(help="error, or skip rows without text or label.")]
TaskName = Annotated[
    str | None, typer.Option(help="auto, single_label, multi_label, regression, tagging or answering.")
]

# What is trained, and how.
EncoderName = Annotated[str | None, typer.Option(help="minilm, a folder, or a hub name.")]
MaxTokens = Annotated[int | None, typer.Option(help="Longest input in tokens.")]
Precision = Annotated[str | None, typer.Option(help="auto, fp32, bf16 or fp16.")]
Seed = Annotated[int | None, typer.Option(help="Seed of split, weights, order and dropout.")]
RowsPerStep = Annotated[int | None, typer.Option(help="Rows per optimiser step.")]
OptionsFile = Annotated[Path | None, typer.Option(help="TOML file of options.")]
PlanOnly = Annotated[bool, typer.Option("--plan", help="Print the plan and stop.")]

# What answers, and what is written.
BackendName = Annotated[str, typer.Option(help="auto, torch, torch-bf16, onnx, openvino, or an export by name.")]
RowsFile = Annotated[
    Path | None, typer.Option(help="File to write: .csv, .tsv or .jsonl; else CSV to standard output.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
