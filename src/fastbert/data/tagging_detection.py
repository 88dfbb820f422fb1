"""Finds out how tagged text is written. What the user names wins; each detection gives its reason in words.

Folders and pairs of files are known by their names, files by suffix and content. Knows nothing of examples.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from itertools import islice
from pathlib import Path

from fastbert.data.brat import ANNOTATION_SUFFIX, find_documents, no_documents
from fastbert.data.cell_values import parse_list
from fastbert.data.conll import (
    SENTENCE_NAMES,
    TAG_NAMES,
    TOKEN_NAMES,
    ConllLines,
    find_columns,
    has_sentence_column,
    is_surely_conll,
    looks_like_conll,
    plain_name,
    read_conll,
    read_sentences,
)
from fastbert.data.encoding import whole_lines
from fastbert.data.files import HEAD_BYTES, InputFile, find_file
from fastbert.data.json_values import first_values, read_json_values
from fastbert.data.parallel_tokens import TAG_FILE, TOKEN_FILE, find_pair, pair_name, read_pair
from fastbert.data.row_problems import excerpt
from fastbert.data.sources import REFUSED, Source, is_standard_input, open_file, open_rows, read_table
from fastbert.data.span_records import SpanKeys, UnclearText, detect_keys
from fastbert.data.table import RowStream, Table
from fastbert.data.tag_schemes import SchemeFinding
from fastbert.data.tagged_sentences import find_scheme
from fastbert.data.tagging_layout import TaggingLayout
from fastbert.data.tagging_notes import ReadOptions, TaggingNotes
from fastbert.data.token_table import NoTokens, TokenColumns, find_token_columns, read_token_table
from fastbert.errors import DataError

CONLL_SUFFIXES = (".conll", ".conllu", ".iob", ".iob2", ".bio", ".bioes", ".bilou")
JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
BINARY_HEADS = (
    b"PAR1",
    b"ARROW1",
    b"\xff\xff\xff\xff",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0",
)  # Parquet, Arrow, XLSX and XLS
HEAD_ROWS = 200
_JSON_BEGIN = re.compile(rb'(\xef\xbb\xbf)?\s*(\{\s*["}]|\[\s*\{|\[\s*\[\s*"|\["(?:[^"\\]|\\.)*",\s*\{)')
FORMATS_HINT = """These are read:
  CoNLL: a token and its tag on each line, "Berlin B-LOC", and a blank line after each sentence
  two files: seq.in with lines such as "fly to berlin", and seq.out with their tags, "O O B-city"
  JSON: {"text": "Fly to Berlin", "label": [[7, 13, "LOC"]]}, also from Label Studio, Prodigy and spaCy
  BRAT: texts (.txt) with annotations (.ann) beside them, "T1<tab>LOC 7 13<tab>Berlin"
  table: columns sentence_id, token and tag, one token in each row"""


def detect_tagging(
    source: Source, *, text: str | None = None, tag: str | None = None, header: bool | None = None
) -> TaggingLayout:
    """Return how tagged text is written.

    source: a file, be it found already or not, the folder of two parallel files or of BRAT documents, a list of
        records, or a frame.
    text, tag: columns (names or numbers), keys, or, of parallel files, their names.
    header: True or False to say whether the first line names the columns; None detects it.
    Raises DataError where the file is none of the formats, naming all that are read.
    """
    if isinstance(source, InputFile):
        return _detect_in_file(source, text, tag, header)
    if not isinstance(source, str | os.PathLike):
        return _detect_in_memory(source, text, tag, header)
    if is_standard_input(source):
        raise DataError("Tagged text cannot be detected on standard input.", "Save it to a file and give its path.")
    if not os.path.exists(source):
        find_file(source)  # which says why it cannot be read
    pair = _pair(source, text, tag)
    if pair is not None:
        return _parallel(*pair)
    documents = find_documents(source)
    if documents:
        number = "a text" if len(documents) == 1 else f"{len(documents):,} texts"
        reason = f"BRAT: {number} with annotations ({ANNOTATION_SUFFIX}) beside."
        return TaggingLayout("brat", None, None, None, None, (reason,))
    if Path(source).is_dir() or Path(source).suffix == ANNOTATION_SUFFIX:
        raise _no_format(f"The folder {Path(source)}") if Path(source).is_dir() else no_documents(source)
    return _detect_in_file(find_file(source), text, tag, header)


def _detect_in_file(
    file: InputFile, text: str | None = None, tag: str | None = None, header: bool | None = None
) -> TaggingLayout:
    """Return how one file is written that is not a part of a folder's format. Raises DataError if in no known way."""
    head = file.head(1024)
    if not head.strip():
        raise DataError(f"{file.name} is empty; expected tagged text.", "Check that it was saved or copied whole.")
    if head.startswith(BINARY_HEADS) or file.suffix in REFUSED or _is_csv(file):
        return _detect_table(lambda: _whole(open_file(file, header)), text, tag)
    if begins_like_json(file):
        return _detect_json(file, text, tag, header)
    conll = read_conll(file)
    if has_sentence_column(conll) or _holds_lists(conll):
        return _detect_table(lambda: _whole(open_file(file, header)), text, tag)
    told = text is not None or tag is not None or file.suffix in CONLL_SUFFIXES
    shaped = conll.width >= 2 and conll.share >= 0.9 and conll.num_blank > 0
    if told or shaped or looks_like_conll(conll):
        return _detect_conll(conll, text, tag, header)
    raise _no_format(file.name)


