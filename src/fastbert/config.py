"""Options: what a user may set, with names, types and ranges checked in one place.

`DataConfig` says how a table is read and turned into tokens, `TrainConfig` how a model is trained, with the
`Techniques` that not every training needs. A field that is None is chosen later: from the data (layout) or by the
recipe. Values also come from a TOML file or from `key=value` text. Knows nothing of tables or models.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from fastbert.errors import ConfigError, did_you_mean
from fastbert.loss_names import parse_loss
from fastbert.option_values import Options, check_range, parse_duration

TaskChoice = Literal["auto", "single_label", "multi_label", "regression", "tagging", "answering"]
Truncation = Literal["head", "tail", "head_tail", "windows"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
Pooling = Literal["default", "cls", "mean", "attention"]
FEW_ROWS = 16  # of a label, on average: with 32 and 64 of TREC-6 plain training was the better one (LOG 2026-11-30)
FEW_IN_ALL = 336  # rows with several labels each, as far as folds in place of a share were measured (LOG 2026-11-30)


@dataclass(frozen=True)
class DataConfig(Options):
    """How a table is read, split and cut into tokens.

    text: column of the text, or two columns for pairs; names, or numbers from 0.
    labels: one label column, or one 0/1 column a label.    labels_file: names, one a line.
    header: None detects whether the first row holds names.
    split: how a validation share is taken where no file is given: "stratified", or "hash" of the
        text (of the group where there is one), which is stable when rows come and go.
    group: column whose values never cross the split; only a table that is split needs it.
    valid_share: fraction of the training rows held out when there is no validation file.
    valid_folds: instead of a share, none is held out: each of so many parts of the rows is answered by a model of the
        others, and the model to save learns from all; 0 holds out the share. None: `fit` takes 3 where rows are few.
    max_tokens: longest input in tokens, special ones included; None: what the encoder takes, at most 512.
    truncation: which part of a longer text is kept; "windows" reads all of it in overlapping parts.
    """

    text: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    labels_file: str | None = None
    task: TaskChoice = "auto"
    header: bool | None = None
    delimiter: str | None = None
    group: str | None = None
    on_bad_row: Literal["error", "skip"] = "error"
    split: Literal["stratified", "hash"] = "stratified"
    valid_share: float = 0.1
    valid_folds: int | None = None
    max_tokens: int | None = None
    truncation: Truncation = "head_tail"

    @property
    def has_header(self) -> bool | None:
        """Return header; where it is left open, True if a column is given by its name."""
        columns = (*self.text, *self.labels, *([] if self.group is None else [self.group]))
        return True if self.header is None and not all(map(str.isdecimal, columns)) else self.header

    def __post_init__(self) -> None:
        if len(self.text) > 2:
            raise ConfigError(f"text names {len(self.text)} columns; one text or a pair of texts is read.")
        check_range("valid_share", self.valid_share, 0.0, 0.9, open_low=True)
        if self.valid_folds:
            check_range("valid_folds", self.valid_folds, 2, 100)
        if self.max_tokens is not None:
            check_range("max_tokens", self.max_tokens, 8, 1_000_000)


@dataclass(frozen=True)
class Techniques(Options):
    """What a training does beyond plain fine-tuning: the other options of TrainConfig, each measured in LOG.md.

    start: what comes first: "plain" nothing, "probe" the head alone on a frozen encoder (Kumar et al. 2022),
        "contrastive" an encoder that tells the labels apart, for few rows; "auto" chooses by their number.
    pooling: what the head reads: "default" what the encoder's own kind of head does; the first token ("cls"), the
        "mean" of all, or a mean with learned weights ("attention").
    dropout: of hidden states; None: as the encoder's configuration says.
    reinit_layers: so many layers from the top start at random (Zhang et al. 2021, arXiv 2006.05987).
    r_drop: weight of the divergence between two passes with different dropout (Liang et al. 2021, arXiv 2106.14448);
        a step takes twice as long; 0: one pass.
    ema: decay of a moving average of the weights, which is evaluated and kept in their place; 0: none.
    time_budget: longest time of a training, such as "10m": fewer epochs, or the head alone, where more do not fit.
    """

    start: Literal["auto", "plain", "probe", "contrastive"] = "auto"
    pooling: Pooling = "default"
    dropout: float | None = None
    reinit_layers: int = 0
    r_drop: float = 0.0
    ema: float = 0.0
    time_budget: str | None = None

    def __post_init__(self) -> None:
        if self.dropout is not None:
            check_range("dropout", self.dropout, 0.0, 0.9)
        check_range("reinit_layers", self.reinit_layers, 0, 1000)
        check_range("r_drop", self.r_drop, 0.0, 100.0)
        check_range("ema", self.ema, 0.0, 0.99999)
        if self.time_budget is not None:
            parse_duration(self.time_budget, "time_budget")


@dataclass(frozen=True)
class TrainConfig(Techniques):
    """How a model is trained. None means: chosen by the recipe from task, encoder and rows.

    epochs: passes over the training rows; may be a fraction.    lr: peak learning rate.
    schedule: shape of the rate, a name of `fastbert schedules`.
    warmup: below 1 a fraction of all steps, from 1 a number of steps.
    cycles: of the cyclic schedules.    layer_decay: factor on the rate per layer below the top.
    head_lr_factor: the head, which starts at random, learns at so many times the rate.
    batch_size: rows per optimiser step.    batch_tokens: padded tokens per forward pass; a larger
        batch is accumulated from parts: the same rows, order and gradient, but for rounding.
    freeze: "none", "encoder" (train the head alone) or "gradual" (one more group each epoch).
    loss: "default"; for rare labels "balanced" (weights), "focal" or "focal:GAMMA", "asymmetric" or "asymmetric:GAMMA"
        (several labels), "resampled" (their rows come more often) or "auto", which picks by validation; "huber" for
        regression on numbers with outliers.
    evaluations_per_epoch: validation runs an epoch.    patience: evaluations without a better
        score after which training stops; 0 never stops early.
    average: so many weights are averaged at the end: the latest that the validation rows cannot tell from
        the best. The mean is kept if it scores as high as the latest of them; 1 keeps that one.
    """

    encoder: str = "minilm"
    epochs: float | None = None
    lr: float | None = None
    schedule: str = "warmup_linear"
    warmup: float | None = None
    cycles: float | None = None
    optimizer: str = "adamw"
    weight_decay: float | None = None
    layer_decay: float = 1.0
    head_lr_factor: float | None = None
    batch_size: int = 16
    batch_tokens: int = 8192
    precision: Precision = "auto"
    clip_norm: float = 1.0
    freeze: Literal["none", "encoder", "gradual"] = "none"
    loss: str = "default"
    evaluations_per_epoch: int = 1
    patience: int = 0
    average: int = 3
    seed: int = 42

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("epochs", "lr", "clip_norm", "layer_decay", "head_lr_factor"):
            value = getattr(self, name)
            if value is not None:
                check_range(name, value, 0.0, 1e9, open_low=True)
        check_range("layer_decay", self.layer_decay, 0.0, 1.0, open_low=True)
        check_range("batch_size", self.batch_size, 1, 1_000_000)
        check_range("batch_tokens", self.batch_tokens, 8, 1_000_000_000)
        check_range("evaluations_per_epoch", self.evaluations_per_epoch, 1, 1000)
        check_range("average", self.average, 1, 20)
        parse_loss(self.loss)
        check_range("seed", self.seed, 0, 2**32 - 1)
        check_range("patience", self.patience, 0, 1_000_000)


@dataclass(frozen=True)
class DecisionConfig(Options):
    """How scores become answers; fitted on validation rows, and changed without training anew.

    goal: f1 (mean over labels), f1_micro, fbeta:2, precision>=0.9, recall>=0.95, recall>=0.95@LABEL, cost:FILE or
        default; None: of the task.
    calibrate: how scores become probabilities; "auto" takes what does best on rows held out.
    abstain: "none", a least confidence such as 0.8, risk<=0.05 or coverage>=0.9.
    outside: share of the validation rows that may be called unlike the training texts; 0 calls none.
    at_least, at_most: labels of an answer; with one label a row, at_most names so many of the best.
    """

    goal: str | None = None
    calibrate: Literal["auto", "none", "temperature", "platt", "isotonic"] = "auto"
    abstain: str = "none"
    outside: float = 0.0
    at_least: int = 0
    at_most: int | None = None

    def __post_init__(self) -> None:
        check_range("outside", self.outside, 0.0, 0.5)
        check_range("at_least", self.at_least, 0, 1_000_000)
        if self.at_most is not None:
            check_range("at_most", self.at_most, max(1, self.at_least), 1_000_000)


@dataclass(frozen=True)
class AdaptConfig(Options):
    """How an encoder learns the language of a corpus. None means: chosen by the recipe from encoder and corpus.

    text: columns of tables that hold text.    header: None detects whether the first row of a table holds names.
    valid_share: share of the documents held out to measure the loss.
    max_tokens: of a sequence; None: 128, or what the encoder takes if that is less.
    mask_rate: share of the tokens that are predicted.
    whole_word: mask whole words; None: where the tokenizer is a WordPiece.
    next_sentence: predict too whether one text follows another, as the first BERT did.
    epochs: passes over the corpus, each with fresh masks.    lr: peak learning rate.
    warmup: fraction of all steps.    batch_size: sequences per optimiser step.
    batch_tokens: padded tokens per forward pass; a larger batch is accumulated from parts.
    pregenerate: so many epochs of examples are written to disk first and used in turn; 0 makes each when needed.
    """

    text: tuple[str, ...] = ()
    header: bool | None = None
    valid_share: float = 0.05
    max_tokens: int | None = None
    mask_rate: float = 0.15
    whole_word: bool | None = None
    next_sentence: bool = False
    epochs: int | None = None
    lr: float | None = None
    warmup: float = 0.06
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    batch_size: int = 32
    batch_tokens: int = 8192
    precision: Precision = "auto"
    pregenerate: int = 0
    seed: int = 42

    def __post_init__(self) -> None:
        if isinstance(self.text, str):
            raise ConfigError(f"text is '{self.text}'; expected a tuple of columns.", f'Write text=("{self.text}",).')
        self.check_types()
        for name in ("lr", "clip_norm"):
            value = getattr(self, name)
            if value is not None:
                check_range(name, value, 0.0, 1e9, open_low=True)
        check_range("valid_share", self.valid_share, 0.0, 0.9, open_low=True)
        check_range("mask_rate", self.mask_rate, 0.0, 0.9, open_low=True)
        check_range("warmup", self.warmup, 0.0, 0.9)
        check_range("weight_decay", self.weight_decay, 0.0, 10.0)
        if self.max_tokens is not None:
            check_range("max_tokens", self.max_tokens, 8, 1_000_000)
        if self.epochs is not None:
            check_range("epochs", self.epochs, 1, 10_000)
        check_range("batch_size", self.batch_size, 1, 1_000_000)
        check_range("batch_tokens", self.batch_tokens, 8, 1_000_000_000)
        check_range("pregenerate", self.pregenerate, 0, 10_000)
        check_range("seed", self.seed, 0, 2**32 - 1)


def read_options(path: str | Path) -> dict[str, object]:
    """Return the options of a TOML file: top-level keys and those of its [data], [train] and [decide] tables."""
    place = Path(path)
    try:
        content = tomllib.loads(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{place}: the configuration cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{place}: not valid TOML: {error}.") from error
    merged: dict[str, object] = {}
    for name, value in content.items():
        merged.update(value if name in ("data", "train", "decide") and isinstance(value, dict) else {name: value})
    return merged


def split_options(options: Mapping[str, object]) -> tuple[DataConfig, TrainConfig]:
    """Sort options by name into the two configurations. Raises ConfigError for an unknown name."""
    data_names = {field.name for field in fields(DataConfig)}
    train_names = {field.name for field in fields(TrainConfig)}
    for name in options:
        if name not in data_names | train_names:
            hint = did_you_mean(name, data_names | train_names)
            raise ConfigError(
                f"'{name}' is not an option.", hint or f"Known: {', '.join(sorted(data_names | train_names))}."
            )
    data = DataConfig().changed(**{name: value for name, value in options.items() if name in data_names})
    train = TrainConfig().changed(**{name: value for name, value in options.items() if name in train_names})
    return data, train


def take_decisions(options: Mapping[str, object]) -> tuple[DecisionConfig, dict[str, object]]:
    """Return the options of the decision rule, and the others. Raises ConfigError for a wrong value."""
    names = {field.name for field in fields(DecisionConfig)}
    config = DecisionConfig().changed(**{name: value for name, value in options.items() if name in names})
    return config, {name: value for name, value in options.items() if name not in names}


def parse_assignment(text: str) -> tuple[str, str]:
    """Split "key=value". Raises ConfigError without an equals sign.

    >>> parse_assignment("lr=1e-4")
    ('lr', '1e-4')
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ConfigError(f"'{text}' is not of the form key=value.", "Example: --set lr=1e-4")
    return name.strip().replace("-", "_"), value.strip()
