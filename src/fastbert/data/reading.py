"""The one door from a file to examples: what kind of file it is, and its rows read as that kind says.

A training file is looked at once; what was found (its layout) is saved with the model and reads later files. Here
alone is it known which layout goes with which reader. Knows nothing of tokens or of models.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

from fastbert.config import DataConfig
from fastbert.data.examples import Example
from fastbert.data.files import InputFile, standard_input
from fastbert.data.header import Header
from fastbert.data.label_cells import TaskOption
from fastbert.data.label_names import read_label_names
from fastbert.data.layout import Layout, LayoutOptions, detect_layout
from fastbert.data.question_detection import column_names, is_squad_file, layout_of_another, open_questions
from fastbert.data.questions import QuestionLayout, detect_questions, looks_like_questions, read_questions
from fastbert.data.records import MEMORY_NAME
from fastbert.data.rows import Report, to_examples, to_values
from fastbert.data.sources import Source, is_standard_input, open_rows, read_table
from fastbert.data.table import RowStream, Table
from fastbert.data.tagging import TaggingLayout, detect_tagging, looks_tagged, read_tagged
from fastbert.data.tagging_another import layout_of_another as layout_of_tagged
from fastbert.data.tagging_another import layout_to_predict
from fastbert.errors import ConfigError, DataError
from fastbert.labels import Labels

AnyLayout = Layout | TaggingLayout | QuestionLayout
TAGGED = {
    "conll": "CoNLL, a token and its tag a line",
    "parallel": "parallel files of tokens and of tags",
    "spans": "JSON, texts with spans",
    "brat": "BRAT, texts with annotations beside",
    "token_table": "table, a token a row",
}


@dataclass(frozen=True)
class ReadFile:
    """The examples of a file in its order. report: what was left out.    format: how it was written, for people.

    unit: what its rows are called.
    """

    name: str
    examples: Sequence[Example]
    report: Report
    format: str
    unit: str = "row"


def read_training_file(source: Source, config: DataConfig) -> tuple[AnyLayout, ReadFile]:
    """Find out what a file holds and read it.

    Raises DataError for a file or row that cannot be used, or where it is not clear what a column means.
    """
    layout, table = find_layout(source, config)
    if isinstance(layout, QuestionLayout):
        return layout, _read_questions(source, layout, config)
    if isinstance(layout, TaggingLayout):
        return layout, _read_tagged(source, layout, config)
    assert table is not None  # a table of texts is read to find its layout
    return layout, read_examples(table, layout, config)


def find_layout(source: Source, config: DataConfig) -> tuple[AnyLayout, Table | None]:
    """Return what a training file holds, and its rows where it is a table of texts. Raises DataError as above."""
    if _holds_questions(source, config):
        return _detect_questions(source, config), None
    if config.task == "tagging" or (config.task == "auto" and _looks_tagged(source, config)):
        return _detect_tagging(source, config), None
    table = read_table(source, header=config.has_header)
    return detect_layout(table, _layout_options(config)), table


def read_file(
    source: Source,
    layout: AnyLayout,
    config: DataConfig,
    *,
    labels: Labels | None = None,
    truth_required: bool = True,
) -> ReadFile:
    """Read another file of the kind that a layout describes.

    labels: those that rows may have, None for any.
    truth_required: False reads rows without labels, values or answers too, as rows to predict.
    """
    if isinstance(layout, QuestionLayout):
        file = _opened(source)
        questions = layout_of_another(file, layout, answers_required=truth_required)
        return _read_questions(file, questions, config, truth_required=truth_required)
    if isinstance(layout, TaggingLayout):
        file = _opened(source)
        return _read_tagged(file, layout_of_tagged(file, layout), config, labels, truth_required=truth_required)
    table = read_table(source, header=layout.header_of_another(config.has_header))
    known = layout if layout.group in table.columns else layout.without_group()
    return read_examples(table, known, config, labels, truth_required=truth_required)


def read_like(
    source: Source,
    saved: AnyLayout | None,
    config: DataConfig,
    task: str,
    *,
    labels: Labels | None = None,
    truth_required: bool = True,
) -> ReadFile:
    """Read a file for a trained model: by the layout it was trained with, or as the user says that it differs.

    saved: that layout, None for a model that was not trained on a file.    task: the model's.
    """
    asked = config.text or config.labels or config.labels_file or config.delimiter
    if saved is not None and not asked:
        return read_file(source, saved, config, labels=labels, truth_required=truth_required)
    if task == QuestionLayout.task:
        file = _opened(source)
        named = _with_trained_columns(file, saved, config)
        questions = _detect_questions(file, named, answers_required=truth_required)
        return _read_questions(file, questions, config, truth_required=truth_required)
    if task == "tagging":
        file = _opened(source)
        tagging = _detect_like(file, saved, config)
        return _read_tagged(file, tagging, config, labels, truth_required=truth_required)
    assert saved is None or isinstance(saved, Layout)  # it is of the model's task
    header = config.has_header if saved is None else saved.header_of_another(config.has_header)
    table = read_table(source, header=header)
    layout = detect_layout(table, _as_trained(config, saved, task), labels_required=truth_required)
    return read_examples(table, layout, config, labels, truth_required=truth_required)


def layout_from_json(values: Mapping[str, object]) -> AnyLayout:
    """Return the layout that its `to_json` described. Raises DataError if it is damaged."""
    if "question" in values:
        return QuestionLayout.from_json(values)
    return TaggingLayout.from_json(values) if values.get("kind") == TaggingLayout.kind else Layout.from_json(values)


def open_inputs(
    source: Source, saved: AnyLayout | None, header: Header, *, stream: BinaryIO | None = None
) -> RowStream:
    """Open the rows of a file to predict, which needs no truth.

    A SQuAD file gives its questions as rows: id, question and context. Takes and raises what `open_rows` does.
    """
    if isinstance(saved, QuestionLayout):
        return open_questions(source, (saved.question, saved.context), header, stream=stream)
    return open_rows(source, header=header, stream=stream)


def read_marked_up(source: Source, layout: AnyLayout | None, config: DataConfig) -> ReadFile | None:
    """Read the texts to predict of a file in a format of tagged text; tags in it are not read.

    Returns None if they come as a table or as lines, which `open_inputs` reads.
    """
    if not isinstance(layout, TaggingLayout) or len(config.text) > 1:
        return None
    found = layout_to_predict(source, layout, next(iter(config.text), None), config.has_header)
    if found is None:
        return None
    examples, report = read_tagged(source, found, texts_only=True)
    return _tagged_file(source, found, examples, report)


# --- tagged text ------------------------------------------------------------------------------------


def _looks_tagged(source: Source, config: DataConfig) -> bool:
    """Return True if a source holds tagged text for certain, in the columns that the user names."""
    if len(config.labels) > 1:
        return False  # tags are one column
    text = config.text[0] if len(config.text) == 1 else None  # several are refused, which names the task
    return looks_tagged(source, text=text, tag=next(iter(config.labels), None))


def _detect_tagging(source: Source, config: DataConfig) -> TaggingLayout:
    """Find out how tagged text is written. Raises ConfigError for options that it does not have."""
    for name, given in (("group", config.group), ("delimiter", config.delimiter), ("labels-file", config.labels_file)):
        if given is not None:
            raise ConfigError(f"--{name} is about a table of labels, but the task is tagging.", f"Drop --{name}.")
    if len(config.text) > 1 or len(config.labels) > 1:
        raise ConfigError(
            "Tagged text has one column of tokens or texts and one of tags or spans.", "Name one of each."
        )
    text, tag = (next(iter(names), None) for names in (config.text, config.labels))
    return detect_tagging(source, text=text, tag=tag, header=config.header)


def _detect_like(source: Source, saved: AnyLayout | None, config: DataConfig) -> TaggingLayout:
    """Find out how tagged text is written: where the user names one column or key, the other is the trained one."""
    if isinstance(saved, TaggingLayout) and (saved.format != "conll" or saved.named):
        text, tag = ((name,) if name is not None else () for name in (saved.text, saved.tag))
        with suppress(DataError):  # it has no such column
            return _detect_tagging(source, replace(config, text=config.text or text, labels=config.labels or tag))
    return _detect_tagging(source, config)


def _opened(source: Source) -> Source:
    """Return a source that can be looked at before it is read: standard input as a file."""
    return standard_input() if is_standard_input(source) else source


def _read_tagged(
    source: Source,
    layout: TaggingLayout,
    config: DataConfig,
    labels: Labels | None = None,
    *,
    truth_required: bool = True,
) -> ReadFile:
    examples, report = read_tagged(
        source, layout, labels=labels, labels_required=truth_required, on_bad_row=config.on_bad_row
    )
    return _tagged_file(source, layout, examples, report)


def _tagged_file(source: Source, layout: TaggingLayout, examples: Sequence[Example], report: Report) -> ReadFile:
    name = Path(source).name if isinstance(source, str | os.PathLike) else MEMORY_NAME
    name = source.name if isinstance(source, InputFile) else name
    unit = "row" if layout.format in ("spans", "token_table") else "line"
    return ReadFile(name, examples, report, TAGGED[layout.format], unit)


# --- tables of texts --------------------------------------------------------------------------------


def _as_trained(config: DataConfig, saved: Layout | None, task: str) -> LayoutOptions:
    """Return what the user says of a table, completed by what is known of the training table."""
    options = replace(_layout_options(config), task=task, group=None)  # type: ignore[arg-type]  # checked by the class
    if saved is None:
        return options
    return replace(
        options,
        text=options.text or tuple(column for column in (saved.text, saved.pair) if column is not None),
        labels=options.labels or saved.label_columns,
        label_names=options.label_names or saved.label_names,
        delimiter=options.delimiter or (None if options.labels else saved.delimiter),
    )


def _layout_options(config: DataConfig) -> LayoutOptions:
    """Return what a user says of a table."""
    names = read_label_names(config.labels_file) if config.labels_file is not None else None
    return LayoutOptions(
        text=config.text,
        labels=config.labels,
        task=cast("TaskOption", config.task),  # those that are not of tables have their own readers
        label_names=names,
        delimiter=config.delimiter,
        group=config.group,
        on_bad_row=config.on_bad_row,
    )


def read_examples(
    table: Table, layout: Layout, config: DataConfig, labels: Labels | None = None, *, truth_required: bool = True
) -> ReadFile:
    """Return the examples of a table that has been read; arguments as of `read_file`."""
    examples: Sequence[Example]
    if layout.kind == "number":
        examples, report = to_values(table, layout, values_required=truth_required, on_bad_row=config.on_bad_row)
    else:
        examples, report = to_examples(
            table, layout, labels=labels, labels_required=truth_required, on_bad_row=config.on_bad_row
        )
    return ReadFile(table.name, examples, report, table.format.describe())


# --- questions --------------------------------------------------------------------------------------


def _holds_questions(source: Source, config: DataConfig) -> bool:
    """Return whether a training file holds questions: as the user says, or if it is certain and fits what is named."""
    if config.task != "auto":
        return config.task == QuestionLayout.task
    if is_squad_file(source):
        return True
    if config.header is False or config.labels_file or config.delimiter or not looks_like_questions(source):
        return False
    found = detect_questions(source)
    return config.text in ((), (found.question, found.context)) and config.labels in ((), (found.answer,))


def _with_trained_columns(source: Source, saved: AnyLayout | None, config: DataConfig) -> DataConfig:
    """Return what the user says of a table, completed by the trained columns that it has."""
    if not isinstance(saved, QuestionLayout) or is_squad_file(source):
        return config
    columns = column_names(source, saved, config.has_header)
    text = saved.text_columns if all(name in columns for name in saved.text_columns) else ()
    answer = (saved.answer,) if saved.answer is not None and saved.answer in columns else ()
    return replace(config, text=config.text or text, labels=config.labels or answer)


def _detect_questions(source: Source, config: DataConfig, *, answers_required: bool = True) -> QuestionLayout:
    for option, given in (("--labels-file", config.labels_file), ("--delimiter", config.delimiter)):
        if given is not None:
            raise ConfigError(f"{option} is about labels, but --task is answering.", "Drop one of the two.")
    if config.group is not None:
        raise ConfigError(
            "--group names a column, but questions are grouped by their contexts.",
            "Drop it: no context is on both sides of the split.",
        )
    if len(config.labels) > 1:
        raise ConfigError(
            f"--labels names {len(config.labels)} columns; the answers are in one.", "Name it with --label."
        )
    return detect_questions(
        source,
        text=config.text,
        answer=config.labels[0] if config.labels else None,
        header=config.has_header,
        answers_required=answers_required,
    )


def _read_questions(
    source: Source, layout: QuestionLayout, config: DataConfig, *, truth_required: bool = True
) -> ReadFile:
    examples, report = read_questions(source, layout, answers_required=truth_required, on_bad_row=config.on_bad_row)
    return ReadFile(report.name, examples, report, "SQuAD" if layout.format == "squad" else "a question in each row")
