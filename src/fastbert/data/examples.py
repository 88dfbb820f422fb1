"""The typed example of text classification: one row of a table, understood.

Other tasks bring example types of their own. Knows nothing of tokens or label ids.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextExample:
    """A text or a pair of texts with its label names.

    labels: () is a row without any label (a clean negative in multi-label data);
        None means that the labels are not known (a row to predict).
    where: the place it came from, such as "train.csv, row 418", for messages.
    group: value of the grouping column; rows of one group never cross a split.
    """

    text: str
    pair: str | None = None
    labels: tuple[str, ...] | None = None
    where: str = ""
    group: str | None = None
