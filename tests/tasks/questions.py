"""Questions about contexts whose answers a tiny encoder can learn: who, and where.

Knows nothing of fastbert.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PLACES, PEOPLE = ("Berlin", "Paris"), ("Anna",)
OTHERS = ("page", "app", "button", "price", "bill", "invoice", "crash", "error", "bug", "export")
ASKED = {"Where is it?": PLACES, "Who is it for?": PEOPLE}


def question_rows(count: int, *, unanswerable: float = 0.0, seed: int = 0, words: int = 8) -> list[dict[str, Any]]:
    """Return questions as rows of a table: who or where, the place of a name in a context, and its answer.

    unanswerable: share of contexts without the name.    words: of a context, about.
    """
    rng = random.Random(seed)
    return [_row(rng, number, unanswerable, words) for number in range(count)]


def _row(rng: random.Random, number: int, unanswerable: float, words: int) -> dict[str, Any]:
    question = list(ASKED)[number % 2]
    tokens = rng.choices(OTHERS, k=words)
    for names in ASKED.values():
        if names is not ASKED[question] or rng.random() >= unanswerable:
            tokens.insert(rng.randrange(len(tokens) + 1), rng.choice(names))
    context = f"({number}) " + " ".join(tokens) + "."
    found = [name for name in ASKED[question] if name in tokens]
    starts = [context.index(name) for name in found]
    return {"question": question, "context": context, "answers": {"text": found, "answer_start": starts}}


def squad_json(rows: Sequence[dict[str, Any]], *, answers: bool = True) -> dict[str, Any]:
    """Return the same questions as the content of a SQuAD file, an article each."""
    return {"version": "v2.0", "data": [_article(number, row, answers) for number, row in enumerate(rows)]}


def _article(number: int, row: dict[str, Any], answers: bool) -> dict[str, Any]:
    given = row["answers"]
    pairs = zip(given["text"], given["answer_start"], strict=True)
    listed = [{"text": text, "answer_start": start} for text, start in pairs]
    truth = {"answers": listed, "is_impossible": not listed} if answers else {}
    question = {"id": f"q{number}", "question": row["question"], **truth}
    return {"title": f"title {number}", "paragraphs": [{"context": row["context"], "qas": [question]}]}


def write_squad(path: Path, rows: Sequence[dict[str, Any]], *, answers: bool = True) -> Path:
    """Write rows as a SQuAD file, and return its path."""
    path.write_text(json.dumps(squad_json(rows, answers=answers)), encoding="utf-8")
    return path
