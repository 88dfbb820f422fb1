"""Hyperparameters of a job, made into the options of a training.

SageMaker hands every value over as text, which the makers of some jobs encode as JSON once more. The names are those
of FastBert's own options; those of the predecessor, fast-bert, are understood, too. Knows no folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields

from fastbert.config import DataConfig, DecisionConfig, TrainConfig, split_options, take_decisions
from fastbert.errors import ConfigError, did_you_mean
from fastbert.option_values import Options, check_range

EXPORTS = ("onnx", "onnx-int8", "openvino", "openvino-int8")
ENCODINGS = 3  # of JSON in JSON, as many as are undone

# name in fast-bert's container, learner or data bunch -> name here
NAMES = {
    "max_seq_length": "max_tokens",
    "train_batch_size": "batch_size",
    "batch_size_per_gpu": "batch_size",
    "learning_rate": "lr",
    "lr_schedule": "schedule",
    "schedule_type": "schedule",
    "warmup_steps": "warmup",
    "warmup_proportion": "warmup",
    "optimizer_type": "optimizer",
    "max_grad_norm": "clip_norm",
    "model_name": "encoder",
    "pretrained_path": "encoder",
    "text_col": "text",
    "label_col": "labels",
    "label": "labels",  # as on the command line
    "val_file": "valid_file",
    "label_file": "labels_file",
}
IGNORED = {  # name of fast-bert -> why it is left out
    "run_text": "it only names a run",
    "do_lower_case": "the tokenizer of the encoder knows it",
    "model_type": "the encoder knows it",
    "finetuned_model": "the folder finetuned/ is read whole",
    "fp16_opt_level": "it was an option of Apex",
    "loss_scale": "it was an option of Apex",
    "logging_steps": "every evaluation is logged",
    "adam_epsilon": "it is that of the optimizer",
    "multi_gpu": "training is on one device",
}
TRANSLATED = ("multi_label", "fp16", "is_fp16", "grad_accumulation_steps", "freeze_transformer_layers")


@dataclass(frozen=True)
class JobConfig(Options):
    """What a job does beside a training.

    export: forms of the model for other engines, made and checked at the end; "none" makes none.
    folds: cross-validation in so many folds first; 0 for none.    baseline: fit a linear model for comparison.
    train_file, valid_file, test_file: names of the tables in their channels, where a channel holds several.
    """

    export: tuple[str, ...] = ("onnx",)
    folds: int = 0
    baseline: bool = True
    train_file: str | None = None
    valid_file: str | None = None
    test_file: str | None = None

    def __post_init__(self) -> None:
        if self.folds:
            check_range("folds", self.folds, 2, 100)
        for name in self.export:
            if name not in EXPORTS and self.export != ("none",):
                raise ConfigError(
                    f"export is '{name}'; expected none, or of {', '.join(EXPORTS)}.",
                    did_you_mean(name, EXPORTS) or "onnx is usual: its model is served without torch.",
                )

    @property
    def exports(self) -> tuple[str, ...]:
        """Return the exports to make."""
        return () if self.export == ("none",) else self.export


@dataclass(frozen=True)
class Settings:
    """The options of a job by what they are of. notes: what was left out, and why, in sentences."""

    data: DataConfig
    train: TrainConfig
    decide: DecisionConfig
    job: JobConfig
    notes: tuple[str, ...] = ()


def known_names() -> tuple[str, ...]:
    """Return every name that a hyperparameter may have, those of fast-bert last."""
    own = [field.name for kind in (DataConfig, TrainConfig, DecisionConfig, JobConfig) for field in fields(kind)]
    return (*own, *NAMES, *TRANSLATED, *IGNORED)


def decode(values: Mapping[str, object]) -> dict[str, object]:
    r"""Return hyperparameters as text, truth values, numbers or lists; what SageMaker and its SDK add is left out.

    Numbers stay the text they are, for the option knows which kind it takes; null is not given.
    Raises ConfigError for an object.

    >>> decode({"lr": "1e-4", "optimizer": "\"adamw\"", "labels": "[\"a\", \"b\"]", "sagemaker_region": "x"})
    {'lr': '1e-4', 'optimizer': 'adamw', 'labels': ['a', 'b']}
    """
    found: dict[str, object] = {}
    for name, value in values.items():
        if name == "_tuning_objective_metric" or name.startswith("sagemaker_"):
            continue
        decoded = _decoded(value)
        if isinstance(decoded, dict):
            raise ConfigError(
                f"The hyperparameter '{name}' is a JSON object; expected text, a number or a list.",
                "Give each option as a hyperparameter of its own.",
            )
        if decoded is not None:
            found[name.strip().replace("-", "_")] = decoded
    return found


def _decoded(value: object) -> object:
    for _ in range(ENCODINGS):
        if not isinstance(value, str):
            break
        try:
            inner = json.loads(value)
        except ValueError:
            break
        if isinstance(inner, int | float):  # bool, too
            return value.strip()
        value = inner
    return [str(item) for item in value] if isinstance(value, list) else value


def translate(values: Mapping[str, object], where: str) -> tuple[dict[str, object], list[str]]:
    """Return decoded values under FastBert's names, and what was left out.

    where: they were written, for messages. Raises ConfigError for an unknown name, or two names of one option.
    """
    found: dict[str, object] = {}
    given: dict[str, str] = {}
    notes = []
    for name, value in values.items():
        if name not in known_names():
            raise ConfigError(
                f"{where}: '{name}' is not an option of FastBert.",
                did_you_mean(name, known_names()) or "The guide `docs/guides/options.md` lists them all.",
            )
        if name in IGNORED or value == "":
            notes.append(f"{where}: {name} is left out: {IGNORED.get(name, 'it is empty')}.")
            continue
        own, meant = _translated(name, value)
        if own in given:
            raise ConfigError(
                f"{where}: '{given[own]}' and '{name}' are names of one option.", f"Give one of them, best '{own}'."
            )
        given[own] = name
        if meant is not None:
            found[own] = meant
    return found, notes


def _translated(name: str, value: object) -> tuple[str, object]:
    """Return the name and the value of an option of FastBert; None where the value asks for nothing."""
    if name == "multi_label":
        return "task", "multi_label" if _is_true(name, value) else "single_label"
    if name in ("fp16", "is_fp16"):  # it needed a GPU then; now the device decides which short type is fast
        return "precision", "auto" if _is_true(name, value) else "fp32"
    if name == "freeze_transformer_layers":
        return "freeze", "encoder" if _is_true(name, value) else None
    if name in ("lr_schedule", "schedule_type", "optimizer_type"):
        return NAMES[name], str(value).lower()
    return NAMES.get(name, name), value


def _is_true(name: str, value: object) -> bool:
    text = str(value).strip().casefold()
    if text not in ("true", "1", "yes", "false", "0", "no"):
        raise ConfigError(f"{name} is '{text[:40]}'; expected True or False.")
    return text in ("true", "1", "yes")


def settings(*sources: tuple[str, Mapping[str, object]]) -> Settings:
    """Return the options of several sources, each with where it was written; a later one is stronger.

    Raises ConfigError for a wrong name or value.
    """
    merged: dict[str, object] = {}
    notes: list[str] = []
    for where, values in sources:
        found, left_out = translate(decode(values), where)
        merged.update(found)
        notes += left_out
    merged = _accumulated(merged)
    names = {field.name for field in fields(JobConfig)}
    job = JobConfig().changed(**{name: value for name, value in merged.items() if name in names})
    decide, others = take_decisions({name: value for name, value in merged.items() if name not in names})
    data, train = split_options(others)
    return Settings(data, train, decide, job, tuple(notes))


def _accumulated(values: dict[str, object]) -> dict[str, object]:
    """Return values with the rows of an optimiser step, where they were given as parts and their number."""
    if "grad_accumulation_steps" not in values:
        return values
    steps = values["grad_accumulation_steps"]
    others = {name: value for name, value in values.items() if name != "grad_accumulation_steps"}
    rows = TrainConfig().changed(batch_size=others.get("batch_size", TrainConfig().batch_size)).batch_size
    if not str(steps).isdecimal() or int(str(steps)) < 1:
        raise ConfigError(f"grad_accumulation_steps is '{str(steps)[:40]}'; expected a whole number from 1.")
    return {**others, "batch_size": rows * int(str(steps))}
