"""The rows on which compared models differ: a few for the screen, all of them for a file that the user asked for.

These are the only places where a comparison shows a text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fastbert.data.examples import Example, show_truth
from fastbert.display import Block, shorten
from fastbert.insight.compare import Answers, Duel
from fastbert.tasks.base import Task

_CELL, _TEXT = 30, 60


def row_columns(names: Sequence[str]) -> list[str]:
    """Return the header of the file of rows."""
    return ["row", "place", "text", "pair", "true", *(f"{part}:{name}" for name in names for part in ("said", "mark"))]


def row_records(task: Task, examples: Sequence[Example], answers: Answers) -> Iterator[list[str]]:
    """Yield every row with its truth and, for each model, its answer and whether that is right, partly or wrong.

    row: counted from 1, of the rows that were compared.
    """
    for row, example in enumerate(examples):
        cells = [str(row + 1), example.where, example.text, example.pair or "", show_truth(example.truth)]
        for said in answers.values():
            cells += [said[row].cells[0], task.agreement(said[row], example)]
        yield cells


def example_blocks(duel: Duel, examples: Sequence[Example], answers: Answers, count: int) -> list[Block]:
    """Return rows that one of two models won and lost, evenly spread, with shortened texts."""
    headers = ("place", "true", duel.against, duel.name, "text")
    blocks = []
    for title, rows in (("won", duel.won), ("lost", duel.lost)):
        step = max(1, len(rows) // max(1, count))
        table = tuple(
            (
                examples[row].where,
                shorten(show_truth(examples[row].truth), _CELL),
                shorten(answers[duel.against][row].describe(), _CELL) or "(none)",
                shorten(answers[duel.name][row].describe(), _CELL) or "(none)",
                _text(examples[row]),
            )
            for row in rows[::step][:count]
        )
        lines = (f"{len(table)} of {len(rows):,} rows",)
        blocks.append(Block(f"Rows that {duel.name} {title} against {duel.against}", lines, headers, table))
    return blocks


def _text(example: Example) -> str:
    if example.pair is None:
        return shorten(example.text, _TEXT)
    return f"{shorten(example.text, _TEXT // 2)} | {shorten(example.pair, _TEXT // 2)}"
