"""Explanations as one HTML page that needs nothing but itself, and as a fragment for a notebook.

Words are shaded by sign and size; the sign is told by the kind of line below a word too, for eyes that see no colour,
and all numbers stand in a table. The page shows the user's texts: it is written where the user asked for it.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence
from pathlib import Path

from fastbert.display import shorten
from fastbert.errors import TrainingError
from fastbert.insight.charts import Line, line_chart
from fastbert.insight.explanation import Attribution, Explanation, Neighbour
from fastbert.insight.explanation_text import footnote, headline, nothing_to_explain
from fastbert.insight.faithfulness import Faithfulness
from fastbert.insight.page import Html, document, element, fragment, section, sentences, table

# The strongest shade of a word, as a share of the full colour: text keeps a contrast of 4.5 to 1 on it (WCAG 2.2,
# success criterion 1.4.3) in light and in dark; a test computes it.
STRONGEST = 0.5
FAINTEST = 0.05  # share of the largest value from which a word is shaded: a line below every word tells nothing
MOST_RANDOM = 20  # random curves that are drawn
STYLE = f"""
.fbx{{--for:11,99,165;--against:194,84,10;--edge:#5b6572}}
@media (prefers-color-scheme:dark){{.fbx{{--for:98,176,239;--against:242,162,92;--edge:#9aa5b1;--most:.8}}}}
.fbx .words{{line-height:2;white-space:pre-wrap;max-width:80ch;margin:8px 0}}
.fbx .w{{border-radius:3px;padding:1px 0}}
.fbx .for{{background:rgba(var(--for),calc(var(--a)*{STRONGEST}*var(--most,1)));
border-bottom:2px solid rgb(var(--for))}}
.fbx .against{{background:rgba(var(--against),calc(var(--a)*{STRONGEST}*var(--most,1)));
border-bottom:2px dotted rgb(var(--against))}}
.fbx .unread{{color:var(--edge);text-decoration:line-through}}
.fbx .place{{outline:1px solid var(--edge);outline-offset:2px}}
.fbx .legend{{color:var(--text)}}
.fbx .legend span{{margin-right:14px;white-space:nowrap}}
"""
INTRO = (
    "A value says how much a word moves the output of the model, not why, and not what would happen in the world. "
    "Solid underlines raise the output, dotted ones lower it; the stronger the shade, the more. Point at a word for "
    "its value."
)


def explanation_page(explanations: Sequence[Explanation], title: str) -> str:
    """Return a whole page."""
    header = element("header", element("h1", title), element("p", INTRO), _legend())
    parts = [_explanation(one, number) for number, one in enumerate(explanations, start=1)]
    return document(title, element("div", header, *parts, class_="fbx"), style=STYLE)


def notebook_fragment(explanation: Explanation) -> Html:
    """Return one explanation for a notebook."""
    shown = [_words_part(explanation, one) for one in explanation.attributions]
    answer = element("p", element("b", explanation.prediction.describe() or "(none)"))
    return element("div", Html(f"<style>{STYLE}</style>"), answer, *shown, class_="fbx")


def _legend() -> Html:
    keys = (
        element("span", element("span", "raises it", class_="w for", style="--a:1")),
        element("span", element("span", "lowers it", class_="w against", style="--a:1")),
        element("span", element("span", "not read", class_="w unread")),
        element("span", element("span", "the entity or answer itself", class_="w place")),
    )
    return element("p", *keys, class_="legend")


def _explanation(explanation: Explanation, number: int) -> Html:
    parts = [_words_part(explanation, one) + _details(explanation, one) for one in explanation.attributions]
    shown = [Html(part) for part in parts] or [element("p", nothing_to_explain(explanation))]
    rows = [_rows("Nearest training rows", explanation.similar), _rows("Nearest of another truth", explanation.other)]
    answer = explanation.prediction.describe() or "(none)"
    return section(f"{number}. {shorten(explanation.prediction.text, 70)}", *shown, *rows, note=f"answer: {answer}")


def _words_part(explanation: Explanation, one: Attribution) -> Html:
    texts = [
        element("p", *_shaded(explanation, one, source, text), class_="words")
        for source, text in zip(("text", "pair"), explanation.texts, strict=False)
    ]
    return fragment([element("h3", headline(one)), *texts, element("p", footnote(one, explanation), class_="note")])


def _shaded(explanation: Explanation, one: Attribution, source: str, text: str) -> list[str]:
    pieces: list[str] = []
    at = 0
    about = "pair" if explanation.prediction.pair is not None else "text"
    for word, value, share in zip(explanation.words, one.values, one.shares(), strict=True):
        if word.source != source:
            continue
        is_place = source == about and one.place is not None and one.place[0] < word.end and word.start < one.place[1]
        kinds = ["w", *(["place"] if is_place else [])]
        if value is None:
            attributes = {"title": "not read"}
            kinds.append("unread")
        else:
            attributes = {"title": f"{value:+.3f}", "style": f"--a:{abs(share):.2f}"}
            kinds += ["for" if value > 0 else "against"] if abs(share) >= FAINTEST else []
        pieces.append(text[at : word.start])
        pieces.append(element("span", text[word.start : word.end], class_=" ".join(kinds), **attributes))
        at = word.end
    return [*pieces, text[at:]]


def _details(explanation: Explanation, one: Attribution) -> Html:
    rows = [
        (explanation.words[number].text, f"{one.values[number]:+.4f}", str(explanation.words[number].start))
        for number in one.ranked
    ]
    numbers = element(
        "details",
        element("summary", f"{len(rows)} words with their values"),
        table(("word", "value", "character"), rows, class_="numbers"),
    )
    return fragment([numbers, _check(one.check)]) if one.check is not None else numbers


def _check(check: Faithfulness) -> Html:
    if check.verdict == "too few words":
        return sentences(check.sentences())
    shares = [count / check.num_words for count in check.counts]
    points = [tuple(zip(shares, scores, strict=True)) for scores in check.random]
    mean = [sum(column) / len(column) for column in zip(*check.random, strict=True)]
    lines = [
        *(Line("random", one, "orange", "faint") for one in points[:MOST_RANDOM]),
        Line("random order, mean", tuple(zip(shares, mean, strict=True)), "orange"),
        Line("most important first", tuple(zip(shares, check.deletion, strict=True))),
    ]
    chart = line_chart("Score while words are hidden", lines, x_name="share of words hidden", y_name="score")
    return fragment([sentences(check.sentences()), element("div", chart, class_="charts")])


def _rows(title: str, rows: Sequence[Neighbour]) -> Html:
    if not rows:
        return Html("")
    cells = [
        (f"{row.similarity:.3f}", row.truth, row.where, row.text if row.pair is None else f"{row.text} | {row.pair}")
        for row in rows
    ]
    return fragment([element("h3", title), table(("similarity", "truth", "row", "text"), cells)])


def page_title(name: str, count: int) -> str:
    """Return the title of a page.

    >>> page_title("model", 1)
    'model: 1 answer explained'
    """
    return f"{name}: {count} answer{'' if count == 1 else 's'} explained"


def write_page(explanations: Sequence[Explanation], title: str, file: Path) -> None:
    """Write a page; it appears under its name when it is complete. Raises TrainingError if the disk fails."""
    part = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        part.write_text(explanation_page(explanations, title), encoding="utf-8")
        part.replace(file)
    except OSError as error:
        reason = error.strerror or error
        raise TrainingError(f"{file} could not be written ({reason}). Nothing was left there.") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