def looks_tagged(source: Source, *, text: str | None = None, tag: str | None = None) -> bool:
    """Return True only where it is certain that a source holds tagged text; reads the first rows of it.

    A file of tags without prefixes, or standard input, is not certain.
    text, tag: columns or keys that the user names: only these are looked at.
    """
    try:
        if isinstance(source, InputFile):
            return _file_looks_tagged(source, text, tag)
        if not isinstance(source, str | os.PathLike):
            return _looks_tagged_in_memory(source, text, tag)
        place = Path(source)
        if is_standard_input(source) or not (os.path.isdir(source) or os.path.isfile(source)):
            return False
        if _pair(source, text, tag) is not None:
            return True
        documents = find_documents(source)
        if documents or place.is_dir():
            return any(path.is_file() for path in documents)
        return _file_looks_tagged(find_file(source), text, tag)
    except DataError:
        return False


def begins_like_json(file: InputFile) -> bool:
    """Return True if a file is JSON by its suffix, or by its beginning under a suffix that says nothing."""
    if file.suffix in CONLL_SUFFIXES:
        return False
    return file.suffix in JSON_SUFFIXES or _JSON_BEGIN.match(file.head(1024)) is not None


def _looks_tagged_in_memory(source: Source, text: str | None, tag: str | None) -> bool:
    if isinstance(source, list | tuple):
        return _values_look_tagged(source[:HEAD_ROWS], text, tag)
    return find_token_columns(first_rows(open_rows(source)), text, tag).certain


def _values_look_tagged(values: Iterable[object], text: str | None, tag: str | None) -> bool:
    """Return True for records with spans, or with a token or with lists of tokens and their tags."""
    first = list(values)
    try:
        keys = detect_keys(first, text, tag)
    except UnclearText:
        return True
    if keys is not None:
        return keys.certain
    is_table = bool(first) and all(isinstance(value, Mapping) for value in first)
    return is_table and find_token_columns(read_table(first), text, tag).certain


def _file_looks_tagged(file: InputFile, text: str | None, tag: str | None) -> bool:
    head = file.head(HEAD_BYTES)
    if head.startswith(BINARY_HEADS):
        return find_token_columns(first_rows(open_file(file)), text, tag).certain
    if begins_like_json(file):
        return _values_look_tagged(first_values(file), text, tag)
    first = beginning(file)
    if _is_csv(file):
        return find_token_columns(_whole(open_file(first)), text, tag).certain
    conll = read_conll(first)
    if has_sentence_column(conll) or _holds_lists(conll):
        return find_token_columns(_whole(open_file(first)), text, tag).certain
    if file.suffix in CONLL_SUFFIXES:
        return _detect_conll(conll, text, tag, None).format == "conll"
    return is_surely_conll(conll, text, tag)


def _holds_lists(conll: ConllLines) -> bool:
    """Return whether the first line below the names of columns has a cell that is a list, between tabs."""
    below = next(islice(conll.full(), 1, None), [])
    cells = (cell[1:-1].replace('""', '"') if cell.startswith('"') else cell for cell in below)
    return len(below) > 1 and any(parse_list(cell) is not None for cell in cells)


def _is_csv(file: InputFile) -> bool:
    """Return whether a file is CSV: by its suffix or, on standard input, by the names of a table of tokens."""
    if file.suffix:
        return file.suffix == ".csv"
    line = file.head(1024).split(b"\n", 1)[0].decode("utf-8-sig", "ignore")
    names = {plain_name(cell) for cell in line.split(",")}
    return not names.isdisjoint(TOKEN_NAMES) and not names.isdisjoint(TAG_NAMES | SENTENCE_NAMES)


def beginning(file: InputFile) -> InputFile:
    """Return the first whole lines of a text file."""
    head = file.head(HEAD_BYTES)
    whole = head if len(head) < HEAD_BYTES else whole_lines(head)
    return InputFile(file.name, file.suffix, False, BytesIO(whole))


