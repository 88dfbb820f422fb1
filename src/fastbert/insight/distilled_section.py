"""The section on distillation, of the report, the model card and the terminal: what a distillation wrote of itself.

A bundle may come from another version or another hand: what is missing or of another kind is left out, never an
error. Names and numbers only. Knows nothing of how they were computed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from fastbert.display import Block, number
from fastbert.insight.page import Html, element, section, table

FACT = "distillation"  # its name among the facts of a bundle
_SCORES, _COSTS = ("rows", "model"), ("model", "parameters", "texts/s", "ms a text, alone")
_COSTS_NOTE = "Both were measured in turn on the machine of the training, up to 256 held-out texts in one batch."


def is_distilled(facts: Mapping[str, object]) -> bool:
    """Return whether a model says that it was distilled."""
    return bool(_teacher(facts))


def chosen_by_teacher(facts: Mapping[str, object]) -> str:
    """Return that the validation rows have no labels but the teacher's answers, as a sentence; nothing if they do."""
    if not is_distilled(facts) or _mapping(facts.get(FACT)).get("chosen_by") != "teacher":
        return ""
    return (
        f"The valid rows have no labels of their own but the answers of the teacher, '{_teacher(facts)}': their scores "
        "say how well it is imitated, and so does the confidence of an answer. The teacher's mistakes count as right."
    )


def distilled_section(facts: Mapping[str, object], headlines: Sequence[str]) -> Html:
    """Return the section of the report, nothing for a model that was not distilled."""
    if not is_distilled(facts):
        return Html("")
    scores, costs = _score_rows(facts, headlines), _cost_rows(facts)
    return section(
        "Distillation",
        *(element("p", line) for line in distilled_lines(facts)),
        table([*_SCORES, *_headers(facts, headlines)], scores, class_="numbers") if scores else Html(""),
        table(list(_COSTS), costs, class_="numbers") if costs else Html(""),
        note=_COSTS_NOTE if costs else "",
    )


def distilled_lines(facts: Mapping[str, object]) -> list[str]:
    """Return what was learned from whom and how well, in sentences; none for a model that was not distilled."""
    if not is_distilled(facts):
        return []
    found = _mapping(facts.get(FACT))
    lines = [_what(found)]
    agreement, rows = _mapping(found.get("agreement")), _mapping(found.get("rows"))
    share, low, high = (_number(agreement.get(name)) for name in ("share", "low", "high"))
    if share is not None:
        interval = "" if low is None or high is None else f" (95 %: {100 * low:.1f} to {100 * high:.1f} %)"
        lines.append(
            f"It gives the teacher's answer to {100 * share:.1f} % of {_count(rows.get('held_out'))} texts that were "
            f"neither trained on nor chosen by{interval}."
        )
    return [*lines, *filter(None, [chosen_by_teacher(facts)])]


def distilled_blocks(facts: Mapping[str, object], headlines: Sequence[str]) -> tuple[Block, ...]:
    """Return the same for a terminal."""
    scores, costs = _score_rows(facts, headlines), _cost_rows(facts)
    blocks = [Block("Distillation", tuple(distilled_lines(facts)))]
    blocks += (
        [Block("Scores", (), (*_SCORES, *_headers(facts, headlines)), tuple(map(tuple, scores)))] if scores else []
    )
    blocks += [Block("Size and speed", (_COSTS_NOTE,), _COSTS, tuple(map(tuple, costs)))] if costs else []
    return tuple(blocks)


def score_table(facts: Mapping[str, object], headlines: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Return headers and rows of the scores of both models, for the model card."""
    return [*_SCORES, *_headers(facts, headlines)], _score_rows(facts, headlines)


def cost_table(facts: Mapping[str, object]) -> tuple[list[str], list[list[str]]]:
    """Return headers and rows of size and speed of both models, for the model card."""
    return list(_COSTS), _cost_rows(facts)


def _what(found: Mapping[str, object]) -> str:
    rows = _mapping(found.get("rows"))
    labelled, temperature = _number(rows.get("labelled")), _number(found.get("temperature"))
    weight = _number(found.get("label_weight"))
    said = (
        f"Distilled from the model '{found['teacher']}': trained on its outputs for {_count(rows.get('texts'))} texts"
    )
    if labelled:
        said += f" and for {_count(labelled)} rows with labels"
        said += "" if weight is None else f", whose own loss has the weight {weight:g}"
    return said + ("." if temperature is None else f", at temperature {temperature:g}.")


def _headers(facts: Mapping[str, object], headlines: Sequence[str]) -> list[str]:
    scores = [scores for _, _, scores in _scored(facts)]
    return [name for name in headlines if any(_number(one.get(name)) is not None for one in scores)]


def _score_rows(facts: Mapping[str, object], headlines: Sequence[str]) -> list[list[str]]:
    names = _headers(facts, headlines)
    return [
        [rows, model, *(number(_number(scores.get(name))) for name in names)] for rows, model, scores in _scored(facts)
    ]


def _scored(facts: Mapping[str, object]) -> list[tuple[str, str, Mapping[str, object]]]:
    """Return rows, model and scores: of both on labelled rows, then of the student against the teacher's answers."""
    found = _mapping(facts.get(FACT))
    scored = [
        (split, model, _mapping(scores.get(model)))
        for split, scores in ((split, _mapping(both)) for split, both in _mapping(found.get("truth")).items())
        for model in ("teacher", "student")
        if _mapping(scores.get(model))
    ]
    against = _mapping(_mapping(found.get("agreement")).get("scores"))
    return [*scored, *([("held-out texts, teacher's answers", "student", against)] if against else [])]


def _cost_rows(facts: Mapping[str, object]) -> list[list[str]]:
    costs = _mapping(facts.get(FACT)).get("costs")
    rows = []
    for cost in map(_mapping, costs if isinstance(costs, list) else []):
        parameters, texts, alone = (
            _number(cost.get(name)) for name in ("num_parameters", "texts_per_second", "ms_per_text")
        )
        rows.append(
            [
                str(cost.get("name", "")),
                "-" if parameters is None else f"{parameters / 1e6:,.1f} M",
                "-" if texts is None else f"{texts:,.0f}",
                number(alone, 1),
            ]
        )
    return rows


def _teacher(facts: Mapping[str, object]) -> str:
    name = _mapping(facts.get(FACT)).get("teacher")
    return name if isinstance(name, str) else ""


def _count(value: object) -> str:
    found = _number(value)
    return "some" if found is None else f"{found:,.0f}"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None  # type: ignore[arg-type]  # a number, as `known` says
