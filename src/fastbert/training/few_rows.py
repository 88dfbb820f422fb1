"""What comes first where each label has few rows: the choice behind `start="auto"`, and what a choice needs.

Knows nothing of how anything is trained.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from fastbert.config import FEW_IN_ALL, FEW_ROWS, TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.errors import ConfigError
from fastbert.models.loading import Encoder, HeadFactory, keeps_head
from fastbert.models.pooling import pooling_of
from fastbert.tasks.classification import MultiLabel, SingleLabel
from fastbert.tasks.label_task import Classification


def with_start(
    data: DataBunch, config: TrainConfig, encoder: Encoder, head: HeadFactory | None
) -> tuple[TrainConfig, tuple[str, ...]]:
    """Return the configuration with what "contrastive" needs, for those rows too that "auto" chooses it for, and why.

    "auto" stays as it is elsewhere; where rows are few, the sentence says what stands against pairs.
    Raises ConfigError where "contrastive" is asked for and cannot be done.
    """
    if config.start not in ("auto", "contrastive"):
        return config, ()
    why_not = hurdle(data, config, head)
    if config.start == "contrastive" and why_not:
        raise ConfigError(f"start is 'contrastive', but {why_not}.", "Leave start at auto, or use plain or probe.")
    if config.start == "auto" and not are_few(data):
        return config, ()
    rows = len(data.training_table) / len(data.labels)
    if config.start == "auto" and (why_not := why_not or _objection(data, config, encoder)):
        return config, (f"start plain: with {rows:.3g} rows a label pairs of rows would come first, but {why_not}",)
    pooling = config.pooling if config.pooling != "default" else pooling_of(Path(encoder.source))
    why = (
        f"start contrastive: {rows:.3g} rows a label"
        + ("" if config.start == "contrastive" else f", at most {FEW_ROWS}")
        + f"; pairs of rows teach the encoder first, and the head reads {_PHRASES[pooling]}"
    )
    return config.changed(start="contrastive", pooling=pooling), (why,)


_PHRASES = {"cls": "the first token", "mean": "the mean of the tokens", "attention": "a weighted mean of the tokens"}


def hurdle(data: DataBunch, config: TrainConfig, head: HeadFactory | None) -> str:
    """Return why pairs cannot be trained on, as half a sentence; nothing if they can."""
    if not isinstance(data.task, SingleLabel):
        return f"the task is {data.task.name}: pairs are told apart by the one label of a row"
    if type(data.task) is not SingleLabel:
        return "the task has a loss of its own, that of a student or yours"
    if head is not None:
        return "a head of your own is given, which says nothing of the vector of a row"
    if config.freeze != "none":
        return f"freeze is '{config.freeze}': the encoder cannot learn"
    counts = Counter(data.task.strata(data.examples("train")))
    if len(counts) < 2 or max(counts.values()) < 2:
        return "the training rows have no two of one label beside one of another"
    return ""


def are_few(data: DataBunch) -> bool:
    """Return whether rows have labels, and each label few of them, those held out counted, too."""
    return isinstance(data.task, Classification) and len(data.training_table) <= FEW_ROWS * len(data.labels)


def are_few_with_several_labels(data: DataBunch) -> bool:
    """Return whether rows are few, in all as well, and may have several labels each: no pairs of rows come first.

    A hundred labels with 16 rows each are no small table: a tenth of it is a fair scale, and thrice the work is long.
    """
    return isinstance(data.task, MultiLabel) and are_few(data) and len(data.training_table) <= FEW_IN_ALL


def _objection(data: DataBunch, config: TrainConfig, encoder: Encoder) -> str:
    """Return what speaks of a plain training, as half a sentence, or nothing."""
    chosen = {
        "epochs": config.epochs is not None,
        "lr": config.lr is not None,
        "loss": config.loss != "default",
        "reinit_layers": config.reinit_layers > 0,
    }
    names = [name for name, is_set in chosen.items() if is_set]
    if names:
        return f"{' and '.join(names)} {'are' if len(names) > 1 else 'is'} set; start=contrastive asks for them anyway"
    if data.examples("train")[0].pair is not None:
        return "a row has two texts, for which they were not measured; start=contrastive asks for them anyway"
    if keeps_head(encoder, data.task):
        return "the encoder brings a head for the same labels"
    return ""
