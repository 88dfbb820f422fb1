"""`fastbert inspect`: what a bundle holds."""

from __future__ import annotations

from pathlib import Path

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_data, print_json, score_block
from fastbert.display import Block, View


def inspect(
    bundle: Path = typer.Argument(..., metavar="BUNDLE", help="Folder of a model."),
    as_json: shared.AsJson = False,
) -> None:
    """Show task, labels, decision rule, scores and origin of the model in BUNDLE; verify its files."""
    from fastbert.bundle import read_bundle

    opened = read_bundle(bundle)
    size = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())
    if as_json:
        print_json({**opened.to_json({}), "bundle": str(bundle), "size_bytes": size, "verified": True})
        return
    plan = opened.facts.get("plan")
    facts = plan if isinstance(plan, dict) else {}
    known = opened.task.known_labels
    names = opened.task.label_names if known is None else known.names
    names = names or opened.task.outputs
    lines = (
        f"task        {opened.task.describe()}",
        f"outputs     {', '.join(names[:30])}{', ...' if len(names) > 30 else ''}",
        f"decision    {opened.task.rule(opened.decisions)}",
        f"max tokens  {opened.max_tokens}",
        f"encoder     {facts.get('encoder', '-')}",
        f"written by  fastbert {opened.version}; {size / 1e6:.1f} MB, all checksums verified",
        f"report      {bundle / 'report.html'}",
    )
    exports = tuple(
        (export.name, export.precision, export.scheme, export.check.describe()) for export in opened.exports.values()
    )
    shown = [Block(str(bundle), lines), score_block(opened.task, opened.scores)]
    print_data(View((*shown, *([Block("Exports", (), (), exports)] if exports else []))))
