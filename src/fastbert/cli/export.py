"""`fastbert export`: the model of a bundle for a faster engine, checked before it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_json, say

if TYPE_CHECKING:
    from fastbert.export.exporting import Attempt


def export(
    bundle: Path = typer.Argument(..., metavar="BUNDLE", help="Folder of a model."),
    backend: str = typer.Option("onnx", help="onnx (ONNX Runtime) or openvino."),
    int8: bool = typer.Option(False, "--int8", help="Quantise to 8 bits; needs --data."),
    data: Path | None = typer.Option(None, help="Table of rows that the model was not trained on, labelled at best."),
    max_loss: float = typer.Option(0.005, help="Largest loss of the monitored score; a safer scheme is tried above."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace an export of the same kind."),
    as_json: shared.AsJson = False,
) -> None:
    """Add a faster form of the model to BUNDLE, after comparing it with the model itself.

    Schemes are tried from the fastest to the safest; the first that loses no more than --max-loss is kept.
    """
    from fastbert.export.exporting import export_bundle

    if data is None:
        say("note: without --data made-up texts are compared: differences show, a loss of score does not")
    found = export_bundle(
        bundle,
        f"{backend}-int8" if int8 else backend,  # type: ignore[arg-type]  # an unknown name is an error there
        data=data,
        max_loss=max_loss,
        overwrite=overwrite,
        on_attempt=_show,
    )
    if as_json:
        print_json({"bundle": str(bundle), **found.to_json()})
        return
    say(f"added    {', '.join(str(bundle / name) for name in found.files)}")
    say(f"try it   fastbert predict {bundle} TABLE --backend {found.name}")


def _show(attempt: Attempt) -> None:
    say(f"{'kept' if attempt.accepted else 'refused'}  {attempt.scheme}: {attempt.describe()}")
