"""Sentences of a table of tokens: a sentence id, a token and its tag in each row.

The id stands in every row or, as in spreadsheets, only in the first row of its sentence. It may begin again in each
document, which a column with a usual name tells; sentences of one document stay together where rows are held out.
A table may also hold a whole sentence in each row: lists of tokens and tags, which may be written as text into the
cells of a CSV file, or a text whose tokens stand between blanks beside the list of its tags. Knows nothing of file
formats or of what a tag means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from fastbert.data.cell_values import is_empty, label_text
from fastbert.data.columns import find_column, listed, missing_column
from fastbert.data.conll import DOCUMENT_NAMES, SENTENCE_NAMES, TAG_NAMES, TOKEN_NAMES, plain_name
from fastbert.data.list_texts import MOSTLY_FITTING, with_lists
from fastbert.data.row_problems import excerpt
from fastbert.data.table import Cell, Row, Table
from fastbert.data.tag_schemes import OUTSIDE, is_tag
from fastbert.data.tagged_sentences import PREFIX_HINT, Sentence
from fastbert.data.tagging_notes import TaggingNotes
from fastbert.errors import DataError

TABLE_HINT = "A table of tokens has a column for the sentence (sentence_id), one for the token and one for its tag."
_ROW_HINT = "Every row holds a token and its tag (O where it is in no entity)."


class NoTokens(DataError):
    """A table has no column of tokens or of tags: it may be another format."""


@dataclass(frozen=True)
class TokenColumns:
    """The columns of a table of tokens. sentence: None if every row is a sentence.    certain: tags were seen."""

    text: str
    tag: str
    sentence: str | None
    certain: bool


def find_token_columns(table: Table, text: str | None = None, tag: str | None = None) -> TokenColumns:
    """Return which columns hold tokens, tags and sentences. text, tag: what the user says.

    Raises DataError if one of them cannot be found.
    """
    table = with_lists(table)
    tag_column = find_column(table, tag, "--label") if tag is not None else _tag_column(table)
    names = [name for name in table.columns if name != tag_column]
    text_column = find_column(table, text, "--text") if text is not None else _token_column(table, names, tag_column)
    if text_column is None or tag_column is None:
        what = "tokens" if text_column is None else "tags"
        option = "--text" if text_column is None else "--label"
        raise NoTokens(
            f"{table.name} has no column that is known to hold {what}. Its columns are: {listed(table.columns)}.",
            f"Name it with {option}. {TABLE_HINT}",
        )
    if _holds_lists(table, text_column) or _holds_lists(table, tag_column):
        return TokenColumns(text_column, tag_column, None, _holds_tags(table, tag_column))
    others = [name for name in names if name != text_column]
    sentence = named_column(others, SENTENCE_NAMES) or _dividing_column(table, others)
    if sentence is None:
        raise DataError(
            f"{table.name} has no column that says which sentence a token is in."
            f" Its columns are: {listed(table.columns)}.",
            "Call it 'sentence_id'; the same number stands in all rows of a sentence.",
        )
    return TokenColumns(text_column, tag_column, sentence, _holds_tags(table, tag_column))


def read_token_table(table: Table, columns: TokenColumns, notes: TaggingNotes) -> list[Sentence]:
    """Return the sentences of a table; those with a row that cannot be read are left out and noted.

    Raises DataError if a column is missing.
    """
    for name, option in ((columns.text, "--text"), (columns.sentence, "--text"), (columns.tag, "--label")):
        optional = name == columns.tag and not notes.options.labels_required
        if name is not None and name not in table.columns and not optional:
            raise missing_column(table, name, option)
    table = with_lists(table)
    is_tagged = columns.tag in table.columns and not notes.options.texts_only
    tag = table.index_of(columns.tag) if is_tagged else None
    text = table.index_of(columns.text)
    document = _document_column(table, columns)
    if columns.sentence is None:
        sentences = [
            _sentence_of_row(row, row.cells[text], None if tag is None else row.cells[tag], notes) for row in table.rows
        ]
        groups = [[row] for row in table.rows]
    else:
        groups = _groups(table, table.index_of(columns.sentence), document, notes)
        sentences = [_sentence_of_rows(rows, text, tag, notes) for rows in groups]
    documents = _documents(groups, document)
    return [
        replace(sentence, group=group)
        for sentence, group in zip(sentences, documents, strict=True)
        if sentence is not None
    ]


def _document_column(table: Table, columns: TokenColumns) -> int | None:
    """Return the place of the column that says which document a row is of."""
    used = {columns.text, columns.tag, columns.sentence}
    name = named_column([name for name in table.columns if name not in used], DOCUMENT_NAMES)
    return None if name is None else table.index_of(name)


def _documents(groups: Sequence[Sequence[Row]], column: int | None) -> list[str | None]:
    """Return the document of each sentence; None for all where there is but one, or it is not known."""
    if column is None:
        return [None] * len(groups)
    documents, before = [], ""
    for rows in groups:
        before = _name(rows[0].cells[column]) or before
        documents.append(before)
    return list(documents) if len(set(documents)) > 1 else [None] * len(groups)


def _tag_column(table: Table) -> str | None:
    """Return the column of tags with prefixes, the one with a usual name if there are several or none."""
    tagged = [name for name in table.columns if _holds_tags(table, name)]
    return tagged[0] if len(tagged) == 1 else named_column(tagged or table.columns, TAG_NAMES)


def _token_column(table: Table, names: Sequence[str], tags: str | None) -> str | None:
    """Return the column of tokens: by its name or, beside lists of tags, the text with as many words in each row."""
    named = named_column(names, TOKEN_NAMES)
    if named is not None or tags is None or not _holds_lists(table, tags):
        return named
    place = table.index_of(tags)
    rows = [row.cells for row in table.rows if isinstance(row.cells[place], list)]
    fitting = {name: sum(_fits(cells[table.index_of(name)], cells[place]) for cells in rows) for name in names}
    found = [name for name in names if fitting[name] >= MOSTLY_FITTING * len(rows)]
    several = any(len(_parts(cells[place])) > 1 for cells in rows)
    return found[0] if len(found) == 1 and several else None


def _fits(text: Cell, tags: Cell) -> bool:
    """Return whether a text has as many words as there are tags."""
    return isinstance(text, str) and len(text.split()) == len(_parts(tags))


def _words(cell: Cell) -> list[str]:
    """Return the tokens of a cell: of a list, or between the blanks of a text."""
    return _parts(cell) if isinstance(cell, list) else label_text(cell).split()


def _holds_tags(table: Table, column: str) -> bool:
    cells = _filled(table, column)
    lists = [cell for cell in cells if isinstance(cell, list)] if _holds_lists(table, column) else cells
    values = {tag for cell in lists for tag in _parts(cell) if tag}
    return all(map(is_tag, values)) and bool(values - {OUTSIDE})


def _parts(cell: Cell) -> list[str]:
    if isinstance(cell, list):
        return ["" if isinstance(part, list) else label_text(part) for part in cell]
    return [label_text(cell)]


def _holds_lists(table: Table, column: str) -> bool:
    """Return whether nearly all cells that are not empty are lists."""
    cells = _filled(table, column)
    return bool(cells) and sum(isinstance(cell, list) for cell in cells) >= MOSTLY_FITTING * len(cells)


def _filled(table: Table, column: str) -> list[Cell]:
    place = table.index_of(column)
    return [row.cells[place] for row in table.rows if not is_empty(row.cells[place])]


def named_column(names: Sequence[str], known: frozenset[str]) -> str | None:
    """Return the first column that has one of the known names, whatever its case and signs."""
    return next((name for name in names if plain_name(name) in known), None)


def _dividing_column(table: Table, names: Sequence[str]) -> str | None:
    """Return the first column that is filled only where a sentence begins, or whose values stand in rows together."""
    for name in names:
        values = [_name(row.cells[table.index_of(name)]) for row in table.rows]
        num_filled = sum(map(bool, values))
        if values and values[0] and 1 < num_filled <= len(values) / 2:
            return name
        num_runs = sum(1 for _ in groupby(values))
        if num_filled == len(values) and 1 < num_runs == len(set(values)) <= len(values) / 2:
            return name
    return None


def _groups(table: Table, index: int, document: int | None, notes: TaggingNotes) -> list[list[Row]]:
    """Return the rows of each sentence: a new one begins where the id or the document changes."""
    groups: list[list[Row]] = []
    seen: set[tuple[str, str]] = set()
    before: tuple[str, str] | None = None
    for row in table.rows:
        if all(map(is_empty, row.cells)):
            continue  # between two sentences of a spreadsheet
        name = _name(row.cells[index])
        place = "" if document is None else _name(row.cells[document])
        if before is None or (name and name != before[1]) or (place and place != before[0]):
            new = (place or (before[0] if before else ""), name)
            if new in seen:
                notes.changed(
                    "a sentence id that comes again after another begins a new sentence",
                    f"row {row.number} {excerpt(name)}",
                )
            seen.add(new)
            before = new
            groups.append([])
        groups[-1].append(row)
    return groups


def _name(cell: Cell) -> str:
    return str(cell) if isinstance(cell, list) else label_text(cell)


def _sentence_of_rows(rows: Sequence[Row], text: int, tag: int | None, notes: TaggingNotes) -> Sentence:
    tokens: list[str] = []
    tags: list[str] = []
    num_bad = 0
    for row in rows:
        token, label = row.cells[text], None if tag is None else row.cells[tag]
        reason = _row_problem(token, label, tag is not None)
        if reason is None:
            tokens.append(label_text(token))
            tags += [] if tag is None else [label_text(label)]
        elif num_bad == 0:
            notes.bad(row.number, reason, _ROW_HINT)
        else:
            notes.again(row.number, reason)
        num_bad += reason is not None
    numbers = tuple(row.number for row in rows)
    return Sentence(tuple(tokens), None if tag is None else tuple(tags), numbers, is_broken=num_bad > 0)


def _row_problem(token: Cell, tag: Cell, has_tags: bool) -> str | None:
    if isinstance(token, list) or isinstance(tag, list):
        return "a cell holds a list instead of one token or tag"
    if is_empty(token):
        return "the row has no token"
    return "the row has no tag" if has_tags and is_empty(tag) else None


def _sentence_of_row(row: Row, tokens: Cell, tags: Cell, notes: TaggingNotes) -> Sentence | None:
    words = _words(tokens)
    labels = _parts(tags) if isinstance(tags, list) else None
    if not words and not notes.options.labels_required:
        notes.left_out(row.number, "the row has no tokens")
    elif not words:
        notes.bad(row.number, "the row has no tokens", _ROW_HINT)
    elif not all(words):
        notes.bad(row.number, "a token is empty", _ROW_HINT)
    elif labels is None and notes.options.labels_required:
        what = "the row has no tags" if is_empty(tags) else "the tags are no list"
        notes.bad(row.number, what, PREFIX_HINT)
    elif labels is not None and len(labels) != len(words):
        notes.bad(
            row.number,
            "there are not as many tags as tokens",
            _ROW_HINT,
            what=f"{len(words)} tokens, but {len(labels)} tags",
        )
    else:
        text = tokens if isinstance(tokens, str) else None
        return Sentence(tuple(words), None if labels is None else tuple(labels), (row.number,) * len(words), text=text)
    return None
