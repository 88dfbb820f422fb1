"""What a bundle says of an exported model: its files, how it was checked, and what the check found.

Knows nothing of how a model is exported or run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from fastbert.errors import BundleError


@dataclass(frozen=True)
class Check:
    """An exported model against the torch model in float32, on the same rows.

    metric: the monitored score, or that of the decided answers if it lost more; None where the rows had no labels.
    reference, score: of the two models.
    changed: share of rows with another answer.    max_difference: between probabilities.
    speedup: over torch in float32, one pass each.    data: where the rows came from, for people.
    """

    rows: int
    data: str
    changed: float
    max_difference: float
    speedup: float
    metric: str | None = None
    reference: float | None = None
    score: float | None = None

    @property
    def loss(self) -> float:
        """Return the loss of score; without labels the share of changed answers, an upper bound for accuracy."""
        return self.changed if self.reference is None or self.score is None else self.reference - self.score

    def describe(self) -> str:
        """Return one phrase with the loss and what it was measured on."""
        if self.reference is None or self.score is None:
            found = f"{self.changed:.2%} of answers changed (no score here: only differences could be checked)"
        else:
            found = f"{self.metric} {self.reference:.4f} -> {self.score:.4f}, loss {self.loss:+.4f}"
        rate = f"{self.speedup:.1f} x torch fp32"
        return (
            f"{found}; largest difference of a probability {self.max_difference:.1e}; {rate}; {self.rows} {self.data}"
        )


@dataclass(frozen=True)
class Export:
    """One exported model of a bundle. file: relative to the bundle; files: all that belong to it.

    precision: fp32, bf16 or int8.    compute: precision of what is not int8.
    scheme: how it was made, for people.    attempts: schemes that were tried before, with their loss.
    """

    name: str
    backend: str
    precision: str
    compute: str
    file: str
    files: tuple[str, ...]
    scheme: str
    check: Check
    attempts: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return plain values for bundle.json."""
        return {**asdict(self), "files": list(self.files)}

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Export:
        """Read what `to_json` wrote. Raises BundleError for anything else."""
        try:
            check = Check(**values["check"])  # type: ignore[arg-type]  # a wrong type is caught below
            known = {**values, "check": check, "files": tuple(values["files"])}  # type: ignore[arg-type]
            return cls(**known)  # type: ignore[arg-type]
        except (KeyError, TypeError) as error:
            name = str(values.get("name"))
            raise BundleError(
                f"bundle.json: the record of the export '{name}' is not complete ({error}).",
                f"Make it again with `{export_command('BUNDLE', name)}`.",
            ) from error


def export_command(folder: object, name: str) -> str:
    """Return the command that replaces an export.

    >>> export_command("model", "openvino-int8")
    'fastbert export model --backend openvino --int8 --data TABLE --overwrite'
    """
    backend, _, int8 = name.partition("-")
    return f"fastbert export {folder} --backend {backend}{' --int8' if int8 else ''} --data TABLE --overwrite"
