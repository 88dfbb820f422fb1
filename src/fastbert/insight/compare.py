"""Two or more models on the same labelled rows: their scores, the differences, and whether chance explains them.

One model is the reference; every other one is held against it. Everything is paired: both answer the same rows, and
both are scored on the same draws of rows; rows of one group, or with one text, are drawn together. What is compared
are answers; where they come from is not known here.

Axes: D draws, N rows, C labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fastbert.data.splits import example_units
from fastbert.errors import ConfigError, did_you_mean
from fastbert.insight.resampling import Resampled, resampled
from fastbert.metrics.draws import draw_counts
from fastbert.metrics.names import LOWER_IS_BETTER
from fastbert.metrics.paired import Difference, Interval, McNemar, difference, holm, interval, mcnemar
from fastbert.tasks.base import Example, Prediction, Task
from fastbert.tasks.regression import SAME, Regression

Floats = NDArray[np.float64]
Answers = Mapping[str, Sequence[Prediction]]  # of each model by its name, a prediction a row
Rows = tuple[int, ...]

DRAWS, FEWEST_DRAWS = 2000, 200
DRAWN_ROWS = 20_000_000  # of all draws together: 2,000 draws of 10,000 rows
COVERAGE = "coverage"  # the score that a task has where rows are not answered
RANKED_CELLS = 100_000_000  # of draws times rows times labels, for scores of the order of rows


@dataclass(frozen=True)
class Standing:
    """One model's scores. intervals: of the headline scores.    per_label: as `Task.score_labels` gives them."""

    name: str
    scores: Mapping[str, float]
    intervals: Mapping[str, Interval]
    per_label: Mapping[str, Mapping[str, float | int | None]]
    right: int
    partly: int

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "name": self.name,
            "scores": dict(self.scores),
            "intervals": {name: one.to_json() for name, one in self.intervals.items()},
            "per_label": {name: dict(scores) for name, scores in self.per_label.items()},
            "rows_right": self.right,
            "rows_partly_right": self.partly,
        }


@dataclass(frozen=True)
class Duel:
    """One model against the reference; differences are its scores minus those of the reference.

    score: the one that decides, "" where none is defined.    labels: differences of F1.
    won, lost: indices of the rows that it alone has right, or the reference alone; for numbers, where it is nearer, or
        the reference is, by more than a tenth of a deviation.
    test: McNemar's, None for numbers.    p_value: of the test, corrected for the number of duels (Holm 1979).
    """

    name: str
    against: str
    score: str
    differences: Mapping[str, Difference]
    labels: Mapping[str, Difference]
    won: Rows
    lost: Rows
    test: McNemar | None = None
    p_value: float | None = None
    verdict: str = ""

    @property
    def deciding(self) -> Difference | None:
        """Return the difference of the score that decides."""
        return self.differences.get(self.score)

    def to_json(self) -> dict[str, object]:
        """Return plain values; rows are counted from 0."""
        test = self.test
        return {
            "name": self.name,
            "against": self.against,
            "verdict": self.verdict,
            "score": self.score,
            "differences": {name: one.to_json() for name, one in self.differences.items()},
            "per_label_f1": {name: one.to_json() for name, one in self.labels.items()},
            "rows_won": len(self.won),
            "rows_lost": len(self.lost),
            "mcnemar": None
            if test is None
            else {"p_value": test.p_value, "p_value_corrected": self.p_value, "method": test.method},
        }


@dataclass(frozen=True)
class Comparison:
    """All of it. against: the reference.    draws: of the bootstrap; ranking_draws: for scores of the order of rows.

    coverage: share of the rows that are answered, of each model that leaves some unanswered.
    """

    task: str
    rows: int
    against: str
    standings: tuple[Standing, ...]
    duels: tuple[Duel, ...]
    draws: int
    ranking_draws: int
    headlines: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
    coverage: Mapping[str, float] = field(default_factory=dict)

    @property
    def basis(self) -> str:
        """Return which rows and decisions are compared where a model leaves rows unanswered, "" where none does."""
        if not self.coverage:
            return ""
        shares = ", ".join(f"{name} {share:.1%}" for name, share in self.coverage.items())
        return (
            f"Scores are of the rows that a model answers ({shares}), F1 of a label is of all. Differences, rows won "
            "and lost, and outcomes are of all rows, by what each model decides before it holds an answer back."
        )

    def to_json(self) -> dict[str, object]:
        """Return what `fastbert compare --json` prints, without the cost."""
        return {
            "task": self.task,
            "rows": self.rows,
            "against": self.against,
            "models": [one.to_json() for one in self.standings],
            "comparisons": [one.to_json() for one in self.duels],
            "draws": self.draws,
            "notes": [*self.notes, *([self.basis] if self.basis else [])],
        }


