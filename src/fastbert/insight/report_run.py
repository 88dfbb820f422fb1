"""The run in a report: learning curves, what was inferred, the data, speed and cost, the machine, how to repeat it.

Knows nothing of answers or scores of rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastbert.bundle import Bundle
from fastbert.display import duration, utilisation
from fastbert.insight.charts import Line, line_chart, running_mean
from fastbert.insight.page import Html, bar, definitions, element, section, sentences, table
from fastbert.insight.repeating import option_text, repeat
from fastbert.insight.run_facts import RunFacts
from fastbert.training.state import Stage

LONG_TABLE = 40  # rows; longer ones are folded
_LAYOUT = (
    "format",
    "text",
    "tag",
    "sentence",
    "scheme",
    "pair",
    "label_columns",
    "kind",
    "delimiter",
    "group",
    "ignored",
    *("question", "context", "answer", "start"),
)


def curves(facts: RunFacts, monitor: str) -> Html:
    """Return loss, monitored score and learning rate over the steps."""
    losses = [loss for _, loss, _ in facts.steps]
    steps = [float(step) for step, _, _ in facts.steps]
    loss_lines = [
        Line("training loss", tuple(zip(steps, losses, strict=True)), style="faint"),
        Line("training loss, running mean", tuple(zip(steps, running_mean(losses), strict=True))),
        Line("validation loss", _points(facts, "log_loss"), "orange", "dots"),
    ]
    score_line = Line(monitor, _points(facts, monitor), style="dots")
    kept = facts.kept
    ring = (float(kept.step), kept.scores[monitor]) if kept is not None and monitor in kept.scores else None
    ring_name = f"kept: {ring[1]:.4f} after step {ring[0]:,.0f}" if ring is not None else ""
    rates = Line("learning rate", tuple((float(step), rate) for step, _, rate in facts.steps))
    charts = [
        line_chart("Loss", loss_lines, x_name="step", y_name="loss"),
        line_chart("Validation", [score_line], x_name="step", y_name=monitor, best=ring, best_name=ring_name),
        line_chart("Learning rate", [rates], x_name="step", y_name="rate of the top layers"),
    ]
    if not any(charts):
        return section("Learning curves", element("p", "No training was recorded in this bundle."))
    return section("Learning curves", element("div", *charts, class_="charts"), note=_shown_stages(facts))


def _shown_stages(facts: RunFacts) -> str:
    """Return which of several stages the curves are of, and which they are not; nothing where there is but one."""
    shown, others = ([one for one in facts.stages if one.in_history is kept] for kept in (True, False))
    if len(facts.stages) < 2:
        return ""
    missing = f" Trained too, but not among the curves: {_listed_steps(others)}." if others else ""
    return f"The curves are of: {_listed_steps(shown)}.{missing}"


def _listed_steps(stages: Sequence[Stage]) -> str:
    return ", ".join(f"{one.name} ({one.steps:,} steps)" for one in stages)


def _points(facts: RunFacts, metric: str) -> tuple[tuple[float, float], ...]:
    return tuple((float(record.step), record.scores[metric]) for record in facts.evaluations if metric in record.scores)


def inferred(facts: RunFacts) -> Html:
    """Return what was found out of the data and chosen by the recipe, and what looks wrong."""
    found = [*facts.facts, *(sentence for sentence in _layout_reasons(facts) if sentence not in facts.facts)]
    warnings = [element("h3", "Worth a look"), sentences(facts.warnings, class_="warnings")] if facts.warnings else []
    return section(
        "What was inferred and chosen",
        sentences([*found, *facts.reasons]) or element("p", "Nothing was recorded."),
        *warnings,
        definitions(
            [
                ("encoder", facts.encoder),
                ("machine", facts.runtime),
                ("token lengths", facts.lengths),
                *(
                    (f"table: {name.replace('_', ' ')}", _plain(facts.layout[name]))
                    for name in _LAYOUT
                    if name in facts.layout
                ),
            ]
        ),
    )


def _layout_reasons(facts: RunFacts) -> list[str]:
    reasons = facts.layout.get("reasons")
    return [str(reason) for reason in reasons] if isinstance(reasons, list) else []


def data(facts: RunFacts, counted: str) -> Html:
    """Return how many rows and labels each split has."""
    splits = list(facts.label_counts)
    names = dict.fromkeys(name for counts in facts.label_counts.values() for name in counts)
    most = {split: max(facts.label_counts[split].values(), default=0) or 1 for split in splits}
    rows = [
        [name, *(_count_bar(facts.label_counts[split].get(name, 0), most[split]) for split in splits)] for name in names
    ]
    counts = table([counted, *splits], rows, class_="numbers")
    if len(rows) > LONG_TABLE:
        counts = element("details", element("summary", f"{len(rows)} {counted}s"), counts)
    sizes = ", ".join(f"{split} {count:,}" for split, count in facts.rows.items())
    return section(
        f"Rows and {counted}s", element("p", sizes or "No counts were recorded."), counts if rows else Html("")
    )


def _count_bar(count: int, most: int) -> Html:
    return bar(f"{count:,}", count / most)


def training(facts: RunFacts, size_bytes: int) -> Html:
    """Return speed and cost of the run, and its options. size_bytes: of the model's folder."""
    seconds = facts.seconds or 0.0
    rates = _rates(facts, seconds, size_bytes)
    options = [[name, _plain(value, name) or "-"] for name, value in facts.options.items()]
    table_of_options = table(["option", "value"], options)
    details = element("details", element("summary", f"All {len(options)} options"), table_of_options)
    return section(
        "Training", definitions(rates) or element("p", "No training was recorded."), details if options else Html("")
    )


