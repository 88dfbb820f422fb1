"""`fastbert schedules`: the learning-rate schedules, listed and drawn."""

from __future__ import annotations

from pathlib import Path

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_data, print_json, say
from fastbert.display import Block, sparkline


def schedules(
    steps: int = typer.Option(1000, help="Steps of the run to draw."),
    warmup: float | None = typer.Option(None, help="Warm-up: below 1 a fraction, from 1 a number of steps."),
    cycles: float | None = typer.Option(None, help="Cycles of the cyclic schedules."),
    plot: Path | None = typer.Option(None, help="Draw all of them to this file (.png, .svg or .pdf)."),
    as_json: shared.AsJson = False,
) -> None:
    """List the learning-rate schedules with the shape of each."""
    from fastbert.models.schedules import SCHEDULES, make_schedule

    made = {
        name: make_schedule(
            name, steps, warmup if kind.warmup is not None else None, cycles if kind.cycles is not None else None
        )
        for name, kind in SCHEDULES.items()
    }
    if plot is not None:
        from fastbert.insight.review import plot_schedule

        plot_schedule(made, plot)
        say(f"drawn to {plot}")
    if as_json:
        curves = {name: [list(point) for point in schedule.curve(101)] for name, schedule in made.items()}
        print_json({"steps": steps, "schedules": curves})
        return
    rows = tuple(
        (name, sparkline([factor for _, factor in schedule.curve(40)], 40), SCHEDULES[name].description)
        for name, schedule in made.items()
    )
    print_data(Block(f"Learning rate over {steps} steps, as a share of the peak", (), ("name", "shape", ""), rows))