def compare(
    task: Task,
    examples: Sequence[Example],
    answers: Answers,
    *,
    whole: Answers | None = None,
    against: str | None = None,
    seed: int = 0,
) -> Comparison:
    """Return how models compare on rows whose truth is known.

    answers: of each model by name, in the order in which they are shown.    against: the reference; None: the first.
    whole: of each model that leaves rows unanswered, what it decides before it holds an answer back
    (`Task.open_rule`). By these models are held against each other: what one holds back are the rows that it finds
    hard, and on the others it would win against its equal.
    Raises ConfigError for a reference that is no model, and where `whole` lacks a model that leaves rows unanswered.
    """
    reference = next(iter(answers)) if against is None else against
    check_reference(reference, list(answers))
    drawn = draw_scores(task, examples, answers, seed)
    scores = {name: task.score(said, examples) for name, said in answers.items()}
    standings = tuple(_standing(task, examples, name, answers[name], scores[name], drawn) for name in answers)
    coverage = {name: found[COVERAGE] for name, found in scores.items() if COVERAGE in found}
    decided = {name: _decided(name, said, coverage, whole or {}) for name, said in answers.items()}
    drawn = draw_scores(task, examples, decided, seed) if coverage else drawn
    duels = [
        _duel(task, examples, decided, drawn, (reference, name), apart_at=1 - 0.05 / (len(answers) - 1))
        for name in answers
        if name != reference
    ]
    corrected = iter(holm([duel.test.p_value for duel in duels if duel.test is not None]))
    duels = [_settled(duel, None if duel.test is None else next(corrected), len(examples)) for duel in duels]
    return Comparison(
        task.name,
        len(examples),
        reference,
        standings,
        tuple(duels),
        *drawn.sizes,
        tuple(name for name in task.headlines if any(name in found for found in scores.values())),
        _units_note(examples),
        coverage,
    )


def _decided(
    name: str, said: Sequence[Prediction], coverage: Mapping[str, float], whole: Answers
) -> Sequence[Prediction]:
    """Return what a model decides before it holds an answer back."""
    if name not in coverage:
        return said
    if name not in whole:
        raise ConfigError(
            f"{name} answers {coverage[name]:.1%} of the rows, and what it decides of the others is not given.",
            "Give it as whole: the answers of model.with_decisions(model.task.open_rule(model.bundle.decisions)).",
        )
    return whole[name]


def check_reference(name: str, known: Sequence[str]) -> None:
    """Raise ConfigError for a reference that is no model."""
    if name not in known:
        raise ConfigError(
            f"There is no model '{name}' to compare against.",
            did_you_mean(name, known) or f"There are {', '.join(known)}.",
        )


@dataclass(frozen=True)
class DrawnScores:
    """Scores over the same draws for each model. scores: by model and name, (D,).    labels: F1, (D, C).

    sizes: draws of cheap scores, and of those of the order of rows.
    """

    scores: Mapping[str, Mapping[str, Floats]]
    labels: Mapping[str, Floats]
    label_names: tuple[str, ...]
    sizes: tuple[int, int]