def _with_rate(count: int | None, seconds: float) -> str:
    if count is None:
        return ""
    return f"{count:,}" + (f", {count / seconds:,.0f} per second" if seconds else "")


def _plain(value: object, option: str = "") -> str:
    """Return a value of JSON for people; nothing for none. option: its name, where it is one."""
    if value is None or value == [] or value == "":
        return ""
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else option_text(option, value)


def _rates(facts: RunFacts, seconds: float, size_bytes: int) -> list[tuple[str, str]]:
    rows, time_s = facts.amount("evaluated_rows"), facts.amount("evaluation_seconds")
    evaluated = f"{rows:,.0f} rows in {duration(time_s)}, {rows / time_s:,.0f} per second" if rows and time_s else ""
    return [
        ("steps", _steps(facts)),
        ("examples", _with_rate(facts.examples, seconds)),
        ("tokens", _with_rate(facts.tokens, seconds)),
        ("padding", "" if facts.padding_share is None else f"{100 * facts.padding_share:.1f} % of all tokens computed"),
        ("utilisation", utilisation(facts.mfu, facts.product_rate) if facts.mfu and facts.product_rate else ""),
        *_times(facts, seconds),
        ("time estimated", duration(facts.estimated_seconds) if facts.estimated_seconds else ""),
        ("evaluation at the end", evaluated),
        ("memory estimated", _gigabytes(facts.estimated_memory_bytes)),
        ("memory at the peak", _gigabytes(facts.amount("peak_memory_bytes"))),
        ("weights", f"{facts.amount('parameters'):,.0f}" if facts.amount("parameters") else ""),
        ("size of the folder", f"{size_bytes / 1e6:,.1f} MB" if size_bytes else ""),
    ]


def _steps(facts: RunFacts) -> str:
    planned = "" if facts.planned_steps is None else f"{facts.planned_steps:,} planned"
    if len(facts.stages) < 2:
        return planned
    return f"{sum(one.steps for one in facts.stages):,} in all" + (
        f", {planned} of the last training" if planned else ""
    )


def _times(facts: RunFacts, seconds: float) -> list[tuple[str, str]]:
    """Return the time of all that was trained, and of each stage where there are several."""
    stages = facts.stages
    whole = sum(one.seconds for one in stages) if stages else seconds
    parts = ", ".join(f"{one.name} {one.seconds:,.1f} s" for one in stages) if len(stages) > 1 else ""
    return [("time in training steps", duration(whole) if whole else ""), ("of which", parts)]


def _gigabytes(size_bytes: float | None) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes else ""


def environment(bundle: Bundle, facts: RunFacts) -> Html:
    """Return versions, machine and seed, and the command that repeats the run."""
    versions = ", ".join(f"{name} {version}" for name, version in facts.versions.items())
    machine = [str(facts.run[name]) for name in ("platform", "processor") if facts.run.get(name)]
    found = repeat(facts, bundle.folder.name)
    again = (
        [element("pre", element("code", found.command)), element("p", "Run it beside the tables.", class_="note")]
        if found.command
        else [element("p", f"The run cannot be repeated by one command: {found.why_not}.", class_="note")]
    )
    return section(
        "Environment, and how to repeat it",
        definitions(
            [
                ("versions", f"FastBert {bundle.version}" + (f", {versions}" if versions else "")),
                ("platform", ", ".join(machine)),
                ("device", facts.runtime),
                ("seed", _plain(facts.options.get("seed"))),
            ]
        ),
        *again,
    )


def footer(facts: RunFacts) -> Html:
    """Return what the page itself is."""
    seed = f"Seed {facts.options['seed']}. " if "seed" in facts.options else ""
    return element("footer", f"{seed}This page loads nothing from elsewhere, and holds no text of a row by default.")
