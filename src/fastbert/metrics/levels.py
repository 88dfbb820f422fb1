"""F1 on each level of labels that are paths, such as "Billing > Refund": how far down answers can be trusted.

An answer that stops early has no label on the levels below. Knows nothing of how labels were decided.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastbert.decisions.hierarchy import Hierarchy, at_level
from fastbert.metrics.classification import f_beta

Rows = Sequence[tuple[str, ...]]


def level_scores(names: Sequence[str], truths: Rows, said: Rows) -> dict[str, float]:
    """Return f1_micro_level_K and f1_macro_level_K, K from 1; {} where names are no paths.

    names: of all labels.    truths, said: labels of each row.

    >>> level_scores(("A > x", "A > y", "B > x"), [("A > x",)], [("A > y",)])["f1_micro_level_1"]
    1.0
    """
    hierarchy = Hierarchy.of(names)
    scores: dict[str, float] = {}
    for level in range(1, 0 if hierarchy is None or not truths else hierarchy.depth + 1):
        nodes = {node: place for place, node in enumerate(at_level(names, level))}
        targets, decided = (np.zeros((len(truths), len(nodes)), np.bool_) for _ in range(2))
        for cells, rows in ((targets, truths), (decided, said)):
            for row, labels in enumerate(rows):
                cells[row, [nodes[node] for node in at_level(labels, level)]] = True
        scores[f"f1_micro_level_{level}"] = f_beta(targets, decided, average="micro")
        scores[f"f1_macro_level_{level}"] = f_beta(targets, decided, average="macro")
    return scores
