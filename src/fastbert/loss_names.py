"""The names of losses, of which some take a number, `focal:1.5`, and one a file of weights, `weights:FILE`.

Which task knows which loss is the task's own; knows nothing of how a loss is computed.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

from fastbert.errors import ConfigError, did_you_mean

# What the papers settle on: gamma 2 for the focal loss (Lin et al. 2017, arXiv 1708.02002, table 1b); for the
# asymmetric one 4 on absent labels and 0 on present ones (Ridnik et al. 2021, arXiv 2009.14119, section 2.2).
NUMBERS = {"focal": 2.0, "asymmetric": 4.0}
LOSSES = ("default", "balanced", "focal", "asymmetric", "resampled", "huber", "auto", "weights")
WEIGHTS = "weights"
MOST = 10.0


def parse_loss(text: str) -> tuple[str, float]:
    """Return the name of a loss and its number, 0 where it has none. Raises ConfigError for anything else.

    The file behind `weights:` is for `read_weights`.

    >>> parse_loss("focal"), parse_loss("focal:1.5"), parse_loss("balanced")
    (('focal', 2.0), ('focal', 1.5), ('balanced', 0.0))
    """
    name, colon, number = text.partition(":")
    if name not in LOSSES:
        raise ConfigError(f"loss is {text!r}; expected one of {', '.join(LOSSES)}.", did_you_mean(name, LOSSES))
    if not colon or name == WEIGHTS:
        return name, NUMBERS.get(name, 0.0)
    if name not in NUMBERS:
        raise ConfigError(f"loss is {text!r}; '{name}' takes no number.", f"Write loss={name}.")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not 0 <= value <= MOST:
        raise ConfigError(
            f"loss is {text!r}; behind the colon is a number from 0 to {MOST:g} expected.",
            f"{name}:{NUMBERS[name]:g} is what {name} alone means.",
        )
    return name, value


def read_weights(loss: str, names: Sequence[str]) -> tuple[float, ...]:
    """Return the weights of labels in the CSV file, `label,weight`, that a loss names; a label not in it weighs 1.

    Raises ConfigError for a file that cannot be read, a label that there is none of, or a weight that is none.

    names: of the labels, in the order of the result.
    """
    place = loss.partition(":")[2].strip()
    if not place:
        raise ConfigError(f"loss is {loss!r}; the file of weights is missing.", "Write loss=weights:FILE.")
    try:
        with Path(place).open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{place}: the weights cannot be read ({error}).", "Give a CSV file.") from error
    if not rows or not {"label", "weight"} <= set(rows[0]):
        raise ConfigError(f"{place}: expected the columns label,weight and a row for each label that weighs not 1.")
    found: dict[str, float] = {}
    for row, values in enumerate(rows, start=2):
        name, weight = values["label"] or "", _weight(values["weight"])  # a short row has no label
        if name not in names:
            raise ConfigError(
                f"{place}, row {row}: there is no label {name!r}.",
                did_you_mean(name, names) or f"The labels: {', '.join(names[:20])}.",
            )
        if name in found:
            raise ConfigError(f"{place}, row {row}: '{name}' has a weight already.")
        if not 0 < weight < math.inf:
            raise ConfigError(f"{place}, row {row}: the weight is {values['weight']!r}; expected a number above 0.")
        found[name] = weight
    return tuple(found.get(name, 1.0) for name in names)


def _weight(text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        return math.nan
