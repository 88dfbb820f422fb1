"""`fastbert decide`: another decision rule for a trained model, without training."""

from __future__ import annotations

from pathlib import Path

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_data, print_json, say, score_block


def decide(
    bundle: Path = typer.Argument(..., metavar="BUNDLE", help="Folder of a model."),
    table: Path | None = typer.Argument(
        None,
        metavar="[TABLE]",
        help="Labelled rows to fit the rule to; without it the validation rows of the training.",
    ),
    goal: str | None = typer.Option(
        None, help="f1, f1_micro, fbeta:2, precision>=0.9, recall>=0.95[@LABEL], cost:FILE."
    ),
    calibrate: str | None = typer.Option(None, help="auto, none, temperature, platt or isotonic."),
    abstain: str | None = typer.Option(None, help="none, a least confidence (0.8), risk<=0.05 or coverage>=0.9."),
    outside: float | None = typer.Option(
        None, help="Share of these rows that may be called unlike the training texts."
    ),
    at_least: int | None = typer.Option(None, help="Labels of an answer, at least."),
    at_most: int | None = typer.Option(None, help="Labels of an answer, at most; with one label a row, so many best."),
    top_k: int | None = typer.Option(None, help="So many labels, neither more nor fewer."),
    text: str | None = typer.Option(None, help="Text column(s) of TABLE, if not those the model was trained on."),
    label: str | None = typer.Option(None, help="Label column of TABLE, if not the one the model was trained on."),
    labels: str | None = typer.Option(None, help="0/1 label columns of TABLE: COL,COL,..."),
    backend: shared.BackendName = "auto",
    dry_run: bool = typer.Option(False, "--dry-run", help="Show what would change, and change nothing."),
    as_json: shared.AsJson = False,
) -> None:
    """Change how BUNDLE turns scores into answers: thresholds for a goal, calibration, when to answer "unknown".

    The weights stay. What is not given is as `train` would choose it. The report in the bundle is written anew.
    """
    from fastbert.cli.options import collect, decisions
    from fastbert.insight.deciding import decide as decide_bundle
    from fastbert.insight.decision_words import describe_fit

    named = {
        "goal": goal, "calibrate": calibrate, "abstain": abstain, "outside": outside,
        "at_least": at_least if top_k is None else top_k, "at_most": at_most if top_k is None else top_k,
    }  # fmt: skip
    data = collect(None, [], {"text": text, "label": label, "labels": labels})[0]
    result = decide_bundle(bundle, decisions(None, [], named), table, data=data, backend=backend, save=not dry_run)
    if as_json:
        print_json(result.to_json())
        return
    task = result.bundle.task
    say(f"before   {task.rule(result.old)}")
    say(f"now      {task.rule(result.bundle.decisions)}")
    for line in describe_fit(result.bundle.decisions):
        say(f"         {line}")
    holds = "no longer holds" if result.saved else "would no longer hold"
    for name, value in result.dropped.items():
        if named.get(name) is None:  # else it was set back on purpose
            say(f"note: {name} {value} of the earlier rule {holds}; give it again to keep it")
    rows = {
        f"{split}{'' if split != result.fitted else ', fitted on'}, {when}": values[split]
        for split in result.after
        for when, values in (("before", result.before), ("now", result.after))
    }
    print_data(score_block(task, rows))
    if "collapse" in result.bundle.facts:
        say(f"warning: {result.bundle.facts['collapse']}")
    if result.saved:
        say(f"model    {result.bundle.folder}\nreport   {result.bundle.folder / 'report.html'}")
    else:
        say("nothing was written (--dry-run)")
    if result.saved and result.bundle.exports:
        say("note: exports answer by the new rule inside FastBert; its copy in an ONNX file is renewed by `export`")
