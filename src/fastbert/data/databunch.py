"""The data of a run: typed examples of train, valid and test, their task, tokens and warnings.

Made from files, frames or lists by detecting the layout once, on the training table, and
reading the other tables by it. A DataBunch does not change; `with_tokenizer` returns another.
Knows nothing of models or training.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from fastbert.config import DataConfig
from fastbert.data.checks import data_warnings, group_warnings
from fastbert.data.examples import TextExample
from fastbert.data.features import EncodedRows
from fastbert.data.label_names import read_label_names
from fastbert.data.layout import Layout, LayoutOptions, detect_layout
from fastbert.data.rows import Report, infer_labels, to_examples
from fastbert.data.sources import Source, read_table
from fastbert.data.splits import split_indices, text_key
from fastbert.data.table import Table
from fastbert.data.token_cache import cached
from fastbert.data.tokens import Tokenizer
from fastbert.display import Block, View, shorten
from fastbert.errors import ConfigError
from fastbert.tasks import TASKS
from fastbert.tasks.base import Task
from fastbert.tasks.classification import Classification

SHOWN_LABELS = 40
SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class DataBunch:
    """Examples by split, with the task they belong to.

    splits: "train", "valid" and, where given, "test".    facts: what was inferred, in sentences.
    warnings: what looks wrong, and what to do.    tokenizer, max_tokens: set by a learner.
    """

    task: Task
    splits: Mapping[str, tuple[TextExample, ...]]
    config: DataConfig = field(default_factory=DataConfig)
    layout: Layout | None = None
    facts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    tokenizer: Tokenizer | None = None
    max_tokens: int = 0
    _encoded: dict[str, EncodedRows] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_files(
        cls,
        train: Source,
        valid: Source | None = None,
        test: Source | None = None,
        *,
        config: DataConfig | None = None,
        seed: int = 42,
        **options: object,
    ) -> DataBunch:
        """Read tables: files, frames, lists of rows, or `datasets.Dataset`.

        options: fields of DataConfig. `label` is one column; `labels` are columns, or the path of a
        file with label names; `text` is a column or two for pairs.
        Without valid, a share of the training rows is held out.
        Raises DataError for a table or row that cannot be used, ConfigError for a wrong option.
        """
        chosen = (config or DataConfig()).changed(**normalize_options(options))
        tables = {"train": read_table(train, header=chosen.has_header)}
        layout = detect_layout(tables["train"], _layout_options(chosen))
        for split, source in (("valid", valid), ("test", test)):
            if source is not None:
                tables[split] = read_table(source, header=layout.header_of_another(chosen.has_header))
        return _assemble(tables, layout, chosen, seed)

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the label names in the model's order."""
        return tuple(cast("dict[int, str]", self.task.model_options["id2label"]).values())

    def with_tokenizer(self, tokenizer: Tokenizer, max_tokens: int) -> DataBunch:
        """Return the same data, to be encoded by a tokenizer."""
        return replace(self, tokenizer=tokenizer, max_tokens=max_tokens, _encoded={})

    def encoded(self, split: str) -> EncodedRows:
        """Return the windows of a split; encoded once and kept, many texts on disk too (`token_cache`).

        Raises ConfigError if the split does not exist or no tokenizer is set.
        """
        if self.tokenizer is None:
            raise ConfigError("The data has no tokenizer yet.", "Make a Learner, or use data.with_tokenizer(...).")
        if split not in self._encoded:
            examples = self.examples(split)
            features = self.task.encode(examples, cached(self.tokenizer), self.max_tokens)
            self._encoded[split] = EncodedRows.of(features, len(examples))
        return self._encoded[split]

    def examples(self, split: str) -> tuple[TextExample, ...]:
        """Return the examples of a split. Raises ConfigError if there is none of that name."""
        if split not in self.splits:
            raise ConfigError(f"There is no split '{split}'.", f"This data has {', '.join(self.splits)}.")
        return self.splits[split]

    def read_rows(self, source: Source) -> list[TextExample]:
        """Read another table by the same layout and labels."""
        if self.layout is None:
            raise ConfigError("This data was not read from a table; there is no layout to read another one by.")
        table = read_table(source, header=self.layout.header_of_another(self.config.has_header))
        labels = cast("Classification", self.task).labels
        return to_examples(table, self.layout.without_group(), on_bad_row=self.config.on_bad_row, labels=labels)[0]

    def label_counts(self) -> dict[str, dict[str, int]]:
        """Return how often each label occurs, by split."""
        counts = {split: dict.fromkeys(self.labels, 0) for split in self.splits}
        for split, examples in self.splits.items():
            for example in examples:
                for name in example.labels or ():
                    counts[split][name] += 1
        return counts

    def show_batch(self, rows: int = 4, split: str = "train") -> View:
        """Return the first rows of a split with labels, and their tokens once a tokenizer is set."""
        return View(tuple(_show_row(self, split, row) for row in range(min(rows, len(self.examples(split))))))

    def __repr__(self) -> str:
        return repr(self._view())

    def _repr_html_(self) -> str:
        return self._view()._repr_html_()

    def _view(self) -> View:
        sizes = ", ".join(f"{split} {len(examples):,}" for split, examples in self.splits.items())
        lines = [f"task      {self.task.name}, {len(self.labels)} labels", f"rows      {sizes}"]
        if self.tokenizer is not None:
            lines.append("tokens    " + length_phrase(self, "train"))
        blocks = [Block("DataBunch", tuple(lines)), label_block(self)]
        if self.warnings:
            blocks.append(Block("Worth a look", tuple(f"- {warning}" for warning in self.warnings)))
        return View(tuple(blocks))


