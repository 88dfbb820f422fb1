"""An explanation as lines for a terminal: the text with marks, the words that count most, the check, training rows.

Readable without colour: a word carries + or - signs, one to three by the size of its value. Colour is added for a
terminal that has it. Nothing is printed here.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from fastbert.display import Block, shorten
from fastbert.insight.explanation import METHODS, Attribution, Explanation, Neighbour

MOST_WORDS = 12  # in the table; the marks in the text show all
WIDTH = 100
BAR = 20  # blocks of the largest value
LEVELS = (0.1, 0.35, 0.7)  # shares of the largest value from which a word has one, two, three signs
UNITS: Mapping[str, str] = {"log-odds": "log-odds", "value": "", "logits": "logits"}
_FOR, _AGAINST, _PLAIN = "\x1b[1;34m", "\x1b[1;33m", "\x1b[0m"  # told apart by all eyes: blue and yellow


def explanation_text(explanation: Explanation, *, colour: bool = False) -> str:
    """Return an explanation as lines. colour: with escape sequences of a terminal."""
    parts = [f"answer: {explanation.prediction.describe() or '(none)'}"]
    if not explanation.attributions:
        parts.append(nothing_to_explain(explanation))
    for one in explanation.attributions:
        parts.append(_attribution(explanation, one, colour=colour))
    parts += [_rows("nearest training rows", explanation.similar), _rows("nearest of another truth", explanation.other)]
    return "\n\n".join(part for part in parts if part)


def nothing_to_explain(explanation: Explanation) -> str:
    """Return why there is no attribution."""
    return "There is nothing to explain: no entity was found, or no answer has a place in what was read."


def headline(one: Attribution) -> str:
    """Return what is explained, and how its values add up."""
    unit = UNITS[one.unit]
    named = f" {unit}" if unit else ""
    score = f"{one.score:.3f}, {one.value:+.2f}{named}" if one.unit == "log-odds" else f"{one.value:.4g}{named}"
    return f"{one.name}  {score}; {one.hidden:+.2f} with every word hidden"


def footnote(one: Attribution, explanation: Explanation) -> str:
    """Return how the values were made, and how exact they are."""
    hidden = f"hidden words are {explanation.hidden_by}"
    windows = f"; read in {explanation.num_windows} windows, averaged" if explanation.num_windows > 1 else ""
    if one.method == "occlusion":
        return f"{METHODS[one.method]}: by how much it falls without the word alone; {hidden}{windows}"
    assert one.steps is not None and one.error is not None
    return (
        f"{METHODS[one.method]}, {one.steps} steps: values add up to {one.value - one.hidden:+.2f} "
        f"within {100 * one.error:.1f} %; {hidden}{windows}"
    )


def signs(share: float) -> str:
    """Return the marks of a word, by its share of the largest value.

    >>> signs(1.0), signs(-0.4), signs(0.05)
    ('+++', '--', '')
    """
    count = sum(abs(share) >= level for level in LEVELS)
    return ("+" if share > 0 else "-") * count


def marked_text(explanation: Explanation, one: Attribution, *, colour: bool = False) -> list[str]:
    """Return the text, and the pair, with marks behind the words that count; what was not read is said."""
    found = []
    shares = one.shares()
    for source, text in zip(("text", "pair"), explanation.texts, strict=False):
        pieces, at = [], 0
        for word, share in zip(explanation.words, shares, strict=True):
            if word.source != source:
                continue
            mark = signs(share)
            marked = f"{text[word.start : word.end]}({mark})" if mark else text[word.start : word.end]
            if mark and colour:
                marked = f"{_FOR if share > 0 else _AGAINST}{marked}{_PLAIN}"
            pieces += [text[at : word.start], marked]
            at = word.end
        pieces.append(text[at:])
        found.append(" ".join("".join(pieces).split()))
    return found


def _attribution(explanation: Explanation, one: Attribution, *, colour: bool) -> str:
    unread = sum(not word.read for word in explanation.words)
    lines = [headline(one)]
    for text in marked_text(explanation, one, colour=colour):
        lines += [f"  {line}" for line in textwrap.wrap(text, WIDTH, break_long_words=False) or [""]]
    chosen = one.ranked[:MOST_WORDS]
    shares = one.shares()
    rows = tuple(
        (explanation.words[number].text, f"{one.values[number]:+.3f}", _bar(shares[number])) for number in chosen
    )
    table = Block(rows=rows).to_text()
    lines += ["", table] if table else []
    more = len(one.ranked) - len(chosen)
    lines += [f"  ... and {more} words that count less"] if more else []
    lines += [f"  {unread} words were not read"] if unread else []
    lines += ["", f"  {footnote(one, explanation)}"]
    if one.check is not None:
        lines += [f"  {sentence}" for sentence in one.check.sentences()]
    return "\n".join(lines)


def _bar(share: float) -> str:
    return ("+" if share > 0 else "-") * max(1, round(abs(share) * BAR)) if share else ""


def _rows(title: str, rows: Sequence[Neighbour]) -> str:
    table = tuple((f"{row.similarity:.3f}", row.truth, row.where, shorten(_shown(row), 70)) for row in rows)
    return Block(title, rows=table).to_text() if table else ""


def _shown(row: Neighbour) -> str:
    return row.text if row.pair is None else f"{row.text} | {row.pair}"
