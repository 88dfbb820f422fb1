"""The data of a run: typed examples of train, valid and test, their task, tokens and warnings.

Made from files, frames or lists by detecting the layout once, on the training table, and
reading the other tables by it. A DataBunch does not change; `with_tokenizer` returns another.
Knows nothing of models or training.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from fastbert.config import DataConfig
from fastbert.data.batches import Costs
from fastbert.data.checks import group_warnings
from fastbert.data.examples import Example, show_truth
from fastbert.data.features import EncodedRows
from fastbert.data.holding_out import fold_rows, fold_up, hold_out, unseen_in_folds
from fastbert.data.reading import AnyLayout, ReadFile, read_file, read_training_file
from fastbert.data.repeats import round_sizes
from fastbert.data.rows import Report
from fastbert.data.sources import Source
from fastbert.data.token_cache import cached
from fastbert.data.tokens import Tokenizer
from fastbert.display import Block, View, shorten
from fastbert.errors import ConfigError, DataError
from fastbert.tasks import TASKS
from fastbert.tasks.base import Task

SHOWN_LABELS = 40
SPLITS = ("train", "valid", "test")
HELD_OUT = "held_out"  # the split of a fold that is neither trained on nor chosen by


@dataclass(frozen=True)
class Fold:
    """One of the parts that a training table is divided into. rows: their places in the table, from 0.

    data: these rows as the split "held_out", and all others to train on and to choose weights and decisions by.
    """

    rows: tuple[int, ...]
    data: DataBunch


@dataclass(frozen=True)
class DataBunch:
    """Examples by split, with the task they belong to.

    splits: "train", "valid" and, where given, "test".    facts: what was inferred, in sentences.
    warnings: what looks wrong, and what to do.    tokenizer, max_tokens: set by a learner.
    valid_held_out: whether the validation rows are of the training table.
    valid_chooses: whether they may choose weights; not where they are to be answered by a model that never saw them.
    table: the rows of the training table in their order, where it was read from one.    seed: of what is held out.
    """

    task: Task
    splits: Mapping[str, tuple[Example, ...]]
    config: DataConfig = field(default_factory=DataConfig)
    layout: AnyLayout | None = None
    facts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    tokenizer: Tokenizer | None = None
    max_tokens: int = 0
    valid_held_out: bool = False
    valid_chooses: bool = True
    seed: int = 42
    table: tuple[Example, ...] = field(default=(), repr=False, compare=False)
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
        layout, read = read_training_file(train, chosen)
        task = TASKS[layout.task].from_examples(read.examples, layout, chosen)
        if task.always_windows:
            chosen = chosen.changed(truncation="windows")
        files = {"train": read}
        for split, source in (("valid", valid), ("test", test)):
            if source is not None:
                files[split] = read_file(source, layout, chosen, labels=task.known_labels)
                task.check_truths(files[split].examples)
        return _assemble(files, layout, task, chosen, seed)

    @classmethod
    def from_examples(
        cls,
        task: Task,
        splits: Mapping[str, Sequence[Example]],
        *,
        config: DataConfig | None = None,
        layout: AnyLayout | None = None,
        facts: Sequence[str] = (),
        seed: int = 42,
    ) -> DataBunch:
        """Take rows that are typed already, at least "train"; a share of it is held out where there is no "valid".

        layout: how a table of such rows is read.    facts: what was inferred of them, in sentences.
        Raises DataError where the rows cannot be divided.
        """
        chosen = config or DataConfig()
        parts, said = {split: tuple(examples) for split, examples in splits.items()}, tuple(facts)
        held_out, folded = "valid" not in parts, bool(chosen.valid_folds)
        if folded and not held_out:
            what = f"valid_folds is {chosen.valid_folds}, but the validation rows are a table of their own."
            raise ConfigError(what, "Leave --valid out, or valid_folds.")
        if held_out:
            parts, fact = fold_up(parts, task, chosen, seed) if folded else hold_out(parts, task, chosen, seed)
            said = (*said, fact)
        ordered = {split: parts[split] for split in SPLITS if split in parts}
        warnings, table = _warnings(task, ordered, layout, chosen, seed), tuple(splits["train"])
        made = cls(task, ordered, chosen, layout, said, warnings, valid_held_out=held_out, table=table)
        return replace(made, valid_chooses=not folded, seed=seed)

    @property
    def folded(self) -> bool:
        """Return whether all rows are trained on, and each is validated by a model of others (`valid_folds`)."""
        return bool(self.config.valid_folds)

    @property
    def sizes(self) -> str:
        """Return the number of rows of each split, for people."""
        shown = [f"{split} {count:,}" for split, count in self.row_counts().items()]
        if self.folded:
            shown.insert(1, f"valid the same, by {self.config.valid_folds} folds")
        return ", ".join(shown)

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the names of the model's outputs, in their order."""
        return self.task.label_names

    def with_tokenizer(self, tokenizer: Tokenizer, max_tokens: int) -> DataBunch:
        """Return the same data, to be encoded by a tokenizer; what a like one has encoded so already is kept."""
        alike = self.tokenizer is not None and self.max_tokens == max_tokens and tokenizer.is_like(self.tokenizer)
        return replace(self, tokenizer=tokenizer, max_tokens=max_tokens, _encoded=self._encoded if alike else {})

    def splits_anew(self, count: int, share: float, seed: int) -> list[DataBunch]:
        """Return the same rows up to so many times, each time another share of them held out, and no row twice.

        share: of training and validation rows together; count * share is below 1.    Fewer are returned where what
        was not held out yet cannot be divided, as with few groups. Raises DataError if not even one split is possible.
        """
        together = self.splits["train"] if self.folded else (*self.splits["train"], *self.splits["valid"])
        usual = replace(self, config=self.config.changed(valid_folds=0), valid_chooses=True, _encoded={})
        left, found = together, list[DataBunch]()
        for place in range(count):
            config = replace(self.config, valid_share=min(share * len(together) / len(left), 0.5))
            try:
                divided, _ = hold_out({"train": left}, self.task, config, seed + place)
            except DataError:
                if not found:
                    raise
                break
            left, held = divided["train"], set(map(id, divided["valid"]))
            divided["train"] = tuple(example for example in together if id(example) not in held)
            found.append(replace(usual, splits={**self.splits, **divided}, _encoded={}))
        return found

    @property
    def training_table(self) -> tuple[Example, ...]:
        """Return all rows that training may use, in the order of their table where that is known."""
        return self.table or (*self.splits["train"], *(self.splits["valid"] if self.valid_held_out else ()))

    def folds(self, count: int, seed: int) -> list[Fold]:
        """Return the training table so many times, each time with another part of it held out, and each row once.

        A validation file serves every fold; without one a share of what is not held out does, so that rows that are
        held out choose nothing. Label names, and the mean and deviation of numbers, are those of the whole table.
        Raises ConfigError for a wrong count, DataError where the rows cannot be divided so often.
        """
        found = []
        for held, rest in self._divided(count, seed):
            splits = {"train": rest, "valid": self.splits["valid"]}
            if self.valid_held_out:
                splits, _ = hold_out({"train": rest}, self.task, self.config, seed)
            splits[HELD_OUT] = tuple(self.training_table[row] for row in held)
            found.append(Fold(held, replace(self._of_fold(splits), valid_chooses=True)))
        return found

    def valid_folds(self) -> list[Fold]:
        """Return what validates rows that are all trained on: part after part, with all others to train on."""
        return [
            Fold(held, self._of_fold({"train": rest, "valid": tuple(self.training_table[row] for row in held)}))
            for held, rest in self._divided(self.config.valid_folds or 0, self.seed)
        ]

    def validated_by_folds(self, count: int) -> DataBunch:
        """Return the same rows, all to train on; no share of them is held out, each is validated by a model of others.

        Raises ConfigError where the validation rows are a table of their own or count is wrong, DataError where the
        rows cannot be divided so often.
        """
        parts = {split: rows for split, rows in self.splits.items() if split != "valid" or not self.valid_held_out}
        parts["train"] = self.training_table
        found = set(_warnings(self.task, self.splits, self.layout, self.config, self.seed))
        made = DataBunch.from_examples(
            self.task,
            parts,
            config=self.config.changed(valid_folds=count),
            layout=self.layout,
            facts=self.facts[:-1],  # the last one told of the share
            seed=self.seed,
        )
        warnings = (*(one for one in self.warnings if one not in found), *made.warnings)  # first those of reading
        return replace(made, warnings=warnings, tokenizer=self.tokenizer, max_tokens=self.max_tokens)

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

    def training_costs(self) -> Costs:
        """Return what the training rows cost, and how often each comes in an epoch."""
        return replace(self.encoded("train").costs, repeats_N=self.task.repeats(self.examples("train")))

    @property
    def round_rows(self) -> tuple[int, ...]:
        """Return the training rows of each round of an epoch: one round, unless the task repeats some of them."""
        repeats_N = self.task.repeats(self.examples("train"))
        return (len(self.examples("train")),) if repeats_N is None else round_sizes(repeats_N)

    def examples(self, split: str) -> tuple[Example, ...]:
        """Return the examples of a split. Raises ConfigError if there is none of that name."""
        if split not in self.splits:
            raise ConfigError(f"There is no split '{split}'.", f"This data has {', '.join(self.splits)}.")
        return self.splits[split]

    def read_rows(self, source: Source) -> Sequence[Example]:
        """Read another file by the same layout and labels."""
        if self.layout is None:
            raise ConfigError("This data was not read from a file; there is no layout to read another one by.")
        return read_file(source, self.layout, self.config, labels=self.task.known_labels).examples

    def label_counts(self) -> dict[str, dict[str, int]]:
        """Return how often each label, or whatever else can be learned, occurs, by split; each row counts once."""
        return {split: self.task.counts(self.splits[split]) for split in self.row_counts()}

    def row_counts(self) -> dict[str, int]:
        """Return the number of rows by split; rows that are trained on and validated by folds count once."""
        return {split: len(rows) for split, rows in self.splits.items() if split != "valid" or not self.folded}

    def show_batch(self, rows: int = 4, split: str = "train") -> View:
        """Return the first rows of a split with labels, and their tokens once a tokenizer is set."""
        return View(tuple(_show_row(self, split, row) for row in range(min(rows, len(self.examples(split))))))

    def _divided(self, count: int, seed: int) -> Iterator[tuple[tuple[int, ...], tuple[Example, ...]]]:
        """Yield the places of the rows of each fold, and all other rows."""
        rows = self.training_table
        fold_N = fold_rows(rows, self.task, self.config, count, seed)
        for place in range(count):
            rest = tuple(row for row, fold in zip(rows, fold_N, strict=True) if fold != place)
            yield tuple(np.flatnonzero(fold_N == place).tolist()), rest

    def _of_fold(self, splits: Mapping[str, tuple[Example, ...]]) -> DataBunch:
        return replace(self, splits=splits, config=self.config.changed(valid_folds=0), table=(), _encoded={})

    def __repr__(self) -> str:
        return repr(self._view())

    def _repr_html_(self) -> str:
        return self._view()._repr_html_()

    def _view(self) -> View:
        lines = [f"task      {self.task.describe()}", f"rows      {self.sizes}"]
        if self.tokenizer is not None:
            lines.append("tokens    " + length_phrase(self, "train"))
        blocks = [Block("DataBunch", tuple(lines)), label_block(self)]
        if self.warnings:
            blocks.append(Block("Worth a look", tuple(f"- {warning}" for warning in self.warnings)))
        return View(tuple(blocks))


