"""Options of the command line, made into configurations and callbacks.

Order of strength: what is written as an option, then --set, then the TOML file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fastbert.config import (
    AdaptConfig,
    DataConfig,
    DecisionConfig,
    TrainConfig,
    parse_assignment,
    read_options,
    split_options,
    take_decisions,
)
from fastbert.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from fastbert.data.vocabulary import VocabularyKind
    from fastbert.training.callbacks import Callback


def collect(
    config: Path | None, assignments: Sequence[str], named: Mapping[str, object]
) -> tuple[DataConfig, TrainConfig]:
    """Merge the three sources of options; those of the decision rule are for `decisions`.

    Raises ConfigError for a wrong name or value.
    """
    return split_options(take_decisions(merge(config, assignments, named))[1])


def decisions(config: Path | None, assignments: Sequence[str], named: Mapping[str, object]) -> DecisionConfig:
    """Return the options of the decision rule from the three sources. Raises ConfigError for a wrong value."""
    return take_decisions(merge(config, assignments, named))[0]


def merge(config: Path | None, assignments: Sequence[str], named: Mapping[str, object]) -> dict[str, object]:
    """Return the options of the three sources by name, not yet checked but for labels that are given twice."""
    merged = read_options(config) if config is not None else {}
    merged.update(parse_assignment(text) for text in assignments)
    given = {name: value for name, value in named.items() if value is not None}
    if "label" in given and "labels" in given:
        raise ConfigError("--label and --labels are both given.", "Use --label for one column, --labels for several.")
    if "label" in given:
        given["labels"] = (given.pop("label"),)
    if "label" in merged:
        merged["labels"] = (str(merged.pop("label")),)
    merged.update(given)
    return merged


def adapt_config(assignments: Sequence[str], named: Mapping[str, object]) -> AdaptConfig:
    """Return the options of a run on a corpus. Raises ConfigError for a wrong name or value."""
    merged: dict[str, object] = dict(parse_assignment(text) for text in assignments)
    merged.update({name: value for name, value in named.items() if value is not None})
    return AdaptConfig().changed(**merged)


def vocabulary_kind(name: str) -> VocabularyKind:
    """Return a kind of vocabulary by its name. Raises ConfigError for another one."""
    kinds: dict[str, VocabularyKind] = {"wordpiece": "wordpiece", "bpe": "bpe"}
    if name not in kinds:
        raise ConfigError(
            f"vocabulary is '{name}'; expected wordpiece or bpe.", did_you_mean(name, kinds) or "wordpiece is usual."
        )
    return kinds[name]


def callbacks(
    *,
    progress: bool,
    log: Path | None,
    tensorboard: Path | None,
    track: Sequence[str] = (),
    track_model: bool = False,
) -> list[Callback]:
    """Return the callbacks that the options ask for."""
    from fastbert.training.callbacks import JsonLog, ProgressBar, TensorBoard

    chosen: list[Callback] = [ProgressBar()] if progress else []
    if log is not None:
        chosen.append(JsonLog(log))
    if tensorboard is not None:
        chosen.append(TensorBoard(tensorboard))
    if track_model and not track:
        raise ConfigError("--track-model sends the model to a tracker, but there is no --track.", "Add one.")
    return [*chosen, *(_tracker(text, track_model) for text in track)]


def _tracker(text: str, bundle: bool) -> Callback:
    """Return the tracker of a text such as "mlflow" or "mlflow:PROJECT"."""
    from fastbert.training.trackers import TRACKERS

    name, _, project = text.partition(":")
    if name not in TRACKERS:
        known = ", ".join(TRACKERS)
        raise ConfigError(f"--track is '{name}'; expected {known}.", did_you_mean(name, TRACKERS))
    return TRACKERS[name](project or None, bundle=bundle)
