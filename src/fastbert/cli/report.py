"""`fastbert report`: the report of a trained model, written again or on rows of your own."""

from __future__ import annotations

from pathlib import Path

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_data, print_json, say, score_block


def report(
    bundle: Path = typer.Argument(..., metavar="BUNDLE", help="Folder of a model."),
    table: Path | None = typer.Argument(
        None, metavar="[TABLE]", help="Labelled rows; without it the report in the folder is written again."
    ),
    out: Path | None = typer.Option(None, help="The page; TABLE-report.html in this folder if not given."),
    texts: bool = typer.Option(False, "--texts", help="Show the texts of the worst and most uncertain rows."),
    text: str | None = typer.Option(None, help="Text column(s) of TABLE, if not those the model was trained on."),
    label: str | None = typer.Option(None, help="Label column of TABLE, if not the one the model was trained on."),
    labels: str | None = typer.Option(None, help="0/1 label columns of TABLE: COL,COL,..."),
    on_bad_row: shared.OnBadRow = None,
    backend: shared.BackendName = "auto",
    as_json: shared.AsJson = False,
) -> None:
    """Write a page on how good the model in BUNDLE is: on the rows of TABLE, or on those that were held out.

    One file, without network: scores with intervals, confusions, curves, calibration, rows worth a look.
    """
    from fastbert.cli.options import collect
    from fastbert.errors import ConfigError
    from fastbert.insight.reporting import renew, report_table

    if table is None:
        if texts:
            raise ConfigError(
                "A model's folder holds no texts to show.", "Give the table: fastbert report BUNDLE TABLE --texts."
            )
        result = renew(bundle, out)
    else:
        named = {"text": text, "label": label, "labels": labels, "on_bad_row": on_bad_row}
        page = out or Path(f"{table.stem}-report.html")
        data = collect(None, [], named)[0]
        result = report_table(bundle, table, page, data=data, backend=backend, texts=texts)
    if as_json:
        print_json(result.to_json())
        return
    for sentence in result.notes:
        say(f"note: {sentence}")
    say(f"{result.evidence.num_rows} {result.evidence.rows_name}")
    print_data(score_block(result.evidence.bundle.task, {result.evidence.split: dict(result.evidence.scores)}))
    for name, (low, high) in result.unsure.scores.items():
        if name in result.evidence.bundle.task.headlines:
            say(f"{name}: 95 % interval {low:.4f} to {high:.4f}")
    say(f"report   {result.page}")
