"""What a bundle says of the linear baseline of its training: a sentence, a warning, a section of the report.

Reads the values that `LinearCheck.facts` wrote; what is missing or of another kind is left out, never an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastbert.display import number
from fastbert.insight.page import Html, element, section, table

Values = Mapping[str, object]


def of_another_rule(values: Values) -> dict[str, object]:
    """Return the values without the difference, which was that of a model with the rule of its training."""
    kept = {name: value for name, value in values.items() if name not in ("difference", "score", "coverage")}
    return {**kept, "rule_changed": True}


def baseline_scores(values: Values) -> dict[str, dict[str, float]]:
    """Return the scores of the baseline by split."""
    scores = values.get("scores")
    if not isinstance(scores, dict):
        return {}
    return {
        str(split): {name: float(score) for name, score in found.items() if isinstance(score, int | float)}
        for split, found in scores.items()
        if isinstance(found, dict)
    }


def baseline_sentence(values: Values) -> str:
    """Return how the model compares with the baseline, "" where that is not known."""
    found, score, split = values.get("difference"), values.get("score"), values.get("split")
    if not isinstance(found, dict) or not all(isinstance(found.get(name), int | float) for name in ("low", "high")):
        return ""
    rows = f"the {values.get('rows') or split} rows"
    if _coverage(values) is not None:
        rows = f"all {values.get('rows') or split} rows, before an answer is held back"
    spread = f"{found['value']:+.4f} [{found['low']:+.4f}, {found['high']:+.4f}] in {score} on {rows}"
    what = f"a linear model on words ({values.get('title')})"
    if not found.get("told_apart"):
        return f"The model cannot be told apart from {what}: {spread}."
    return f"The model is {'better' if is_beaten(values) else 'worse'} than {what}: {spread}."


def _coverage(values: Values) -> float | None:
    """Return the share of the rows that the model answers, None where it answers all."""
    share = values.get("coverage")
    return float(share) if isinstance(share, int | float) else None


def is_beaten(values: Values) -> bool:
    """Return whether the model is better than the baseline by more than chance explains."""
    found = values.get("difference")
    return isinstance(found, dict) and bool(found.get("told_apart")) and found.get("probability_better", 0.0) > 0.5


def baseline_warning(values: Values) -> str:
    """Return a warning where the model is not better than the baseline, "" where it is or nothing is known."""
    sentence = baseline_sentence(values)
    if not sentence or is_beaten(values):
        return ""
    return (
        f"{sentence} A linear model is far cheaper: use one, or give the encoder more rows or epochs, or a larger one."
    )


def baseline_section(values: Values, scores: Mapping[str, Mapping[str, float]], headlines: Sequence[str]) -> Html:
    """Return the section of the report, nothing where no baseline was fitted."""
    own = baseline_scores(values)
    if not own:
        return Html("")
    names = {values.get("split"): values.get("rows")}  # where they are called something else
    found = [
        (f"{who}, {names.get(split) or split}", one)
        for split in own
        for who, one in (("model", scores.get(split, {})), ("linear", own[split]))
    ]
    known = [name for name in headlines if any(name in one for _, one in found)]
    rows = [[who, *(number(one.get(name)) for name in known)] for who, one in found]
    trained, total = values.get("trained_rows"), values.get("of_rows")
    share = _coverage(values)
    held = (
        ""
        if share is None
        else f" Scores of the model are of the rows that it answers ({share:.1%} of {values.get('split')})."
    )
    sampled = f" Fitted on a sample of {trained:,} of {total:,} rows." if trained != total else ""
    sentence = baseline_sentence(values)
    if values.get("rule_changed"):
        sentence = (
            "The decision rule was changed after the training, that of the linear model was not: "
            "`fastbert compare` with the tables compares anew."
        )
    return section(
        "Against a linear model",
        element("p", sentence) if sentence else Html(""),
        table(["rows", *known], rows, class_="numbers"),
        note=f"{_sentence_case(str(values.get('title')))}: fitted, with any threshold, and scored on the same rows"
        f"{', but for a tenth that chose its strength' if values.get('rows') else ''}."
        f"{held}{sampled}",
    )


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]  # `capitalize` would make tf-idf of TF-IDF
