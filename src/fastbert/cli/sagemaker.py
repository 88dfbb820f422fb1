"""`fastbert sagemaker`: a job and an endpoint in their container, a job's metrics, a model packed for an endpoint."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_json, say, show
from fastbert.cli.serve import serve

app = typer.Typer(
    help="Train and serve in a container of Amazon SageMaker, and pack a model for it. Every command takes --json.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
# SageMaker starts one image with `train` or `serve`; this is the latter.
app.command("serve", context_settings={"default_map": {"platform": "sagemaker"}})(serve)


@app.command()
def train(
    root: Path = typer.Option(Path("/opt/ml"), help="Folder with input/ and output/, laid out as SageMaker does."),
    as_json: shared.AsJson = False,
) -> None:
    """Run the training job that the container was started for.

    Metric lines go to standard output, or, with --json, to standard error.
    Exit codes: 0, 1 for failure, 2 for wrong use or bad input, 143 if it was stopped (SIGTERM).
    """
    from fastbert.sagemaker.container import Container
    from fastbert.sagemaker.entry import run

    stream = sys.stderr if as_json else sys.stdout
    ended = run(Container(root), write=lambda line: print(line, file=stream, flush=True), on_view=show)
    if ended.cause:
        say(f"error: {ended.cause}\nhint: {ended.hint}")
    elif ended.result:
        say(f"model    {ended.result['bundle']}")
    if as_json and ended.result:
        print_json(ended.result)
    raise typer.Exit(ended.code)


@app.command()
def metrics(
    task: str = typer.Option("single_label", help="single_label, multi_label, regression, tagging or answering."),
    as_json: shared.AsJson = False,
) -> None:
    """Print the metrics that a job writes, as names and regular expressions for MetricDefinitions."""
    from fastbert.sagemaker.metrics import metric_definitions

    found = metric_definitions(task)
    if as_json:
        print_json({"metric_definitions": found})
        return
    for definition in found:
        print(f"{definition['Name']:32}{definition['Regex']}")


@app.command()
def package(
    bundle: Path = typer.Argument(..., metavar="BUNDLE", help="Folder of a model."),
    out: Path = typer.Option(Path("model.tar.gz"), help="File to write."),
    serving_only: bool = typer.Option(
        False, "--serving-only", help="Leave out what its exports do not need: checkpoint, report."
    ),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace the file that lies at --out."),
    as_json: shared.AsJson = False,
) -> None:
    """Verify BUNDLE and pack it as the model.tar.gz that an endpoint unpacks to /opt/ml/model.

    The same bundle gives the same bytes each time.
    """
    from fastbert.sagemaker.package import pack

    made = pack(bundle, out, serving_only=serving_only, overwrite=overwrite)
    if as_json:
        print_json(made.to_json())
        return
    say(f"packed   {made.path}: {len(made.files)} files, {made.size_bytes:,} bytes")
