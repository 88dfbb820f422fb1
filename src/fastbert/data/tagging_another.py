"""How another file is written than the one that a model was trained on: to measure, or with texts to predict.

Each file is looked at itself; what is known of the training file says which of its columns or keys are meant, and
settles what is not certain. Knows nothing of examples.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from fastbert.data.brat import TEXT_SUFFIX, find_texts
from fastbert.data.conll import (
    SENTENCE_NAMES,
    TOKEN_NAMES,
    ConllLines,
    find_columns,
    has_shape_of_tokens,
    read_conll,
)
from fastbert.data.files import InputFile, find_file
from fastbert.data.header import ExpectedHeader
from fastbert.data.json_values import first_values
from fastbert.data.parallel_tokens import TAG_FILE, TOKEN_FILE
from fastbert.data.sources import Source, open_rows
from fastbert.data.span_records import SpanKeys, UnclearText, detect_keys
from fastbert.data.tagging_detection import (
    BINARY_HEADS,
    CONLL_SUFFIXES,
    HEAD_ROWS,
    beginning,
    begins_like_json,
    detect_tagging,
    looks_tagged,
)
from fastbert.data.tagging_layout import TaggingLayout
from fastbert.data.token_table import named_column
from fastbert.errors import DataError


def layout_of_another(source: Source, trained: TaggingLayout) -> TaggingLayout:
    """Return how another file of tagged text is written.

    Its columns or keys are the trained ones if it has them, else those that are found in it. A file that is in no
    known way gets the trained layout, whose reader says what is wrong with it.
    """
    header = False if trained.format == "token_table" and (trained.text or "").isdigit() else None
    found = None
    if trained.format != "conll" or trained.named:  # a number that was found says nothing of another file's columns
        found = _detected(source, trained.text, trained.tag, header)
    if found is None or found.format != trained.format:
        found = _detected(source) or trained
    return replace(found, scheme=trained.scheme)


def layout_to_predict(
    source: Source, trained: TaggingLayout, text: str | None = None, header: bool | None = None
) -> TaggingLayout | None:
    """Return how texts to predict are written, None if they are a table or one text on each line.

    text: the column or key that the user names.
    Raises DataError for a column that a file of tokens does not have, or for a folder without texts.
    """
    if isinstance(source, str | os.PathLike):
        if os.path.isdir(source):
            return _layout_of_folder(Path(source), trained)
        file = find_file(source)
        if looks_tagged(source) and not begins_like_json(file):  # which may be so by the files beside it
            return _certain(source, trained, text, header)
        return _layout_of_file(file, trained, text, header)
    if isinstance(source, InputFile):
        return _layout_of_file(source, trained, text, header)
    if isinstance(source, list | tuple):
        return _layout_of_values(source[:HEAD_ROWS], trained, text)
    return _certain(source, trained, text, header) if looks_tagged(source) else None


def _detected(
    source: Source, text: str | None = None, tag: str | None = None, header: bool | None = None
) -> TaggingLayout | None:
    try:
        return detect_tagging(source, text=text, tag=tag, header=header)
    except DataError:
        return None


def _certain(source: Source, trained: TaggingLayout, text: str | None, header: bool | None) -> TaggingLayout:
    """Return the layout of what surely is tagged. Raises DataError for a named column that is not there."""
    if text is None and header is None:
        return layout_of_another(source, trained)
    return detect_tagging(source, text=text, header=header)


def _layout_of_folder(folder: Path, trained: TaggingLayout) -> TaggingLayout:
    """Return how a folder of texts to predict is written, which needs neither tags nor annotations."""
    found = layout_of_another(folder, trained)
    if found != trained:
        return found
    tokens, tags = (trained.text, trained.tag) if trained.format == "parallel" else (TOKEN_FILE, TAG_FILE)
    if (folder / (tokens or TOKEN_FILE)).is_file():
        return TaggingLayout("parallel", tokens, tags, None, trained.scheme)
    if find_texts(folder):
        return TaggingLayout("brat", None, None, None, None)
    raise DataError(
        f"The folder {folder} holds no texts to predict.",
        f"Expected {TOKEN_FILE} with a sentence on each line, or texts ({TEXT_SUFFIX}); or give the path of one file.",
    )


def _layout_of_file(
    file: InputFile, trained: TaggingLayout, text: str | None, header: bool | None
) -> TaggingLayout | None:
    if begins_like_json(file):
        return _layout_of_values(first_values(file), trained, text)
    if looks_tagged(file):
        return _certain(file, trained, text, header)
    if file.suffix in CONLL_SUFFIXES:
        return _conll_layout(read_conll(file), trained, text, header)
    if file.head(8).startswith(BINARY_HEADS) or file.suffix == ".csv":
        return _token_table(file, trained, text)
    # Words in blocks say little by themselves: lines of Chinese text hold no blanks either.
    if trained.format == "conll" and file.head(1024).strip() and has_shape_of_tokens(read_conll(beginning(file))):
        return _conll_layout(read_conll(file), trained, text, header)
    return _token_table(file, trained, text)


def _conll_layout(conll: ConllLines, trained: TaggingLayout, text: str | None, header: bool | None) -> TaggingLayout:
    """Return the layout of lines of tokens, be they with tags or without."""
    found = None
    if text is None and trained.format == "conll" and trained.named and conll.width > 1:
        with suppress(DataError):  # it has no such columns
            found = find_columns(conll, trained.text, trained.tag, header)
    token, tag = found or find_columns(conll, text, None, header)
    return TaggingLayout("conll", token, tag, None, trained.scheme, named=found is not None or text is not None)


def _token_table(source: Source, trained: TaggingLayout, text: str | None) -> TaggingLayout | None:
    """Return the layout of a table of tokens without tags, None for any other: it is a table of texts."""
    if trained.format != "token_table" or text is not None:
        return None
    columns = open_rows(source, header=ExpectedHeader((trained.text or "",))).columns
    if trained.text in columns and (trained.sentence is None or trained.sentence in columns):
        return trained
    tokens, sentence = named_column(columns, TOKEN_NAMES), named_column(columns, SENTENCE_NAMES)
    if tokens is None or sentence is None or "text" in columns:
        return None
    return TaggingLayout("token_table", tokens, trained.tag, sentence, trained.scheme)


def _layout_of_values(values: Sequence[object], trained: TaggingLayout, text: str | None) -> TaggingLayout | None:
    """Return the layout of records, None if they are a table with the column of texts that is wanted."""
    wanted = text or trained.text_columns[0]
    records = [value for value in values if isinstance(value, Mapping)]
    if any(isinstance(record.get(wanted), str) for record in records):
        return None
    keys = None
    if text is None:
        with suppress(UnclearText):  # the trained key is not in them
            keys = detect_keys(values, trained.text)
    keys = keys or detect_keys(values, text)
    if keys is not None:
        return _spans_layout(keys, trained)
    tokens = named_column(list(records[0]), TOKEN_NAMES) if records else None
    if tokens is not None and isinstance(records[0][tokens], list):
        return _lists_layout(records, tokens, trained)
    return None


def _spans_layout(keys: SpanKeys, trained: TaggingLayout) -> TaggingLayout:
    return TaggingLayout("spans", keys.text, keys.spans, None, trained.scheme, (keys.reason,))


def _lists_layout(records: Sequence[Mapping[str, object]], tokens: str, trained: TaggingLayout) -> TaggingLayout:
    """Return the layout of records that hold lists of tokens, be they with tags or without."""
    found = _detected(list(records))
    return found or TaggingLayout("token_table", tokens, trained.tag or "tags", None, trained.scheme)
