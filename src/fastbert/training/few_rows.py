"""What comes first where each label has few rows: the choice behind `start="auto"`, and what a choice needs.

Knows nothing of how anything is trained.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.errors import ConfigError
from fastbert.models.loading import Encoder, HeadFactory, keeps_head
from fastbert.models.pooling import pooling_of
from fastbert.tasks.classification import SingleLabel

FEW_ROWS = 16  # of a label, on average: with 32 and 64 of TREC-6 plain training was the better one (LOG 2026-11-30)


def with_start(
    data: DataBunch, config: TrainConfig, encoder: Encoder, head: HeadFactory | None
) -> tuple[TrainConfig, tuple[str, ...]]:
    """Return the configuration with what "contrastive" needs, for those rows too that "auto" chooses it for, and why.

    "auto" stays as it is elsewhere. Raises ConfigError where "contrastive" is asked for and cannot be done.
    """
    if config.start not in ("auto", "contrastive"):
        return config, ()
    why_not = hurdle(data, config, head)
    if config.start == "contrastive" and why_not:
        raise ConfigError(f"start is 'contrastive', but {why_not}.", "Leave start at auto, or use plain or probe.")
    if config.start == "auto" and (why_not or not _is_wanted(data, config, encoder)):
        return config, ()
    pooling = config.pooling if config.pooling != "default" else pooling_of(Path(encoder.source))
    rows = len(data.examples("train")) / len(data.labels)
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


def _is_wanted(data: DataBunch, config: TrainConfig, encoder: Encoder) -> bool:
    """Return whether rows are few single texts and nothing was set that speaks of a plain training."""
    is_open = config.epochs is None and config.lr is None and config.loss == "default"
    rows = data.examples("train")
    few = len(rows) <= FEW_ROWS * len(data.labels) and rows[0].pair is None  # of two texts nothing was measured
    return is_open and few and not config.reinit_layers and not keeps_head(encoder, data.task)
