"""The model card: README.md of a bundle, for its next user and for a model hub.

Says what the model is, how good it was on which rows, how to use it, and what not to expect.
Names and numbers only; no text of a row. Knows nothing of how the numbers were computed.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Sequence

from fastbert.bundle import Bundle
from fastbert.display import number
from fastbert.insight.baseline_section import baseline_sentence, baseline_warning, is_beaten
from fastbert.insight.card_metadata import front_matter
from fastbert.insight.decision_words import describe_fit
from fastbert.insight.distilled_section import (
    chosen_by_teacher,
    cost_table,
    distilled_lines,
    is_distilled,
    score_table,
)
from fastbert.insight.evidence import Evidence
from fastbert.insight.evidence import LabelScores as LabelScores
from fastbert.insight.folds_section import cross_validation_lines
from fastbert.insight.repeating import repeat_command
from fastbert.insight.run_facts import RunFacts, read_facts
from fastbert.insight.uncertainty import Uncertainty
from fastbert.metrics.bootstrap import Interval
from fastbert.metrics.bootstrap import wilson_interval as wilson_interval

FEW_ROWS = 30  # below, the standard error of a recall of 0.8 is over 0.07
_NUM_NAMES = 5
ANSWERING, TAGGING = "question-answering", "token-classification"  # what the hub calls them
_PROPORTIONS = ("accuracy", "exact_match")  # scores that are a share of rows


def model_card(evidence: Evidence, unsure: Uncertainty) -> str:
    """Return the whole card: YAML for the hub, then Markdown."""
    bundle, per_label = evidence.bundle, evidence.per_label
    facts, name = read_facts(bundle.facts), bundle.folder.name
    command = repeat_command(facts, name)
    parts = [
        front_matter(bundle, facts),
        f"# {escape_markdown(name)}",
        _what(bundle, facts),
        "## Scores",
        _scores_table(evidence, unsure),
        *([unsure.note] if unsure.note else []),
        *([escape_markdown(baseline_sentence(facts.baseline))] if is_beaten(facts.baseline) else []),
        *([f"Each label on the {evidence.rows_name}:", _labels_table(per_label, unsure)] if per_label else []),
        *_distillation(bundle),
        *_cross_validation(bundle),
        "## Decision",
        escape_markdown(bundle.task.rule(bundle.decisions)),
        *map(escape_markdown, describe_fit(bundle.decisions)),
        "## Use with FastBert",
        _use_with_fastbert(bundle),
        "## Use with transformers",
        _use_with_transformers(bundle),
        *_training_data(facts, bundle.task.counted),
        *(["## Train it again", _block("sh", [command])] if command else []),
        "## Limits",
        "\n".join(f"- {escape_markdown(sentence)}" for sentence in caveats(evidence, facts, unsure)),
    ]
    return "\n\n".join(parts) + "\n"


def caveats(evidence: Evidence, facts: RunFacts, unsure: Uncertainty) -> list[str]:
    """Return what a reader of the scores must know, in sentences."""
    bundle, per_label = evidence.bundle, evidence.per_label
    found = list(filter(None, [facts.collapse, chosen_by_teacher(bundle.facts)]))
    if evidence.is_given or evidence.split != "test":
        found.append(_measured_on(evidence, facts))
    found += _uncertainty(evidence, facts, unsure)
    found += list(filter(None, [baseline_warning(facts.baseline)]))
    support = {name: scores.get("support") for name, scores in per_label.items()}
    rare = [name for name, count in support.items() if count is not None and count < FEW_ROWS]
    if rare:
        found.append(f"Labels with fewer than {FEW_ROWS} {evidence.rows_name}, whose scores are rough: {_some(rare)}.")
    never = [name for name, scores in per_label.items() if scores.get("support") and scores.get("f1") == 0]
    if never:
        found.append(f"Labels that were not found even once: {_some(never)}.")
    reading = facts.options.get("truncation")
    longer = "read in windows" if reading == "windows" else "cut"
    found.append(f"It reads at most {bundle.max_tokens} tokens at once; longer texts are {longer}.")
    found += [bundle.task.caveat] if bundle.task.caveat else []
    found.append("It knows texts like those it was trained on. Other sources, languages or years need a new test.")
    return found


def _measured_on(evidence: Evidence, facts: RunFacts) -> str:
    """Return what the scores of rows are worth that are no test split."""
    fitted, split = evidence.bundle.task.fitted, evidence.split
    if evidence.is_given:
        return (
            f"The {evidence.rows_name} were given after the training: no weights were chosen by them. "
            "Rows that the model was trained on, or that its rule was fitted to since, would make the scores too good."
        )
    if split == "valid" and facts.valid_folds:
        rule = f"They also chose the {fitted}. " if fitted else ""
        return (
            f"The scores are those of {facts.valid_folds} other models, trained as this one but on fewer rows: each "
            f"row was answered by one that had not seen it, and this model has learned from all. {rule}"
            "Rows held back as a test split would tell what it does on new ones."
        )
    rule = f" and the {fitted}" if fitted else ""
    return (
        f"The scores are those of the {split} rows, which also chose the weights{rule} that were kept. "
        "Expect a little less on new rows; rows held back as a test split would tell."
    )


def escape_markdown(text: str) -> str:
    r"""Return text that Markdown and HTML show as it is, in one line.

    >>> escape_markdown("<b>|a_b")
    '&lt;b&gt;\\|a\\_b'
    """
    line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", line)


def _what(bundle: Bundle, facts: RunFacts) -> str:
    kind = "pairs of texts" if bundle.reads_pairs else "texts"
    article = "An" if bundle.task.name[0] in "aeiou" else "A"
    rows = ", ".join(f"{count:,} {split}" for split, count in facts.rows.items())
    return " ".join(
        [
            f"{article} `{bundle.task.name}` model for {kind}, trained with FastBert {bundle.version}.",
            f"Encoder: {escape_markdown(facts.encoder)}." if facts.encoder else "",
            f"Rows: {rows}." if rows else "",
            "`report.html` beside this file has curves, counts and what was inferred from the data.",
        ]
    ).replace("  ", " ")


def _scores_table(evidence: Evidence, unsure: Uncertainty) -> str:
    splits = evidence.bundle.scores
    names = dict.fromkeys(name for scores in splits.values() for name in scores)
    own = evidence.split if unsure.scores else ""
    name_of = read_facts(evidence.bundle.facts).name_of
    heads = [head for split in splits for head in (name_of(split), *(["95 %"] if split == own else []))]
    rows = []
    for name in names:
        cells = [name]
        for split, scores in splits.items():
            cells += [number(scores.get(name)), *([_interval(unsure.scores.get(name))] if split == own else [])]
        rows.append(cells)
    return markdown_table(["score", *heads], rows)


def _interval(ends: Interval | None) -> str:
    return "" if ends is None else f"{number(ends[0], 3)} to {number(ends[1], 3)}"


def _labels_table(per_label: LabelScores, unsure: Uncertainty) -> str:
    columns, more = ("precision", "recall", "f1", "support"), ["f1, 95 %"] if unsure.labels else []
    rows = [
        [
            name,
            *(number(scores.get(column)) for column in columns),
            *([_interval(unsure.labels.get(name))] if more else []),
        ]
        for name, scores in per_label.items()
    ]
    return markdown_table(["label", *columns, *more], rows)


def _training_data(facts: RunFacts, counted: str) -> list[str]:
    """Return how often each label is in each split, nothing where that was not recorded."""
    counts = facts.label_counts
    names = dict.fromkeys(name for split in counts.values() for name in split)
    if not names:
        return []
    rows = [[name, *(f"{split.get(name, 0):,}" for split in counts.values())] for name in names]
    lengths = [f"Tokens of the training texts: {escape_markdown(facts.lengths)}."] if facts.lengths else []
    return ["## Training data", *lengths, markdown_table([counted, *counts], rows)]


def _block(language: str, lines: Sequence[str]) -> str:
    return "\n".join([f"```{language}", *lines, "```"])


def markdown_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; every cell is escaped, all columns but the first are numbers."""
    lines = [headers, ["---", *("---:" for _ in headers[1:])]]
    lines += [[escape_markdown(cell) for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cross_validation(bundle: Bundle) -> list[str]:
    found = cross_validation_lines(bundle.facts, bundle.task.headlines)
    if not found:
        return []
    return ["## Cross-validation", found[0], "\n".join(f"- {escape_markdown(line)}" for line in found[1:])]


def _distillation(bundle: Bundle) -> list[str]:
    if not is_distilled(bundle.facts):
        return []
    tables = [score_table(bundle.facts, bundle.task.headlines), cost_table(bundle.facts)]
    lines = [escape_markdown(line) for line in distilled_lines(bundle.facts)]
    return ["## Distillation", *lines, *(markdown_table(headers, rows) for headers, rows in tables if rows)]


def _use_with_fastbert(bundle: Bundle) -> str:
    name = bundle.folder.name
    text = '("A text", "and a second one")' if bundle.reads_pairs else '"A text"'
    text = '("A question?", "A context with the answer.")' if bundle.task.pipeline == ANSWERING else text
    head = ", head=YourHead" if bundle.head is not None else ""
    code = [
        "from fastbert import Predictor",
        "",
        f"model = Predictor.load({json.dumps(name, ensure_ascii=False)}{head})",
        f"model([{text}])  # -> one prediction each",
    ]
    return "\n".join(["```python", *code, "```", "", "```sh", f"fastbert predict {shlex.quote(name)} TABLE", "```"])


def _use_with_transformers(bundle: Bundle) -> str:
    if bundle.head is not None:
        return f"Not possible: the model has a head of its own, `{bundle.head}`. Open it with FastBert."
    if bundle.pooling != "default":
        return f"Not possible: the head pools the encoder's output ({bundle.pooling}). Open it with FastBert."
    task = bundle.task.pipeline or "feature-extraction"
    name = json.dumps(bundle.folder.name, ensure_ascii=False)
    if task == ANSWERING:
        return _use_for_questions(name)
    if task == TAGGING:
        return _use_for_entities(name)
    text = '{"text": "A text", "text_pair": "and a second one"}' if bundle.reads_pairs else '"A text"'
    found = "the score of every label" if bundle.task.counted == "label" else "what the rule above makes a number of"
    code = [
        "from transformers import pipeline",
        "",
        f'classify = pipeline("{task}", model={name}, top_k=None)',
        f"classify({text}, truncation=True)  # {found}",
    ]
    note = "The pipeline gives scores; the decision rule above is FastBert's and has to be applied by hand. "
    note += "Texts that are too long are cut at the end there, whatever FastBert does with them."
    return "\n".join(["```python", *code, "```", "", note])


def _use_for_entities(name: str) -> str:
    code = [
        "from transformers import pipeline",
        "",
        f'find = pipeline("token-classification", model={name}, aggregation_strategy="first")',
        'find("A text")  # entities, with start and end in the text',
    ]
    note = "Each word has its most probable tag there: the decision rule above, and the windows of long texts, are "
    note += "FastBert's."
    return "\n".join(["```python", *code, "```", "", note])


def _use_for_questions(name: str) -> str:
    code = [
        "from transformers import AutoModelForQuestionAnswering, AutoTokenizer",
        "",
        f"tokenizer = AutoTokenizer.from_pretrained({name})",
        f"model = AutoModelForQuestionAnswering.from_pretrained({name})",
        'inputs = tokenizer("A question?", "A context.", truncation="only_second", return_tensors="pt")',
        "model(**inputs)  # start_logits and end_logits, a number a token",
    ]
    note = "The decision rule above, and the windows of long contexts, are FastBert's and have to be written by hand. "
    note += "transformers has had no pipeline for questions since its version 5."
    return "\n".join(["```python", *code, "```", "", note])


def _uncertainty(evidence: Evidence, facts: RunFacts, unsure: Uncertainty) -> list[str]:
    scores, num_rows = evidence.scores, evidence.num_rows or facts.num_rows(evidence.split)
    answered = round(num_rows * scores.get("coverage", 1.0))  # the others are in no score
    rows, drawn, independent = f"{num_rows:,} rows", Uncertainty(), answered
    if answered < num_rows:
        rows = f"the {answered:,} of {rows} that were answered"
    if evidence.num_units < evidence.num_rows:  # Wilson's interval is of rows that do not depend on each other
        rows, drawn = f"{rows}, in {evidence.num_units:,} units", unsure
        independent = min(answered, evidence.num_units)
    return [
        f"{name} {scores[name]:.4f} was measured on {rows}: the 95 % interval of such a sample "
        "is {:.3f} to {:.3f}.".format(*drawn.scores.get(name, wilson_interval(scores[name], independent)))
        for name in _PROPORTIONS
        if name in scores and answered and 0 <= scores[name] <= 1
    ]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NUM_NAMES]) + (", ..." if len(names) > _NUM_NAMES else "")
