"""What SageMaker puts into a training container, and where it expects the results: the folders under /opt/ml.

The files come first. Where one is missing, the SM_* variables are read that the toolkit of AWS sets; a container of
one's own has none of them. Knows no option of FastBert.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fastbert.errors import ConfigError

ROOT = Path("/opt/ml")


@dataclass(frozen=True)
class Container:
    """One training container. root: /opt/ml, or a folder laid out like it.    environment: its variables."""

    root: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def model(self) -> Path:
        """Return the folder that SageMaker packs as model.tar.gz."""
        return Path(self.environment.get("SM_MODEL_DIR") or self.root / "model")

    @property
    def output_data(self) -> Path:
        """Return the folder that SageMaker packs as output.tar.gz."""
        return Path(self.environment.get("SM_OUTPUT_DATA_DIR") or self.root / "output" / "data")

    @property
    def failure(self) -> Path:
        """Return the file whose first 1024 characters SageMaker shows as the reason of a failure."""
        return self.root / "output" / "failure"

    @property
    def success(self) -> Path:
        """Return the file that says that the job ended well."""
        return self.root / "output" / "success"

    @property
    def job_name(self) -> str | None:
        """Return the name of the training job."""
        return self.environment.get("TRAINING_JOB_NAME")

    def hyperparameters(self) -> dict[str, object]:
        """Return the hyperparameters as they are written. Raises ConfigError for what is no flat object."""
        return self._config("hyperparameters.json", "SM_HPS") or {}

    def channels(self) -> dict[str, Path]:
        """Return the folder of each channel by its name.

        Raises ConfigError for a channel in Pipe mode, or one whose folder is missing.
        """
        declared = self._config("inputdataconfig.json", "SM_INPUT_DATA_CONFIG")
        data = self.root / "input" / "data"
        if declared is None:
            names = [path.name for path in sorted(data.iterdir()) if path.is_dir()] if data.is_dir() else []
        else:
            names = sorted(declared)
        found = {}
        for name in names:
            details = (declared or {}).get(name)
            mode = details.get("TrainingInputMode") if isinstance(details, dict) else None
            if str(mode).casefold() == "pipe":
                raise ConfigError(
                    f"The channel '{name}' comes in Pipe mode, in which a table can be read only once; it is not read.",
                    "Set the TrainingInputMode of the channel to File or FastFile.",
                )
            folder, elsewhere = data / name, self.environment.get(f"SM_CHANNEL_{name.upper()}")
            if elsewhere and not folder.is_dir():
                folder = Path(elsewhere)
            if not folder.is_dir():
                raise ConfigError(
                    f"The channel '{name}' is declared, but its folder {folder} does not exist.",
                    "Check the S3 address of the channel: it must name a file or a prefix with files.",
                )
            found[name] = folder
        return found

    def check_hosts(self) -> None:
        """Raise ConfigError where the job has several hosts: training is on one."""
        resources = self._config("resourceconfig.json", "SM_RESOURCE_CONFIG") or {}
        hosts = resources.get("hosts", [])
        if not isinstance(hosts, list):
            raise ConfigError(
                f"{self._place('resourceconfig.json')}: hosts is no list.", "It is written by SageMaker; start again."
            )
        if len(hosts) > 1:
            raise ConfigError(
                f"The job has {len(hosts)} hosts; FastBert trains on one. Nothing was trained.",
                "Set InstanceCount to 1, with a larger instance type if one is too slow.",
            )

    def _place(self, name: str) -> Path:
        return self.root / "input" / "config" / name

    def _config(self, name: str, variable: str) -> dict[str, object] | None:
        """Return a file of the configuration, else the variable that holds the same; None where neither is there."""
        file = self._place(name)
        where, text = str(file), None
        try:
            text = file.read_text(encoding="utf-8")
        except FileNotFoundError:
            where, text = f"The variable {variable}", self.environment.get(variable)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise ConfigError(
                f"{file} cannot be read ({reason}).", "It is written by SageMaker; start again."
            ) from error
        if text is None:
            return None
        try:
            values = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"{where} is not JSON: {error}.", "Write an object of names and values.") from error
        if not isinstance(values, dict):
            raise ConfigError(f"{where} holds no JSON object.", "Write an object of names and values.")
        return values
