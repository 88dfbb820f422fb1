"""Tagged text (entities, slots) as examples: the one door for all formats in which it comes.

    layout = detect_tagging("train.conll")                   which format, columns and scheme
    examples, report = read_tagged("train.conll", layout)    what is in it, and what was wrong with it

Knows nothing of tokens of an encoder or of label ids.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from fastbert.data.brat import (
    ANNOTATION_SUFFIX,
    find_documents,
    find_texts,
    no_documents,
    read_documents,
    split_document,
)
from fastbert.data.columns import listed
from fastbert.data.conll import read_conll, read_sentences
from fastbert.data.examples import TaggedExample
from fastbert.data.files import InputFile, find_file, standard_input
from fastbert.data.header import ExpectedHeader
from fastbert.data.json_values import read_json_values
from fastbert.data.layout import BadRowOption
from fastbert.data.parallel_tokens import find_pair, pair_name, read_pair
from fastbert.data.records import MEMORY_NAME
from fastbert.data.rows import Report
from fastbert.data.sources import Source, is_standard_input, read_table
from fastbert.data.span_offsets import in_characters
from fastbert.data.span_records import read_records
from fastbert.data.spans import clean_entities
from fastbert.data.tagged_sentences import sentences_to_examples
from fastbert.data.tagging_detection import FORMATS_HINT, begins_like_json, detect_tagging, looks_tagged
from fastbert.data.tagging_layout import TaggingFormat, TaggingLayout
from fastbert.data.tagging_notes import ReadOptions, TaggingNotes
from fastbert.data.token_table import TokenColumns, read_token_table
from fastbert.errors import DataError
from fastbert.labels import Labels

__all__ = ["TaggingFormat", "TaggingLayout", "detect_tagging", "entity_labels", "looks_tagged", "read_tagged"]

Read = tuple[list[TaggedExample], Report]


def read_tagged(
    source: Source,
    layout: TaggingLayout,
    *,
    labels: Labels | None = None,
    labels_required: bool = True,
    on_bad_row: BadRowOption = "error",
    texts_only: bool = False,
) -> Read:
    """Return the examples of a source in its order, and a report of what was left out or read differently.

    layout: of the training file; a file is of the same format, but each file of tags is read by its own scheme.
    labels: those learned from the training file; any other label is an error.
    labels_required: False reads texts without tags or spans as texts to predict: their entities are None.
    texts_only: reads no tags or spans at all, wrong ones neither: all entities are None.
    on_bad_row: "skip" leaves out texts that cannot be read.
    Raises DataError for what cannot be read, unless told to skip it, for unknown labels, and if no text is left.
    """
    readers = {
        "conll": _read_conll,
        "parallel": _read_parallel,
        "spans": _read_spans,
        "brat": _read_brat,
        "token_table": _read_token_table,
    }
    options = ReadOptions(labels, labels_required and not texts_only, on_bad_row == "skip", texts_only)
    return readers[layout.format](source, layout, options)


def entity_labels(examples: Iterable[TaggedExample]) -> Labels:
    """Return the labels of all entities, sorted. Raises DataError if there is no entity at all."""
    found = list(examples)
    labels = Labels.from_values(entity.label for example in found for entity in example.entities or ())
    if not len(labels):
        raise DataError(
            f"None of the {len(found):,} texts has an entity.",
            "Training needs some. If they stand in another column or under another key, name it with --label.",
        )
    return labels


def _read_conll(source: Source, layout: TaggingLayout, options: ReadOptions) -> Read:
    file = _file_of(source, "CoNLL")
    if begins_like_json(file):
        raise DataError(f"{file.name} is JSON, but in none of the formats of tagged text.", FORMATS_HINT)
    notes = TaggingNotes(file.name, "line", options)
    sentences = read_sentences(read_conll(file), layout.text or "0", layout.tag or "-1", notes)
    examples = sentences_to_examples(sentences, notes, layout.scheme)
    return examples, notes.report(examples)


def _read_parallel(source: Source, layout: TaggingLayout, options: ReadOptions) -> Read:
    tokens, tags = find_pair(_path_of(source, "two files of tokens and tags"), layout.text, layout.tag)
    notes = TaggingNotes(pair_name(tokens), "line", options)
    examples = sentences_to_examples(read_pair(tokens, tags, notes), notes, layout.scheme)
    return examples, notes.report(examples)


def _read_spans(source: Source, layout: TaggingLayout, options: ReadOptions) -> Read:
    values: Sequence[tuple[int, object]]
    if isinstance(source, list | tuple):
        name, values = MEMORY_NAME, list(enumerate(source, start=1))
    else:
        file = _file_of(source, "JSON with spans")
        name, values = file.name, read_json_values(file)
    notes = TaggingNotes(name, "row", options)
    records = in_characters(read_records(values, layout.text, layout.tag or "entities", notes), notes)
    examples = [
        TaggedExample(
            record.text, clean_entities(record, notes), None, notes.at(record.row), record.group, row=record.row
        )
        for record in records
    ]
    return examples, notes.report(examples)


def _read_brat(source: Source, layout: TaggingLayout, options: ReadOptions) -> Read:
    place = _path_of(source, "BRAT documents")
    documents = find_documents(place)
    others = sorted(set(find_texts(place)) - set(documents)) if place.is_dir() else []
    if options.texts_only or not (documents or options.labels_required):  # those without annotations are wanted
        documents, others = sorted({*documents, *find_texts(place)}), []
    if not documents:
        raise no_documents(place)
    notes = TaggingNotes(place.name, "document", options)
    if others:
        names = listed([path.relative_to(place).as_posix() for path in others], 3)
        notes.say(f"Texts in folders without any annotations ({ANNOTATION_SUFFIX}) are not read: {names}.")
    examples: list[TaggedExample] = []
    for record in in_characters(read_documents(documents, place, notes), notes):
        examples += split_document(record, clean_entities(record, notes))
    return examples, notes.report(examples, len(documents))


def _read_token_table(source: Source, layout: TaggingLayout, options: ReadOptions) -> Read:
    columns = TokenColumns(layout.text or "", layout.tag or "", layout.sentence, certain=True)
    header = False if columns.text.isdigit() else ExpectedHeader((columns.text,))
    table = read_table(source, header=header)
    notes = TaggingNotes(table.name, "row", options)
    examples = sentences_to_examples(read_token_table(table, columns, notes), notes, layout.scheme)
    return examples, notes.report(examples)


def _path_of(source: Source, expected: str) -> Path:
    if not isinstance(source, str | os.PathLike) or is_standard_input(source):
        raise DataError(f"Expected the path of {expected}, as for the training data.", "Save the texts to files.")
    return Path(source)


def _file_of(source: Source, expected: str) -> InputFile:
    if isinstance(source, InputFile):
        return source
    if is_standard_input(source):
        return standard_input()
    return find_file(_path_of(source, f"a file of {expected}"))
