"""ROUGE: how much of a reference summary a summary holds, in words, pairs of words and words in order.

C.-Y. Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004. Words are runs of letters with their marks
and of digits, in small letters; they are not stemmed, and no word is left out. On English text the values are those of
the package `rouge-score` without its stemmer. Where words have no blanks between them (Chinese, Japanese, Thai) they
mean little. Knows nothing of how summaries are made.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

ROUGE = ("rouge1", "rouge2", "rougeL")


def rouge(summary: str, reference: str) -> dict[str, float]:
    """Return the F-measures of ROUGE-1, ROUGE-2 and ROUGE-L, in [0, 1].

    >>> rouge("The cat sat.", "the cat slept")
    {'rouge1': 0.6666666666666666, 'rouge2': 0.5, 'rougeL': 0.6666666666666666}
    """
    found, wanted = words_of(summary), words_of(reference)
    return {"rouge1": rouge_n(found, wanted, 1), "rouge2": rouge_n(found, wanted, 2), "rougeL": rouge_l(found, wanted)}


def mean_rouge(summaries: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Return the mean of each measure over texts. Raises ValueError if there are none, or not as many references."""
    if not summaries:
        raise ValueError("ROUGE of no texts is not defined")
    scores = [rouge(summary, reference) for summary, reference in zip(summaries, references, strict=True)]
    return {name: sum(values[name] for values in scores) / len(scores) for name in ROUGE}


def words_of(text: str) -> list[str]:
    """Return the words of a text: runs of letters, of the marks on these, and of digits, in small letters."""
    composed = unicodedata.normalize("NFC", text.lower())
    return "".join(sign if sign.isalnum() or _is_mark(sign) else " " for sign in composed).split()


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign).startswith("M")  # as the vowels of Hindi, or accents that were not composed


def rouge_n(found: Sequence[str], wanted: Sequence[str], length: int) -> float:
    """Return the F-measure of the runs of `length` words that both have, each as often as both have it (section 2)."""
    first, second = _runs(found, length), _runs(wanted, length)
    return _f_measure((first & second).total(), first.total(), second.total())


def rouge_l(found: Sequence[str], wanted: Sequence[str]) -> float:
    """Return the F-measure of the longest common subsequence, the whole text as one sentence (section 3.1)."""
    return _f_measure(_longest_common(found, wanted), len(found), len(wanted))


def _f_measure(common: int, found: int, wanted: int) -> float:
    """Return the harmonic mean of precision and recall, which Lin calls beta = 1; 0 where nothing is common."""
    return 2 * common / (found + wanted) if common else 0.0


def _runs(words: Sequence[str], length: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[start : start + length]) for start in range(len(words) - length + 1))


def _longest_common(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest common subsequence, by dynamic programming over one row."""
    row = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for at, other in enumerate(second, start=1):
            above = row[at]
            row[at] = diagonal + 1 if word == other else max(above, row[at - 1])
            diagonal = above
    return row[-1]