def first_rows(stream: RowStream) -> Table:
    """Return the first rows of a table."""
    return Table(stream.name, stream.columns, list(islice(stream.rows, HEAD_ROWS)), stream.format)


def _whole(stream: RowStream) -> Table:
    return Table(stream.name, stream.columns, list(stream.rows), stream.format)


def _detect_in_memory(source: Source, text: str | None, tag: str | None, header: bool | None) -> TaggingLayout:
    if isinstance(source, list | tuple):
        keys = detect_keys(source, text, tag)
        if keys is not None:
            return _spans_layout(keys)
    return _detect_table(lambda: read_table(source, header=header), text, tag)


def _pair(source: str | os.PathLike[str], text: str | None, tag: str | None) -> tuple[Path, Path] | None:
    """Return the files of tokens and tags, if there are two: those that the user names, or seq.in and seq.out."""
    place = Path(source)
    if place.suffix.lower() in (".csv", *JSON_SUFFIXES):
        return None  # there `tag` is the name of a column or key, whatever files are beside
    usual = text is None and tag is None and (place.is_dir() or place.name in (TOKEN_FILE, TAG_FILE))
    tokens, tags = find_pair(place, text or (place.name if tag is not None and place.is_file() else None), tag)
    both = tokens != tags and tokens.is_file() and tags.is_file()
    return (tokens, tags) if both and (usual or tag is not None) else None


def _parallel(tokens: Path, tags: Path) -> TaggingLayout:
    notes = TaggingNotes(pair_name(tokens), "line", ReadOptions())
    finding = find_scheme(read_pair(tokens, tags, notes), pair_name(tags))
    reasons = (f"Tokens: {tokens.name}; tags: {tags.name}, line by line.", _scheme_reason(finding))
    return TaggingLayout("parallel", tokens.name, tags.name, None, finding.scheme, reasons)


def _detect_conll(conll: ConllLines, text: str | None, tag: str | None, header: bool | None) -> TaggingLayout:
    text_column, tag_column = find_columns(conll, text, tag, header)
    sentences = read_sentences(conll, text_column, tag_column, TaggingNotes(conll.name, "line", ReadOptions()))
    finding = find_scheme(sentences, conll.name)
    reasons = (
        f"CoNLL: a token on each line in {_column(text_column)}, its tag in {_column(tag_column)}.",
        _scheme_reason(finding),
    )
    named = text is not None or tag is not None
    return TaggingLayout("conll", text_column, tag_column, None, finding.scheme, reasons, named)


def _column(column: str) -> str:
    return {"0": "the first column", "-1": "the last"}.get(column, f"column {excerpt(column)}")


def _scheme_reason(finding: SchemeFinding) -> str:
    return f"Tags: {finding.scheme}, because {finding.reason}."


def _detect_json(file: InputFile, text: str | None, tag: str | None, header: bool | None) -> TaggingLayout:
    values = read_json_values(file)
    try:
        keys = detect_keys((value for _, value in values), text, tag)
    except UnclearText as error:
        raise DataError(f"{file.name}: {error.message}", error.hint) from error
    if keys is not None:
        return _spans_layout(keys)
    try:
        table = _whole(open_file(file, header))
        columns = find_token_columns(table, text, tag)
    except DataError as error:
        raise _no_format(file.name) from error
    return _table_layout(table, columns)


def _spans_layout(keys: SpanKeys) -> TaggingLayout:
    """Return the layout of records with spans."""
    return TaggingLayout("spans", keys.text, keys.spans, None, None, (keys.reason,))


def _detect_table(read: Callable[[], Table], text: str | None, tag: str | None) -> TaggingLayout:
    table = read()
    try:
        columns = find_token_columns(table, text, tag)
    except NoTokens as error:
        raise DataError(error.message, f"{error.hint}\n  {FORMATS_HINT}") from error
    return _table_layout(table, columns)


def _table_layout(table: Table, columns: TokenColumns) -> TaggingLayout:
    """Return the layout of a table of tokens. Raises DataError if its tags mark no entities."""
    sentences = read_token_table(table, columns, TaggingNotes(table.name, "row", ReadOptions()))
    finding = find_scheme(sentences, table.name)
    rows = "each row" if columns.sentence is None else f"column {excerpt(columns.sentence)}"
    reasons = (
        f"Table: tokens in column {excerpt(columns.text)}, tags in {excerpt(columns.tag)}, sentences by {rows}.",
        _scheme_reason(finding),
    )
    return TaggingLayout("token_table", columns.text, columns.tag, columns.sentence, finding.scheme, reasons)


def _no_format(name: str) -> DataError:
    return DataError(f"{name} is in none of the formats of tagged text.", FORMATS_HINT)
