"""From a table to the best model that a search finds: what `fastbert tune` and `fastbert.tune` both run.

Knows nothing of terminals: plan and trials go to the listeners it is given.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from fastbert.config import split_options, take_decisions
from fastbert.data.databunch import normalize_options
from fastbert.data.sources import Source
from fastbert.display import View, number
from fastbert.errors import ConfigError
from fastbert.tuning.final import finish
from fastbert.tuning.result import TuneResult, show_options
from fastbert.tuning.search import Search
from fastbert.tuning.settings import SETTINGS, Settings
from fastbert.tuning.setup import Prepared, Tables, prepare
from fastbert.tuning.space import Scalar
from fastbert.tuning.study import Record, Trials, open_storage, quiet


@dataclass(frozen=True)
class Listeners:
    """Who is told: the plan before the search begins, and a line on each trial when it has ended."""

    on_view: Callable[[View], None] = lambda view: None
    on_trial: Callable[[str], None] = lambda line: None


def tune(
    table: Source,
    *,
    valid: Source | None = None,
    test: Source | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: bool = True,
    **options: object,
) -> TuneResult:
    """Search for the options that make the best model of a table; save that model.

    The first trial has the defaults. The winner is the best trial on the validation rows, or the defaults where its
    gain may be chance. The test rows are answered once, when the search is over, by the model of the winner alone.

    out: folder of the model, the search is kept beside it; without it in the temporary files.
    progress: show the plan and a line a trial on standard error.
    options: of the search (`Settings`: trials, timeout="20m", storage, study, space, splits, max_latency="20ms",
        backend), and fields of DataConfig, TrainConfig and DecisionConfig, which are not searched then. encoder may
        be a list.
    Raises UsageError for wrong options or bad input before any work.

    >>> found = fastbert.tune("feedback.csv", timeout="20m", out="model/")     # doctest: +SKIP
    >>> found.choice.winner.options, found.bundle.folder                       # doctest: +SKIP
    """
    folder = (
        Path(out) if out is not None else Path(tempfile.gettempdir()) / f"fastbert-{uuid.uuid4().hex[:12]}" / "model"
    )
    console = Console(stderr=True)
    listeners = Listeners(
        lambda view: console.print(view, highlight=False, markup=False),
        lambda line: console.print(line, highlight=False, markup=False),
    )
    prepared = prepare_search(Tables(table, valid, test), folder, options, overwrite=overwrite)
    return run_search(prepared, listeners if progress else Listeners())


def prepare_search(
    tables: Tables, out: str | Path, options: Mapping[str, object], *, overwrite: bool = False
) -> Prepared:
    """Read and check everything; nothing is written. options: of search, data, training and decision, by name."""
    given = dict(options)
    settings = Settings.of({name: given.pop(name) for name in SETTINGS if name in given})
    encoders = _encoders(given)
    deciding, others = take_decisions(normalize_options(given))
    chosen = (*split_options(others), deciding)
    with quiet():
        return prepare(tables, out, settings, chosen, encoders=encoders, fixed=tuple(given), overwrite=overwrite)


def run_search(prepared: Prepared, listeners: Listeners | None = None, *, restart: bool = False) -> TuneResult:
    """Run a search, or go on with it, and write the model of its winner. restart: delete what there is of it first."""
    told = listeners or Listeners()
    with quiet():
        if restart:
            _delete(prepared)
        search = Search(prepared, lambda record, best: told.on_trial(trial_line(record, best, prepared.usual)))
        told.on_view(prepared.view())
        return finish(search, search.run())


def trial_line(record: Record, best: Record | None, usual: Mapping[str, Scalar]) -> str:
    """Return one line about a trial. best: of all so far.    usual: the options without a search."""
    score = "-" if record.value is None else number(record.value)
    latency = "" if record.latency_s is None else f"  {1000 * record.latency_s[1]:.1f} ms"
    state = {"complete": "", "pruned": "  ended early"}.get(record.state, f"  {record.state}")
    note = f": {record.note}" if record.note else ""
    mark = "" if best is None else "  best" if best.number == record.number else f"  best {number(best.value)}"
    changed = {name: value for name, value in record.options.items() if usual.get(name) != value}
    what = "the defaults" if record.first else show_options(changed)
    return f"trial {record.number:3d}  {score}{latency}  {record.seconds:.0f} s{mark}{state}{note}  {what}"


def _delete(prepared: Prepared) -> None:
    """Delete the study and what is kept of it."""
    if prepared.settings.storage is not None:
        storage = open_storage(prepared.storage)
        Trials(storage, prepared.study, prepared.space, 0, latency=False).delete()
    prepared.place.clear()


def _encoders(given: dict[str, object]) -> Sequence[str]:
    """Take a list of encoders out of the options; the first of them stays. Raises ConfigError for an empty one."""
    asked = given.get("encoder")
    if not isinstance(asked, list | tuple):
        return ()
    if not asked:
        raise ConfigError("encoder is an empty list.", "Name at least one, or leave it out.")
    given["encoder"] = asked[0]
    return tuple(dict.fromkeys(map(str, asked)))
