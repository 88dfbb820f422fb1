"""`fastbert bench`: how fast this machine trains and runs an encoder, and which options are the fastest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_data, print_json, say
from fastbert.display import Block, View

if TYPE_CHECKING:
    from fastbert.training.bench import Results, Speed


def bench(
    bundle: Path | None = typer.Argument(None, metavar="[BUNDLE]", help="Folder of a model; else see --encoder."),
    encoder: str | None = typer.Option(None, help="minilm (the default), a folder, or a hub name."),
    table: Path | None = typer.Option(None, help="Training table whose texts are used; else texts are made up."),
    text: str | None = typer.Option(None, help="Text column of the table, or two for pairs."),
    label: str | None = typer.Option(None, help="Label column of the table."),
    labels: shared.LabelColumns = None,
    tokens: int = typer.Option(64, help="Mean length of made-up texts, which are half to one and a half as long."),
    batch_size: int | None = typer.Option(None, help="Texts of a step."),
    rounds: int = typer.Option(5, help="Times that each candidate takes its turn."),
    compiled: bool = typer.Option(False, "--compile", help="Time torch.compile too; it takes tens of seconds."),
    as_json: shared.AsJson = False,
) -> None:
    """Time training and inference on this machine, by precision and threads, and say what is fastest.

    Nothing is written. On a busy machine run it again and trust the ratios more than the times.
    """
    from fastbert import api
    from fastbert.cli.options import collect
    from fastbert.errors import ConfigError
    from fastbert.training.bench import run_bench
    from fastbert.training.bench_texts import bundle_options, made_up_rows

    if bundle is not None and encoder is not None:
        raise ConfigError("A bundle and --encoder are both given.", "Give one of them.")
    named: dict[str, object] = {
        "encoder": encoder, "text": text, "label": label, "labels": labels, "batch_size": batch_size, "start": "plain",
    }  # fmt: skip
    if bundle is not None:
        named |= bundle_options(bundle)
    data, config = collect(None, [], named)
    source = table if table is not None else made_up_rows(config.encoder, tokens, 4 * config.batch_size, config.seed)
    learner = api.prepare(api.Tables(source), data=data, config=config)
    results = run_bench(learner, rounds=rounds, compiled=compiled, on_stage=lambda text: say(f"timing {text}"))
    if as_json:
        print_json({"encoder": learner.plan(estimate=False).encoder, **results.to_json()})
        return
    print_data(_view(results, learner.plan(estimate=False).encoder))


def _view(results: Results, encoder: str) -> View:
    cores = f", {results.cores} cores" if results.device == "cpu" else ""
    lines = (
        f"encoder  {encoder}",
        f"machine  {results.device}{cores}",
        f"batch    {results.texts} texts, {results.tokens} tokens, longest {results.longest}",
    )
    rates = tuple(
        (mode, rate if isinstance(rate, str) else f"{rate / 1e9:,.0f} GFLOP/s") for mode, rate in results.rates.items()
    )
    tables = {
        "Training": results.training,
        "Inference": results.inference,
        "Training by threads": results.training_threads,
        "Inference by threads": results.inference_threads,
    }
    speeds = tuple(_speeds(title, found) for title, found in tables.items() if found)
    return View(
        (
            Block("Bench", lines),
            Block("Matrix product", (), (), rates),
            *speeds,
            Block("Fastest", tuple(_advice(results))),
        )
    )


def _speeds(title: str, speeds: Sequence[Speed]) -> Block:
    headers = ("", "texts/s", "tokens/s", "ms a batch", "spread", "MFU", f"against {speeds[0].candidate.name}")
    rows = tuple(
        (
            speed.candidate.name,
            f"{speed.texts / speed.seconds:,.1f}",
            f"{speed.tokens / speed.seconds:,.0f}",
            f"{1000 * speed.seconds:,.1f}",
            f"{100 * speed.spread:.0f} %",
            f"{100 * speed.mfu:.0f} %",
            f"{speed.times_faster(speeds[0]):.2f} x",
        )
        for speed in speeds
    )
    return Block(title, (), headers, rows)


def _advice(results: Results) -> list[str]:
    training, inference = results.best_training.candidate, results.best_inference.candidate
    threads = f"OMP_NUM_THREADS={training.threads} " if training.threads else ""
    lines = [
        f"train    {training.name}: {threads}fastbert train TABLE --out MODEL --precision {training.mode}",
        f"predict  {inference.name}"
        + (f": OMP_NUM_THREADS={inference.threads} fastbert predict MODEL TABLE" if inference.threads else ""),
    ]
    exact, *others = results.inference  # fp32 is always possible, and first
    rounded = next((speed for speed in others if speed.candidate.mode == "bf16"), exact)
    if rounded.seconds < exact.seconds:
        lines.append(
            f"         with scores rounded to bf16, {rounded.times_faster(exact):.1f} x: "
            "fastbert predict MODEL TABLE --backend torch-bf16"
        )
    compiled = results.compiled
    if compiled is not None:
        steps = compiled.steps_to_pay
        pays = "which never pays" if steps is None else f"which pays after {steps:,} steps"
        first, after = compiled.first_step_s, 1000 * compiled.compiled_s
        lines.append(
            f"compile  first step {first:.1f} s, then {after:.1f} ms against {1000 * compiled.eager_s:.1f}, {pays}"
        )
    return lines
