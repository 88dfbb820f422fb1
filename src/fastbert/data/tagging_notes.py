"""What is noticed while a file of tagged text is read: errors, what was changed, and what was left out.

Nothing is changed or left out without a sentence about it in the report. Knows nothing of formats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fastbert.data.columns import listed
from fastbert.data.examples import TaggedExample
from fastbert.data.row_problems import RowProblems, excerpt
from fastbert.data.rows import MAX_PLACES, Report, SkippedRows
from fastbert.errors import DataError, did_you_mean
from fastbert.labels import Labels

SKIP_HINT = "To leave these out and go on, use `--on-bad-row skip`."


@dataclass(frozen=True)
class ReadOptions:
    """How a file is to be read.

    labels: the known ones, None if they are still to be learned.
    labels_required: False reads texts without tags as texts to predict.
    skip: leave out what cannot be read instead of raising.
    texts_only: tags and spans are not read at all, so that nothing can be wrong with them.
    """

    labels: Labels | None = None
    labels_required: bool = True
    skip: bool = False
    texts_only: bool = False


class _Problem(NamedTuple):
    """What is wrong in a row, and what to do: "" if another problem of the row says so."""

    row: int
    what: str
    hint: str


@dataclass
class TaggingNotes:
    """The notes about one file. unit: what its rows are called ("line", "row")."""

    name: str
    unit: str
    options: ReadOptions
    _bad: list[_Problem] = field(default_factory=list)
    _unknown: list[_Problem] = field(default_factory=list)
    _skipped: dict[str, list[int]] = field(default_factory=dict)
    _changed: dict[str, list[str]] = field(default_factory=dict)
    _said: list[str] = field(default_factory=list)

    def bad(self, row: int, reason: str, hint: str, *, what: str | None = None) -> None:
        """Note that a sentence cannot be read: an error, or one that is left out if the user says so.

        reason: the same words for all of a kind.    what: the single case in words, if that says more.
        """
        self._bad.append(_Problem(row, what or reason, hint))
        self.left_out(row, reason)

    def again(self, row: int, what: str) -> None:
        """Note one more problem of a sentence that is left out already."""
        self._bad.append(_Problem(row, what, ""))

    def left_out(self, row: int, reason: str) -> None:
        """Note that a sentence is rightly left out, such as one that its annotator has rejected."""
        self._skipped.setdefault(reason, []).append(row)

    def changed(self, what: str, place: str) -> None:
        """Note that something was read differently from how it is written, or that an entity was left out."""
        self._changed.setdefault(what, []).append(place)

    def say(self, sentence: str) -> None:
        """Add a sentence to the warnings."""
        self._said.append(sentence)

    def check_label(self, row: int, label: str) -> None:
        """Note a label that is not one of the known ones: always an error."""
        known = self.options.labels
        if known is None or label in known:
            return
        names = ", ".join(known.names[:20]) + (", ..." if len(known) > 20 else "")
        what = f"label {excerpt(label)} is not one of the {len(known)} labels ({names})"
        hint = did_you_mean(label, known) or "Correct it, or train on data that has this label."
        self._unknown.append(_Problem(row, what, hint))

    def at(self, row: int) -> str:
        """Return a place of the file, such as "train.conll, line 7"."""
        return f"{self.name}, {self.unit} {row}"

    def report(self, examples: Sequence[TaggedExample], num_rows: int | None = None) -> Report:
        """Return the report of a file. num_rows: of the file, if an example is not a row.

        Raises DataError if anything noted is an error, or nothing is left.
        """
        if num_rows is None:
            num_rows = len(examples) + sum(map(len, self._skipped.values()))
        if self._unknown:
            raise self._error(self._unknown)
        if self._bad and not self.options.skip:
            # texts are predicted by commands that have no such option
            can_skip = bool(examples) and self.options.labels_required
            raise self._error(self._bad, SKIP_HINT if can_skip else "")
        skipped = tuple(SkippedRows(why, len(rows), tuple(rows[:MAX_PLACES])) for why, rows in self._skipped.items())
        if not examples:
            why = f": {'; '.join(group.describe() for group in skipped)}" if skipped else ""
            raise DataError(
                f"{self.name}: none of the {num_rows:,} texts can be used{why}."
                if num_rows
                else f"{self.name} holds no text.",
                next((problem.hint for problem in self._bad), "") or "Check that it is the file you meant.",
            )
        changed = (_sentence(self.name, what, places) for what, places in self._changed.items())
        return Report(self.name, num_rows, skipped, (*self._said, *changed, *self._unused(examples)))

    def _error(self, noted: Sequence[_Problem], more: str = "") -> DataError:
        """Return the error that lists problems in the order of the file."""
        ordered = sorted(noted, key=lambda problem: problem.row)
        problems = RowProblems(self.name, unit=self.unit)
        for problem in ordered:
            problems.add(problem.row, problem.what)
        hint = next(problem.hint for problem in ordered if problem.hint)
        return problems.error(f"{hint} {more}".strip())

    def _unused(self, examples: Sequence[TaggedExample]) -> tuple[str, ...]:
        if all(example.entities is None for example in examples):
            return ()
        used = {entity.label for example in examples for entity in example.entities or ()}
        if not used:
            return (f"No text of {self.name} has an entity.",)
        unused = [label for label in self.options.labels or () if label not in used]
        if not unused:
            return ()
        noun = "label" if len(unused) == 1 else "labels"
        return (f"No text of {self.name} has the {noun} {listed(unused)}: nothing is learned or measured there.",)


def _sentence(name: str, what: str, places: Sequence[str]) -> str:
    times = "once" if len(places) == 1 else f"{len(places):,} times"
    more = "; ..." if len(places) > MAX_PLACES else ""
    return f"{name}: {what}, {times} ({'; '.join(places[:MAX_PLACES])}{more})."
