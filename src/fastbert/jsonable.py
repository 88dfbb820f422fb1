"""Plain values that any JSON reader takes: a number that is not finite becomes null.

A metric of the user's own may be NaN, a spreadsheet may hold infinity; JSON knows neither.
"""

from __future__ import annotations

import math
from collections.abc import Mapping


def finite(value: object) -> object:
    """Return the value with None in place of NaN and infinities, at any depth.

    >>> finite({"loss": float("nan"), "curve": [1.5, float("inf")]})
    {'loss': None, 'curve': [1.5, None]}
    """
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