def label_block(data: DataBunch) -> Block:
    """Return how often each label occurs in each split, as a table of at most 40 labels."""
    counts = data.label_counts()
    names = list(dict.fromkeys(name for found in counts.values() for name in found))
    rows = tuple((name, *(str(counts[split].get(name, 0)) for split in counts)) for name in names[:SHOWN_LABELS])
    title = f"{data.task.counted.capitalize()}s"
    title += "" if len(names) <= SHOWN_LABELS else f" (the first {SHOWN_LABELS} of {len(names)})"
    return Block(title, (), (data.task.counted, *counts), rows)


def length_phrase(data: DataBunch, split: str) -> str:
    """Return the token lengths of a split in words, and how many rows are longer than allowed."""
    encoded = data.encoded(split)
    lengths = sorted(encoded.num_tokens_N.tolist())
    over = sum(length > data.max_tokens for length in lengths)
    middle, high = lengths[len(lengths) // 2], lengths[min(len(lengths) - 1, int(len(lengths) * 0.95))]
    lost = encoded.features.windows.table_W["cut"].any()
    verb = f"cut ({data.config.truncation})" if lost else "read in windows"
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


def _assemble(files: Mapping[str, ReadFile], layout: AnyLayout, task: Task, config: DataConfig, seed: int) -> DataBunch:
    facts = [f"{file.name}: {file.format}" for file in files.values()] + list(layout.reasons)
    splits = {split: file.examples for split, file in files.items()}
    data = DataBunch.from_examples(task, splits, config=config, layout=layout, facts=facts, seed=seed)
    reports = [sentence for split, file in files.items() for sentence in _report_sentences(split, file.report)]
    return replace(data, warnings=(*reports, *data.warnings))


def _warnings(
    task: Task, splits: Mapping[str, tuple[Example, ...]], layout: AnyLayout | None, config: DataConfig, seed: int
) -> tuple[str, ...]:
    """Return what looks wrong in rows. With folds the validation rows are the training rows."""
    compared = {split: rows for split, rows in splits.items() if split != "valid" or not config.valid_folds}
    group = None if layout is None else layout.group
    found = (*task.warnings(compared), *([] if group is None else group_warnings(compared, group)))
    return (*found, *unseen_in_folds(splits["train"], task, config, seed)) if config.valid_folds else found


def _report_sentences(split: str, report: Report) -> list[str]:
    return [f"{split}: {sentence}" for sentence in report.sentences()]


def _show_row(data: DataBunch, split: str, row: int) -> Block:
    example = data.examples(split)[row]
    lines = [f"text      {shorten(example.text, 100)}"]
    if example.pair is not None:
        lines.append(f"pair      {shorten(example.pair, 100)}")
    lines.append(f"truth     {show_truth(example.truth)}")
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
