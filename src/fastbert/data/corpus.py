"""Text to learn a language from: documents of lines, read from plain text, tables and folders of both.

In plain text a blank line ends a document and each line is taken for a sentence; in a table each row is a document,
whose sentences are the lines of its cell. Labels are not read. Knows nothing of tokens.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from fastbert.data.cell_values import is_empty, label_text
from fastbert.data.columns import Column, find_column, listed
from fastbert.data.encoding import examine_text, text_lines
from fastbert.data.files import InputFile, find_file, standard_input
from fastbert.data.header import ExpectedHeader, Header
from fastbert.data.sources import STANDARD_INPUT, SUFFIXES, kind_of, open_file
from fastbert.data.table import Cell, Table
from fastbert.data.tagging import detect_tagging, looks_tagged, read_tagged
from fastbert.data.text_columns import choose_text
from fastbert.errors import DataError

Document = tuple[str, ...]  # its sentences, or lines
TEXT_SUFFIXES = frozenset({".txt", ".text", ".md"})  # read as plain text, in folders too
TABLE_SUFFIXES = frozenset(SUFFIXES) - TEXT_SUFFIXES
MODEL_FILES = ("adaptation.json", "bundle.json", "tokenizer.json")
LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)  # IMDb's reviews are full of them
# A document of more than a twentieth of all lines is cut into sections of a fortieth before some are held out: else
# nothing could be, or most of the corpus might be.
LEAST_DOCUMENTS, SECTIONS = 20, 40
FORMATS_HINT = (
    "Give plain text (.txt, one sentence a line, a blank line between documents), a table with a text column"
    " (.csv, .tsv, .jsonl, .parquet, .xlsx), or a folder of such files."
)


@dataclass(frozen=True)
class Corpus:
    """Documents, each a tuple of lines that are not empty. notes: what was found and left out, with counts."""

    documents: tuple[Document, ...]
    notes: tuple[str, ...] = ()

    @property
    def num_lines(self) -> int:
        """Return the lines of all documents."""
        return sum(map(len, self.documents))

    @property
    def num_characters(self) -> int:
        """Return the characters of all lines."""
        return sum(len(line) for document in self.documents for line in document)

    def describe(self) -> str:
        """Return one phrase, such as "3 documents, 41 lines, 2,310 characters"."""
        return (
            f"{_count(len(self.documents), 'document')}, {_count(self.num_lines, 'line')}, "
            f"{self.num_characters:,} characters"
        )


@dataclass(frozen=True)
class _Columns:
    """Which columns of a table hold text: those named, else the usual ones where they are, else found."""

    text: tuple[str, ...]
    usual: tuple[str, ...]
    header: Header


@dataclass
class _Findings:
    """What is counted while a corpus is read."""

    breaks: int = 0
    empty_rows: int = 0
    empty_files: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # suffixes of files in folders
    columns: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)  # folders

    def notes(self) -> tuple[str, ...]:
        """Return a sentence for each thing that is worth knowing."""
        found = list(dict.fromkeys(self.columns))
        if self.breaks:
            found.append(f"{self.breaks:,} HTML line breaks (<br />) were read as line ends.")
        if self.empty_rows:
            found.append(f"{_count(self.empty_rows, 'row')} without text left out.")
        if self.empty_files:
            found.append(f"{_count(len(self.empty_files), 'file')} without text: {listed(self.empty_files, 3)}.")
        if self.models:
            found.append(f"{_count(len(self.models), 'folder')} of models left out: {listed(self.models, 3)}.")
        if self.left_out:
            kinds = listed(sorted(set(self.left_out)), 5)
            found.append(f"{_count(len(self.left_out), 'file')} of other kinds left out: {kinds}.")
        return tuple(found)


def read_corpus(
    paths: str | Path | Sequence[str | Path],
    *,
    text: Sequence[str] = (),
    header: bool | None = None,
    usual: Sequence[str] = (),
) -> Corpus:
    """Read the documents of files and folders, in the order given; folders in the order of their files' names.

    text: columns of tables that hold text, by name or number; found by name and wording where it is empty. Where it
        is given, .txt files are tables too.
    header: True or False to say whether the first row of a table names its columns.
    usual: text columns of the table that the encoder is for; where a table has them they are taken.
    `<br />` ends a line. Raises DataError for what cannot be read, and for a corpus without text.
    """
    paths = (paths,) if isinstance(paths, str | Path) else paths
    if not paths:
        raise DataError("No corpus was given.", FORMATS_HINT)
    findings = _Findings()
    columns = _Columns(tuple(text), tuple(usual), _header(header, text, usual))
    documents: list[Document] = []
    for path in paths:
        for file in _files_of(path, findings):
            found = list(_read_file(file, columns, findings))
            if not found:
                findings.empty_files.append(file.name)
            documents += found
    if not documents:
        names = listed([Path(path).name or str(path) for path in paths], 3)
        raise DataError(f"There is no text in {names}.", FORMATS_HINT)
    return Corpus(tuple(documents), findings.notes())


def split_corpus(corpus: Corpus, share: float = 0.05, *, pairs: bool = False) -> tuple[Corpus, Corpus]:
    """Return what is trained on and what is held out, by documents.

    share: of the documents to hold out, above 0 and below 1.    pairs: for next-sentence prediction: documents stay
        whole, as a text from another document must not be from the same one, and each side has two at least.
    Which ones is a function of their text alone: a document stays where it was when others come and go, and equal
    ones are on one side. Without pairs long documents are first cut into sections at their line ends.
    Raises DataError if there is too little to hold anything out.
    """
    documents, notes = corpus.documents, list(corpus.notes)
    if not pairs:
        size = -(-corpus.num_lines // SECTIONS)
        is_long = [len(document) > 1 and len(document) * LEAST_DOCUMENTS > corpus.num_lines for document in documents]
        parts = [
            tuple(_sections(document, size if long else len(document)))
            for document, long in zip(documents, is_long, strict=True)
        ]
        documents = tuple(section for sections in parts for section in sections)
        if any(is_long):
            num_sections = sum(len(sections) for sections, long in zip(parts, is_long, strict=True) if long)
            notes.append(
                f"{_count(sum(is_long), 'document')} of more than a twentieth of the lines cut into "
                f"{_count(num_sections, 'section')} at line ends, so that some can be held out."
            )
    places = [_place_of(document) for document in documents]
    distinct, least = sorted(set(places)), 2 if pairs else 1
    if len(distinct) < 2 * least:
        raise _too_little(corpus, len(distinct), pairs=pairs)
    limit = min(max(share, distinct[least - 1]), distinct[-1 - least])  # so many on each side
    train = [document for document, place in zip(documents, places, strict=True) if place > limit]
    valid = [document for document, place in zip(documents, places, strict=True) if place <= limit]
    return Corpus(tuple(train), tuple(notes)), Corpus(tuple(valid))


def _too_little(corpus: Corpus, num_distinct: int, *, pairs: bool) -> DataError:
    held = f"The corpus holds {corpus.describe()}"
    if pairs:
        return DataError(
            f"{held}, {num_distinct} of them different. Next-sentence prediction needs four documents at least, two to "
            "learn from and two held out.",
            "Put a blank line between documents, or leave out --next-sentence.",
        )
    same = " All documents are the same." if len(corpus.documents) > 1 else ""
    return DataError(
        f"{held}: nothing can be held out of it to measure what was learned.{same}",
        "Give more text, with one sentence on each line and a blank line between documents.",
    )


def _place_of(document: Document) -> float:
    """Return a number from 0 to 1 that depends on the text of a document alone."""
    digest = hashlib.blake2b("\n".join(document).encode("utf-8", "surrogatepass"), digest_size=6)
    return int.from_bytes(digest.digest(), "big") / 2**48


def _sections(document: Document, size: int) -> Iterator[Document]:
    return (document[start : start + size] for start in range(0, len(document), size))


def _files_of(path: str | Path, findings: _Findings) -> Iterator[InputFile]:
    if str(path) == STANDARD_INPUT:
        yield standard_input()
        return
    place = Path(path)
    try:
        is_folder = place.is_dir()
    except (OSError, ValueError):  # no path at all, which `find_file` says
        is_folder = False
    if not is_folder:
        yield find_file(place)
        return
    inside = sorted(file for file in place.rglob("*") if file.is_file() and not _is_hidden(file, place))
    models = {file.parent for file in inside if file.parent != place and _is_model(file.parent)}
    findings.models += sorted(folder.relative_to(place).as_posix() for folder in models)
    inside = [file for file in inside if models.isdisjoint(file.parents)]
    num_read = 0
    for one in inside:
        file = find_file(one)
        if file.suffix in TEXT_SUFFIXES | TABLE_SUFFIXES:
            num_read += 1
            yield file
        else:
            findings.left_out.append(one.suffix or one.name)
    if not num_read:
        found = f"its {_count(len(inside), 'file')} are of other kinds" if inside else "it is empty"
        raise DataError(f"{place} is a folder without text to read: {found}.", FORMATS_HINT)


def _is_model(folder: Path) -> bool:
    """Return whether a folder holds a model or an encoder, such as an earlier run wrote beside the texts."""
    return any((folder / name).is_file() for name in MODEL_FILES)


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def _header(given: bool | None, text: Sequence[str], usual: Sequence[str]) -> Header:
    if given is not None:
        return given
    if text and not all(map(str.isdecimal, text)):
        return True
    return ExpectedHeader(tuple(usual)) if usual else None


def _read_file(file: InputFile, columns: _Columns, findings: _Findings) -> Iterator[Document]:
    if not file.head(1):
        if file.suffix in TEXT_SUFFIXES:
            return iter(())
        raise DataError(f"{file.name} is empty; expected text.", "Check that it was saved or copied whole.")
    is_text = kind_of(file) == "delimited" and file.suffix not in TABLE_SUFFIXES and not columns.text
    if is_text and looks_tagged(file):
        return _read_tagged(file, findings)
    return _read_text(file, findings) if is_text else _read_rows(file, columns, findings)


def _read_tagged(file: InputFile, findings: _Findings) -> Iterator[Document]:
    """Yield the documents of a file of tokens and tags, a sentence a line: its tags are no text."""
    examples, report = read_tagged(file, detect_tagging(file), texts_only=True, on_bad_row="skip")
    findings.columns += [f"{file.name} is tagged; its tags are left out.", *report.sentences()]
    for group, sentences in groupby(examples, key=lambda one: one.group):
        texts = [one.text for one in sentences]
        yield from ([_lines(texts, findings)] if group is not None else (_lines([text], findings) for text in texts))


def _read_text(file: InputFile, findings: _Findings) -> Iterator[Document]:
    facts = examine_text(file)
    lines = ((bool(_stripped(line)), line) for line in text_lines(file, facts))
    for filled, group in groupby(lines, key=lambda line: line[0]):
        document = _lines((line for _, line in group), findings) if filled else ()
        if document:
            yield document


def _read_rows(file: InputFile, columns: _Columns, findings: _Findings) -> Iterator[Document]:
    opened = open_file(file, columns.header)
    table = Table(opened.name, opened.columns, list(opened.rows), opened.format)
    findings.columns += opened.notes
    indices = [table.index_of(name) for name in _text_columns(table, columns, findings)]
    for row in table.rows:
        cells = (cell for index in indices for cell in _parts(row.cells[index]))
        document = _lines((label_text(cell) for cell in cells if not is_empty(cell)), findings)
        if document:
            yield document
        else:
            findings.empty_rows += 1


def _text_columns(table: Table, columns: _Columns, findings: _Findings) -> list[str]:
    if columns.text:
        return [find_column(table, name, "--text") for name in columns.text]
    if len(table.columns) == 1:
        return [table.columns[0]]
    # A number says where a column stood in another table; here another one may stand there.
    known = [name for name in columns.usual if name in table.columns]
    usual = [name for name in known if not name.isdecimal() or Column(table, name).is_textual]
    if usual:
        findings.columns.append(f"Text: {listed(usual)}, as in the training table.")
        return usual
    try:
        chosen = choose_text([Column(table, name) for name in table.columns], table.name)
    except DataError as error:
        if not columns.usual:
            raise
        raise DataError(
            error.message,
            f"Call it {listed(columns.usual)}, as in the training table; or adapt an encoder with `fastbert adapt`,"
            " which takes --text, and train with --encoder.",
        ) from error
    findings.columns.append(chosen.reason)
    return [chosen.text] if chosen.pair is None else [chosen.text, chosen.pair]


def _parts(cell: Cell) -> list[Cell]:
    """Return the items of a list, at any depth, or the one cell."""
    return [part for item in cell for part in _parts(item)] if isinstance(cell, list) else [cell]


def _lines(texts: Iterable[str], findings: _Findings) -> Document:
    """Return the lines of texts without blanks around them; those with nothing in them are left out."""
    lines: list[str] = []
    for text in texts:
        unbroken, count = LINE_BREAK.subn("\n", text) if "<" in text else (text, 0)
        findings.breaks += count
        lines += [line for line in map(_stripped, unbroken.splitlines()) if line]
    return tuple(lines)


def _stripped(line: str) -> str:
    """Return a line without blanks around it, nor the marks that stand where files were joined."""
    return line.strip().strip("\ufeff\u200b").strip()


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
