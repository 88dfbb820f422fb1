"""The names of losses, of which some take a number: `focal`, or `focal:1.5`.

Which task knows which loss is the task's own; knows nothing of how a loss is computed.
"""

from __future__ import annotations

from fastbert.errors import ConfigError, did_you_mean

# What the papers settle on: gamma 2 for the focal loss (Lin et al. 2017, arXiv 1708.02002, table 1b); for the
# asymmetric one 4 on absent labels and 0 on present ones (Ridnik et al. 2021, arXiv 2009.14119, section 2.2).
NUMBERS = {"focal": 2.0, "asymmetric": 4.0}
LOSSES = ("default", "balanced", "focal", "asymmetric", "resampled", "huber", "auto")
MOST = 10.0


def parse_loss(text: str) -> tuple[str, float]:
    """Return the name of a loss and its number, 0 where it has none. Raises ConfigError for anything else.

    >>> parse_loss("focal"), parse_loss("focal:1.5"), parse_loss("balanced")
    (('focal', 2.0), ('focal', 1.5), ('balanced', 0.0))
    """
    name, colon, number = text.partition(":")
    if name not in LOSSES:
        raise ConfigError(f"loss is {text!r}; expected one of {', '.join(LOSSES)}.", did_you_mean(name, LOSSES))
    if not colon:
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
