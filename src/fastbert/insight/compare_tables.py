"""From bundles and tables to a comparison: what `fastbert compare` runs.

Opens everything and checks all options before the first answer is made. Knows nothing of terminals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fastbert.config import DataConfig, DecisionConfig
from fastbert.data.sources import Source
from fastbert.data.splits import split_indices, text_key
from fastbert.errors import ConfigError
from fastbert.inference.predictor import Predictor
from fastbert.insight.baselines import Rows, check_kinds, fit_baseline, kinds_for
from fastbert.insight.compare import Comparison, check_reference, compare
from fastbert.insight.contestants import Contestant, Ring, common_ring, contestants_of, shared_aim, unique_names
from fastbert.insight.cost import Cost, measure_costs
from fastbert.insight.linear import Embed
from fastbert.tasks.base import Example, Prediction, Task


@dataclass(frozen=True)
class BaselineOptions:
    """Which baselines are fitted, and on what. train: labelled rows; None: no baselines.

    valid: rows on which strength and threshold are chosen; None: a tenth of train is held out.
    names: of baselines; () means all that the task has.    encoder: whose vectors "embeddings" takes.
    """

    train: Source | None = None
    valid: Source | None = None
    names: tuple[str, ...] = ()
    encoder: str = "minilm"
    seed: int = 42

    def __post_init__(self) -> None:
        if self.train is None and (self.names or self.valid is not None):
            given = "--baselines" if self.names else "--valid"
            raise ConfigError(f"{given} is given, but no rows to fit on.", "Name a labelled table with --train.")


@dataclass(frozen=True)
class Compared:
    """A comparison with what it was made from. answers: of each model, a prediction a row.

    whole: the same before any answer was held back.
    """

    comparison: Comparison
    costs: tuple[Cost, ...]
    task: Task
    examples: Sequence[Example]
    answers: dict[str, list[Prediction]] = field(repr=False)
    whole: dict[str, list[Prediction]] = field(repr=False)

    def to_json(self) -> dict[str, object]:
        """Return what `fastbert compare --json` prints."""
        return {**self.comparison.to_json(), "cost": [one.to_json() for one in self.costs]}


def compare_tables(
    folders: Sequence[Path],
    table: Source,
    config: DataConfig,
    *,
    backend: str = "auto",
    baselines: BaselineOptions | None = None,
    against: str | None = None,
    on_note: Callable[[str], None] = lambda note: None,
) -> Compared:
    """Compare bundles, and baselines if there are rows to fit them on, on a labelled table.

    on_note: is told what is being done, where that takes a while.
    Raises ConfigError for options or bundles that do not fit together, BundleError and DataError as `evaluate` does.
    """
    options = baselines or BaselineOptions()
    if len(folders) + (options.train is not None) < 2:
        raise ConfigError(
            "There is only one model and nothing to compare it with.",
            "Name another bundle, or labelled rows for baselines with --train.",
        )
    unique_names(folders)  # a folder that is given twice is refused before any is opened
    predictors = [Predictor.load(folder, backend) for folder in folders]
    wanted = _wanted(options, predictors[0].task)
    names = unique_names(folders, wanted)
    ring = common_ring(predictors, names, table, config)
    contestants = contestants_of(predictors, names, ring.task)
    if against is not None:
        check_reference(against, [*names, *wanted])
    fitted, notes = _fitted(options, wanted, ring, shared_aim(predictors, names), on_note)
    contestants += fitted
    answers, whole = {}, {}
    for one in contestants:
        on_note(f"{one.name} answers {len(ring.examples):,} rows")
        answers[one.name] = one.answer(ring.examples)
        whole[one.name] = one.whole(ring.examples, answers[one.name])
    comparison = compare(ring.task, ring.examples, answers, whole=whole, against=against, seed=options.seed)
    comparison = replace(comparison, notes=(*ring.notes, *notes, *comparison.notes))
    on_note("measuring what an answer costs")
    costs = tuple(measure_costs(contestants, ring.examples))
    return Compared(comparison, costs, ring.task, ring.examples, answers, whole)


def _wanted(options: BaselineOptions, task: Task) -> tuple[str, ...]:
    """Return the baselines that are asked for."""
    if options.train is None:
        return ()
    check_kinds(options.names, task)
    wanted = options.names or kinds_for(task)
    if not wanted:
        raise ConfigError(f"There is no baseline for the task {task.name}.", "Leave out --train, and name two bundles.")
    return tuple(dict.fromkeys(wanted))


def _fitted(
    options: BaselineOptions,
    names: Sequence[str],
    ring: Ring,
    aim: tuple[DecisionConfig, str],
    on_note: Callable[[str], None],
) -> tuple[list[Contestant], list[str]]:
    """Return baselines, and what is to be said of them. aim: as of `shared_aim`."""
    if options.train is None:
        return [], []
    rows, notes = _rows(options, ring)
    rows = replace(rows, deciding=aim[0])
    notes += [aim[1]] if aim[1] else []
    embed = _embedder(options.encoder) if "embeddings" in names else None
    found = []
    for name in names:
        on_note(f"fitting the baseline {name} on {len(rows.train):,} rows")
        one = fit_baseline(name, ring.task, rows, embed=embed, seed=options.seed)
        about = one.title if one.strength is None else f"{one.title}, strength {one.strength:g}"
        if one.trained_rows < one.of_rows:
            about += f", fitted on {one.trained_rows:,} of {one.of_rows:,} rows"
        notes.append(f"{name}: {about}; {one.seconds:.1f} s.")
        found.append(Contestant(name, one.answer, about, num_parameters=one.num_parameters))
    return found, notes


def _rows(options: BaselineOptions, ring: Ring) -> tuple[Rows, list[str]]:
    """Return rows to fit on and rows to choose by, and whether the compared rows are among them."""
    assert options.train is not None
    train = ring.read(options.train)
    if options.valid is not None:
        rows = Rows(train, ring.read(options.valid))
    else:
        kept, held = split_indices(
            ring.task.strata(train),
            share=DataConfig().valid_share,
            seed=options.seed,
            keys=[text_key(example.text, example.pair) for example in train],
        )
        rows = Rows([train[index] for index in kept], [train[index] for index in held])
    seen = {text_key(example.text, example.pair) for example in (*rows.train, *rows.held_out)}
    again = sum(text_key(example.text, example.pair) in seen for example in ring.examples)
    if not again:
        return rows, []
    have = "has a text" if again == 1 else "have texts"
    return rows, [
        f"{again:,} of the {len(ring.examples):,} compared rows {have} that the baselines were fitted on: there, "
        "scores tell memory and not skill."
    ]


def _embedder(encoder: str) -> Embed:
    """Return a function that embeds texts."""
    from fastbert.inference.embedder import Embedder

    return Embedder.open(encoder, precision="auto")