def label_block(data: DataBunch) -> Block:
    """Return how often each label occurs in each split, as a table of at most 40 labels."""
    counts = data.label_counts()
    rows = tuple((name, *(str(counts[split][name]) for split in data.splits)) for name in data.labels[:SHOWN_LABELS])
    title = "Labels" if len(data.labels) <= SHOWN_LABELS else f"Labels (the first {SHOWN_LABELS} of {len(data.labels)})"
    return Block(title, (), ("label", *data.splits), rows)


def length_phrase(data: DataBunch, split: str) -> str:
    """Return the token lengths of a split in words, and how many rows are longer than allowed."""
    lengths = sorted(data.encoded(split).num_tokens_N.tolist())
    over = sum(length > data.max_tokens for length in lengths)
    middle, high = lengths[len(lengths) // 2], lengths[min(len(lengths) - 1, int(len(lengths) * 0.95))]
    verb = "read in windows" if data.config.truncation == "windows" else f"cut ({data.config.truncation})"
    cut = f"{over} of {len(lengths)} rows are {verb}" if over else "none is cut"
    return f"median {middle}, 95 % up to {high}, longest {lengths[-1]}; limit {data.max_tokens}, {cut}"


def normalize_options(options: Mapping[str, object]) -> dict[str, object]:
    """Accept `label` for one column, and a path in `labels` for a file of label names.

    Raises ConfigError if both name columns.
    """
    result = dict(options)
    labels = result.get("labels")
    # os.path: a long list of columns is no path, which Path.is_file says with an OSError
    if isinstance(labels, Path) or (isinstance(labels, str) and os.path.isfile(labels)):
        result["labels_file"] = str(result.pop("labels"))
    if "label" in result:
        if "labels" in result:
            raise ConfigError("label and labels are both given.", "Use label for one column, labels for several.")
        label = result.pop("label")
        result["labels"] = (label,) if isinstance(label, str) else label
    return result


def _layout_options(config: DataConfig) -> LayoutOptions:
    names = read_label_names(config.labels_file) if config.labels_file is not None else None
    return LayoutOptions(
        text=config.text,
        labels=config.labels,
        task=config.task,
        label_names=names,
        delimiter=config.delimiter,
        group=config.group,
        on_bad_row=config.on_bad_row,
    )


def _assemble(tables: Mapping[str, Table], layout: Layout, config: DataConfig, seed: int) -> DataBunch:
    train, report = to_examples(tables["train"], layout, on_bad_row=config.on_bad_row)
    labels = infer_labels(train, layout)
    splits, reports = {"train": train}, {"train": report}
    for split in ("valid", "test"):
        if split in tables:
            known = layout if layout.group in tables[split].columns else layout.without_group()
            splits[split], reports[split] = to_examples(
                tables[split], known, on_bad_row=config.on_bad_row, labels=labels
            )
    facts = [f"{tables[split].name}: {tables[split].format.describe()}" for split in tables] + list(layout.reasons)
    task_class = TASKS[layout.task]
    task = cast("type[Classification]", task_class)(labels, config.truncation)
    if "valid" not in splits:
        splits, fact = _hold_out(splits, task, config, seed)
        facts.append(fact)
    ordered = {split: tuple(splits[split]) for split in SPLITS if split in splits}
    warnings = [sentence for split, part in reports.items() for sentence in _report_sentences(split, part)]
    warnings += data_warnings(ordered, labels)
    warnings += group_warnings(ordered, layout.group) if layout.group is not None else []
    return DataBunch(task, ordered, config, layout, tuple(facts), tuple(warnings))


def _hold_out(
    splits: Mapping[str, list[TextExample]], task: Task, config: DataConfig, seed: int
) -> tuple[dict[str, list[TextExample]], str]:
    """Take a validation share from the training rows."""
    train = splits["train"]
    groups = [example.group for example in train] if config.group is not None else None
    kept, held = split_indices(
        [example.labels or () for example in train],
        share=config.valid_share,
        seed=seed,
        groups=groups,
        keys=[text_key(example.text, example.pair) for example in train],
        method="grouped" if groups is not None and config.split != "hash" else config.split,
    )
    by_group = "hash of" if config.split == "hash" else "kept together by"
    how = config.split if groups is None else f"{by_group} column '{config.group}'"
    result = dict(splits)
    result["train"] = [train[index] for index in kept]
    result["valid"] = [train[index] for index in held]
    return result, f"valid: {len(held)} of {len(train)} training rows held out ({how}, seed {seed})"


def _report_sentences(split: str, report: Report) -> list[str]:
    return [f"{split}: {sentence}" for sentence in report.sentences()]


def _show_row(data: DataBunch, split: str, row: int) -> Block:
    example = data.examples(split)[row]
    lines = [f"text      {shorten(example.text, 100)}"]
    if example.pair is not None:
        lines.append(f"pair      {shorten(example.pair, 100)}")
    lines.append(f"labels    {', '.join(example.labels or ()) or '(none)'}")
    if data.tokenizer is None:
        return Block(example.where, tuple(lines))
    encoded = data.encoded(split)
    windows = encoded.features[encoded.starts[row] : encoded.starts[row + 1]]
    lines.append(f"length    {windows[0].num_tokens} tokens in {len(windows)} window(s)")
    tokens = data.tokenizer.tokens_of(windows[0].input_ids_L.tolist())
    rows = (
        ("tokens", *tokens[:16]),
        ("ids", *(str(value) for value in windows[0].input_ids_L[:16])),
        ("mask", *("1" for _ in tokens[:16])),
        ("segment", *(str(value) for value in windows[0].token_type_ids_L[:16])),
    )
    return Block(example.where, tuple(lines), (), rows)
