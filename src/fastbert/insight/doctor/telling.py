"""Words that tell a label nearly alone: a sign that the label was written into the text, or taken from it.

Each word is held against the other rows with a likelihood ratio and a threshold that is corrected for the number of
words. Knows nothing of encoders: a word is what stands between blanks and signs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastbert.insight.doctor.chance import likelihood_z, one_sided_z, wilson_low
from fastbert.insight.doctor.findings import Finding, FlaggedRow, Severity, percent
from fastbert.insight.doctor.labels import fold_label
from fastbert.insight.doctor.material import Material, Part

# Choices of ours, tuned on CoLA, TREC, SST-2, IMDb, GoEmotions and the Jigsaw sample, where good words stay silent.
LEVEL = 0.001  # of error over all words and labels together
MIN_ROWS = 15  # that hold a word
PRECISION_LOW = 0.95  # lower end of the 95 % interval of the share of its rows that have the label
COVERAGE = 0.2  # of the rows of the label, that hold it
NAME_COVERAGE, NAME_PRECISION = 0.05, 0.8  # of a word that is the label's own name, or stands in brackets
MOST_COMMON = 0.8  # share of the rows: no word can tell a label that nearly all rows have
EXAMPLES = 20  # rows named for each word
MOST_WORDS = 15
WORD = re.compile(r"\[[^\[\]\s]{1,30}\]|[#@]?\w+(?:['’]\w+)?")


@dataclass(frozen=True)
class TellingWord:
    """A word and what it tells. rows: of train that hold it.    hits: of these, that have the label.

    total: rows of the label.    marked: the word is the label's name, or in brackets or with # or @.
    """

    word: str
    label: str
    rows: int
    hits: int
    total: int
    z: float
    marked: bool

    @property
    def precision(self) -> float:
        """Return the share of its rows that have the label."""
        return self.hits / self.rows

    @property
    def coverage(self) -> float:
        """Return the share of the label's rows that hold it."""
        return self.hits / self.total


def telling_findings(material: Material) -> list[Finding]:
    """Return the words of train that nearly determine a label; for tasks with labels of rows."""
    if material.task not in ("single_label", "multi_label"):
        return []
    part = material.parts["train"]
    words = [frozenset(words_of(example.text, example.pair)) for example in part.examples]
    labels = [frozenset(material.truth(example)) for example in part.examples]
    found = telling_words(words, labels)
    return [
        _about(part, words, kind, [one for one in found if one.marked == (kind == "label_in_text")])
        for kind in _KINDS
        if any(one.marked == (kind == "label_in_text") for one in found)
    ]


_KINDS: dict[str, tuple[Severity, str, str]] = {
    "label_in_text": (
        "look",
        "Words that are a label's name or a mark tell the label",
        "If they were put there with the label, the model learns the mark and fails where it is missing: strip it.",
    ),
    "telling_word": (
        "note",
        "Words tell a label nearly alone",
        "Check that they do so in later texts, too, and do not come from how the rows were collected.",
    ),
}


def _about(part: Part, words: Sequence[frozenset[str]], kind: str, found: Sequence[TellingWord]) -> Finding:
    severity, what, advice = _KINDS[kind]
    shown = "; ".join(
        f"'{one.word}' is '{one.label}' in {percent(one.precision)} of {one.rows:,} rows" for one in found[:3]
    )
    flagged: list[FlaggedRow] = []
    for one in found[:MOST_WORDS]:
        holders = [index for index, row in enumerate(words) if one.word in row]
        flagged += [part.flag(index, f"'{one.word}' tells '{one.label}'") for index in holders[:EXAMPLES]]
    return Finding(
        kind,
        severity,
        f"{what}: {shown}{f' and {len(found) - 3} more' if len(found) > 3 else ''}.",
        advice,
        flagged,
        headers=("word", "label", "rows", "precision", "coverage", "z"),
        table=tuple(map(_cells, found[:MOST_WORDS])),
    )


def _cells(one: TellingWord) -> tuple[str, ...]:
    shares = (percent(one.precision), percent(one.coverage))
    return (one.word, one.label, f"{one.rows:,}", *shares, f"{one.z:.1f}")


def words_of(text: str, pair: str | None = None) -> Iterator[str]:
    """Yield the words of a text, case folded; marks such as [BUG], #sale and @name stay whole.

    >>> list(words_of("[BUG] The app's #1"))
    ['[bug]', 'the', "app's", '#1']
    """
    for match in WORD.finditer(text.casefold()):
        yield match[0]
    if pair is not None:
        yield from words_of(pair)


def telling_words(words: Sequence[frozenset[str]], labels: Sequence[frozenset[str]]) -> list[TellingWord]:
    """Return the words that nearly determine a label, by falling coverage.

    words, labels: of each row. A word counts once a row.
    """
    rows_of: Counter[str] = Counter(word for row in words for word in row)
    frequent = {word for word, count in rows_of.items() if count >= MIN_ROWS}
    totals: Counter[str] = Counter(label for row in labels for label in row)
    hits: Counter[tuple[str, str]] = Counter(
        (word, label) for row, own in zip(words, labels, strict=True) for word in row & frequent for label in own
    )
    least_z = one_sided_z(LEVEL / max(len(frequent) * len(totals), 1))
    found = []
    for (word, label), count in hits.items():
        rows, total = rows_of[word], totals[label]
        if total > MOST_COMMON * len(words):
            continue
        marked = _is_mark(word, label)
        if marked:
            telling = count >= NAME_PRECISION * rows and count >= NAME_COVERAGE * total
        else:
            telling = count >= COVERAGE * total and wilson_low(count, rows) >= PRECISION_LOW
        if not telling:
            continue
        z = likelihood_z(count, total, rows - count, len(words) - total)
        if z >= least_z:
            found.append(TellingWord(word, label, rows, count, total, z, marked))
    return sorted(found, key=lambda one: (-one.coverage, -one.z, one.word))


def _is_mark(word: str, label: str) -> bool:
    name = fold_label(word.strip("[]#@"))
    return word[0] in "[#@" or (len(name) > 1 and not name.isdigit() and name == fold_label(label))
