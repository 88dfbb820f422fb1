"""The command line: thin. Objects in, messages out; data to stdout, everything else to stderr.

Each module holds one group of commands and imports what it runs only when it runs, so that
`--help` stays quick.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import MutableMapping
from typing import TextIO

import typer

from fastbert._version import __version__
from fastbert.cli import (
    adapt,
    bench,
    check,
    compare,
    decide,
    distill,
    embed,
    evaluate,
    explain,
    export,
    inspect,
    label,
    lr_find,
    predict,
    pretrain,
    report,
    sagemaker,
    schedules,
    serve,
    similar,
    summarize,
    train,
    train_summarizer,
    tune,
)
from fastbert.cli.output import say, show_error
from fastbert.errors import FastBertError, missing_extra
from fastbert.processors import num_allowed, num_cores

# How often an idle thread of OpenMP (GNU's, which torch brings on Linux) looks for work before it sleeps. Its own
# 300,000 keep a core busy that others could use: on shared cores training steps took 2 to 4 times as long. 0 is
# worse than 1,000 on idle cores, where threads then sleep between any two layers.
_SPINS = "1000"

app = typer.Typer(
    name="fastbert",
    help="Train BERT-type encoders on your own table of texts and labels, and use them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", help="Print the version.", callback=_print_version, is_eager=True),
) -> None:
    """Train BERT-type encoders on your own table of texts and labels, and use them."""


app.command("check")(check.check)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("decide")(decide.decide)
app.command("compare")(compare.compare)
app.command("explain")(explain.explain)
app.command("report")(report.report)
app.command("predict")(predict.predict)
app.command("embed")(embed.embed)
app.command("similar")(similar.similar)
app.command("label")(label.label)
app.command("summarize")(summarize.summarize)
app.command("tune")(tune.tune)
app.command("lr-find")(lr_find.lr_find)
app.command("adapt")(adapt.adapt)
app.command("pretrain")(pretrain.pretrain)
app.command("distill")(distill.distill)
app.command("train-summarizer")(train_summarizer.train_summarizer)
app.command("export")(export.export)
app.command("inspect")(inspect.inspect)
app.command("serve")(serve.serve)
app.command("schedules")(schedules.schedules)
app.command("bench")(bench.bench)
app.add_typer(sagemaker.app, name="sagemaker")


def main() -> None:
    """Run the command line. Exit codes: 0, 1 for failure, 2 for wrong use or bad input, 130 if interrupted."""
    settle_threads(os.environ)
    settle_output(sys.stdout)
    try:
        app()
    except FastBertError as error:
        show_error(error)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        explained = missing_extra(error, "This command")
        if explained is None:
            raise
        show_error(explained)
        sys.exit(explained.exit_code)
    except OSError as error:  # what no command expects: most likely standard output, on a full disk
        say(f"error: {error.strerror or error}")
        sys.exit(1)


def settle_output(stream: TextIO) -> None:
    """Write UTF-8 to a file or a pipe, as files are written, whatever the locale; on a screen what it can show."""
    if not isinstance(stream, io.TextIOWrapper):
        return
    if stream.isatty():
        stream.reconfigure(errors="replace")
    else:
        stream.reconfigure(encoding="utf-8", newline="")


def settle_threads(environment: MutableMapping[str, str]) -> None:
    """Let waiting threads of OpenMP sleep soon, and have no more of them than a container's CPU quota grants.

    Unless the user has said how they wait or how many they are. Read once, when torch is imported, which no
    module of the command line does before it runs.
    """
    if num_cores() < num_allowed():  # torch counts the cores of the host, and all its threads would be held up together
        environment.setdefault("OMP_NUM_THREADS", str(num_cores()))
    if "OMP_WAIT_POLICY" not in environment:  # a number of spins would win over it
        environment.setdefault("GOMP_SPINCOUNT", _SPINS)