def draw_scores(task: Task, examples: Sequence[Example], answers: Answers, seed: int = 0) -> DrawnScores:
    """Return the scores of the same draws of rows for each model; nothing for a task that cannot be redrawn."""
    found = {name: resampled(task, said, examples) for name, said in answers.items()}
    known: dict[str, Resampled] = {name: one for name, one in found.items() if one is not None}
    labels = () if task.known_labels is None else task.known_labels.names
    rows, units_N = max(1, len(examples)), _units(examples)
    draws = min(DRAWS, max(FEWEST_DRAWS, DRAWN_ROWS // rows)) if known else 0
    ranked = min(draws, max(FEWEST_DRAWS, RANKED_CELLS // (rows * max(1, len(labels)))))
    scores: dict[str, dict[str, list[Floats]]] = {name: {} for name in answers}
    per_label: dict[str, list[Floats]] = {name: [] for name in answers}
    done = 0
    for counts_DN in draw_counts(rows, draws, seed, units_N=units_N):
        for name, one in known.items():
            values = one.scores(counts_DN)
            left = counts_DN[: max(0, ranked - done)]
            values |= one.ranking_scores(left) if len(left) else {}
            for score, values_D in values.items():
                scores[name].setdefault(score, []).append(values_D)
            f1_DC = one.label_f1(counts_DN)
            per_label[name] += [] if f1_DC is None else [f1_DC]
        done += len(counts_DN)
    return DrawnScores(
        {name: {score: np.concatenate(parts) for score, parts in one.items()} for name, one in scores.items()},
        {name: np.concatenate(parts) for name, parts in per_label.items() if parts},
        labels,
        (draws, ranked),
    )


def _units(examples: Sequence[Example]) -> NDArray[np.int64] | None:
    """Return the unit of each row, None where every row is one, or all are of one: of that no other can be drawn."""
    units_N = example_units(examples)
    return units_N if 1 < len(set(units_N.tolist())) < len(examples) else None


def _units_note(examples: Sequence[Example]) -> tuple[str, ...]:
    units_N = _units(examples)
    if units_N is None:
        return ()
    return (
        f"The {len(examples):,} rows are {units_N.max() + 1:,} units: those with a group or a text in common are drawn "
        "together for intervals. McNemar's test takes rows as independent, and is too sure here.",
    )


def _standing(
    task: Task,
    examples: Sequence[Example],
    name: str,
    said: Sequence[Prediction],
    scores: Mapping[str, float],
    drawn: DrawnScores,
) -> Standing:
    marks = [task.agreement(prediction, example) for prediction, example in zip(said, examples, strict=True)]
    intervals = {
        score: interval(scores[score], values_D) for score, values_D in drawn.scores[name].items() if score in scores
    }
    per_label = task.score_labels(said, examples)
    return Standing(name, scores, intervals, per_label, marks.count("right"), marks.count("partly"))


def _duel(
    task: Task,
    examples: Sequence[Example],
    answers: Answers,
    drawn: DrawnScores,
    names: tuple[str, str],
    *,
    apart_at: float,
) -> Duel:
    first, second = (answers[name] for name in names)
    differences = score_differences(task, examples, (first, second), (drawn, names), apart_at)
    won, lost = _won_and_lost(task, examples, first, second)
    ranking = task.ranking(task.score(first, examples))
    return Duel(
        names[1],
        names[0],
        "" if ranking is None else ranking[0],
        differences,
        _label_differences(task, examples, (first, second), (drawn, names)),
        won,
        lost,
        None if isinstance(task, Regression) else mcnemar(len(won), len(lost)),
    )


def score_differences(
    task: Task,
    examples: Sequence[Example],
    said: tuple[Sequence[Prediction], Sequence[Prediction]],
    drawn: tuple[DrawnScores, tuple[str, str]],
    apart_at: float = 0.95,
) -> dict[str, Difference]:
    """Return the differences, second minus first, of the scores that draws are known of.

    For a task without draws that of the score that decides, with the standard error of `Task.score_error`.
    """
    scores = [task.score(one, examples) for one in said]
    first, second = (drawn[0].scores[name] for name in drawn[1])
    found = {
        name: difference(
            scores[1][name] - scores[0][name],
            first[name],
            second[name],
            lower_is_better=name in LOWER_IS_BETTER,
            apart_at=apart_at,
        )
        for name in first
        if name in second and name in scores[0] and name in scores[1]
    }
    ranked = [task.ranking(one) for one in scores]
    if not found and ranked[0] is not None and ranked[1] is not None and ranked[0][0] == ranked[1][0]:
        name = ranked[0][0]
        error = task.score_error(said[1], examples, said[0])
        normal_D = np.random.default_rng(0).normal(scores[1][name] - scores[0][name], error, DRAWS)
        lower = name in LOWER_IS_BETTER
        found[name] = difference(
            scores[1][name] - scores[0][name], np.zeros(DRAWS), normal_D, lower_is_better=lower, apart_at=apart_at
        )
    return found


def _label_differences(
    task: Task,
    examples: Sequence[Example],
    said: tuple[Sequence[Prediction], Sequence[Prediction]],
    drawn: tuple[DrawnScores, tuple[str, str]],
) -> dict[str, Difference]:
    scores, (known, names) = [task.score_labels(one, examples) for one in said], drawn
    if any(name not in known.labels for name in names):
        return {}
    found = {}
    for column, label in enumerate(known.label_names):
        first, second = ((one.get(label, {}).get("f1") or 0.0) for one in scores)
        draws = (known.labels[name][:, column] for name in names)
        found[label] = difference(float(second) - float(first), *draws)
    return found


def _won_and_lost(
    task: Task, examples: Sequence[Example], first: Sequence[Prediction], second: Sequence[Prediction]
) -> tuple[Rows, Rows]:
    """Return the rows that only the second, and only the first has right."""
    won, lost = [], []
    for row, (one, other, example) in enumerate(zip(first, second, examples, strict=True)):
        if isinstance(task, Regression):
            gain = task.row_loss(one, example) - task.row_loss(other, example)
            better, worse = gain > SAME, gain < -SAME
        else:
            right = [task.agreement(said, example) == "right" for said in (one, other)]
            better, worse = right[1] and not right[0], right[0] and not right[1]
        won += [row] if better else []
        lost += [row] if worse else []
    return tuple(won), tuple(lost)


def _settled(duel: Duel, p_value: float | None, num_rows: int) -> Duel:
    return replace(duel, p_value=p_value, verdict=verdict(duel, num_rows))


def verdict(duel: Duel, num_rows: int) -> str:
    """Return the outcome of a duel in one careful sentence."""
    found, rows = duel.deciding, f"{num_rows:,} rows"
    if found is None or not np.isfinite(found.low):
        return f"{duel.name} and {duel.against} cannot be compared on these {rows}: no score is defined for both."
    spread = f"{found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}] in {duel.score}"
    if not found.told_apart:
        return f"{duel.name} cannot be told apart from {duel.against} on these {rows}: {spread}."
    better = found.better > 0.5
    return f"{duel.name} is {'better' if better else 'worse'} than {duel.against} on these {rows}: {spread}."
