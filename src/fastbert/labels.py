"""Label names and their ids. The only place where a name becomes a number and back.

Knows nothing of files, tasks or tensors. Order is the model's order: it is saved in the
bundle and never derived from a set.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from fastbert.errors import DataError, did_you_mean


@dataclass(frozen=True)
class Labels:
    """An ordered set of label names; the position of a name is its id.

    Raises DataError if a name is empty or occurs twice.

    >>> labels = Labels(("bug", "praise"))
    >>> labels.id_of("praise"), labels.name_of(0)
    (1, 'bug')
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for name in self.names:
            if not name.strip():
                raise DataError("A label name is empty.", "Remove the empty line or cell from the labels.")
            if name in seen:
                raise DataError(f"Label '{name}' is listed twice.", "Label names must be unique.")
            seen.add(name)

    @classmethod
    def from_values(cls, values: Iterable[str]) -> Labels:
        """Collect the distinct names, sorted: numbers by value, then text alphabetically.

        >>> Labels.from_values(["10", "9", "b", "a", "9"]).names
        ('9', '10', 'a', 'b')
        """
        return cls(tuple(sorted(set(values), key=_sort_key)))

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.names)}

    def id_of(self, name: str, *, where: str = "") -> int:
        """Return the id of a name. Raises DataError that names the closest label.

        where: prefix for the message, such as "train.csv, row 418".
        """
        index = self._ids.get(name)
        if index is None:
            prefix = f"{where}: " if where else ""
            shown = ", ".join(self.names[:20]) + (", ..." if len(self.names) > 20 else "")
            raise DataError(
                f"{prefix}label '{name}' is not one of the {len(self.names)} labels ({shown}).",
                did_you_mean(name, self.names),
            )
        return index

    def name_of(self, index: int) -> str:
        """Return the name of an id."""
        return self.names[index]

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._ids


def _sort_key(name: str) -> tuple[int, float, str]:
    try:
        value = float(name)
    except ValueError:
        value = math.nan
    return (0, value, name) if math.isfinite(value) else (1, 0.0, name)  # "nan" and "inf" are words here
