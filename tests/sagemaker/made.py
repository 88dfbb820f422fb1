"""A folder like /opt/ml, written for a test, with a table that a tiny encoder learns in a moment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fastbert.sagemaker.container import Container
from fastbert.sagemaker.entry import Ended, run
from tests.feedback import write_feedback

QUICK = {"epochs": "1", "lr": "1e-3", "batch_size": "8", "valid_share": "0.2", "start": "plain", "export": "none"}


@dataclass
class Opt:
    """A container in the making. lines: the metric lines of the last run.    views: what people were shown."""

    root: Path
    lines: list[str] = field(default_factory=list)
    views: list[str] = field(default_factory=list)

    @property
    def container(self) -> Container:
        return Container(self.root, {})

    @property
    def model(self) -> Path:
        return self.root / "model"

    def channel(self, name: str) -> Path:
        """Make the folder of a channel."""
        folder = self.root / "input" / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def config(self, name: str, values: object) -> None:
        """Write a file of the configuration; text as it is."""
        place = self.root / "input" / "config" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(values if isinstance(values, str) else json.dumps(values), encoding="utf-8")

    def hyperparameters(self, **values: object) -> None:
        self.config("hyperparameters.json", values)

    def failure(self) -> str:
        return (self.root / "output" / "failure").read_text(encoding="utf-8")

    def run(self) -> Ended:
        """Run the job in this process."""
        self.lines.clear()
        return run(self.container, write=self.lines.append, on_view=lambda view: self.views.append(repr(view)))

    def numbers(self) -> dict[str, object]:
        values = json.loads((self.root / "output" / "data" / "metrics.json").read_text(encoding="utf-8"))
        assert isinstance(values, dict)
        return values


def opt_ml(root: Path, encoder: str, hyperparameters: Mapping[str, object] | None = None) -> Opt:
    """Write a job that ends well: a training table of 40 rows, and options that make it quick."""
    made = Opt(root)
    write_feedback(made.channel("train") / "train.csv")
    made.config(
        "inputdataconfig.json", {"train": {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}}
    )
    made.config("resourceconfig.json", {"current_host": "algo-1", "hosts": ["algo-1"], "current_group_name": "x"})
    made.hyperparameters(**{"encoder": encoder, **QUICK, **(hyperparameters or {})})
    return made
