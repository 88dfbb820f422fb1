"""Sentences of CoNLL-type files: one token on a line with its tag in another column, a blank line after each sentence.

Columns are separated by tabs if most lines have one, else by blanks. Knows nothing of what a tag means, except to
tell the token "#" from a comment.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice

from fastbert.data.columns import listed
from fastbert.data.encoding import examine_text, text_lines
from fastbert.data.files import InputFile
from fastbert.data.row_problems import excerpt
from fastbert.data.tag_schemes import is_tag
from fastbert.data.tagged_sentences import Sentence
from fastbert.data.tagging_notes import TaggingNotes
from fastbert.errors import DataError, did_you_mean

FIRST_COLUMN, SECOND_COLUMN, LAST_COLUMN = "0", "1", "-1"
DOCUMENT_START = "-DOCSTART-"
TOKEN_NAMES = frozenset({"token", "tokens", "word", "words", "form"})
TAG_NAMES = frozenset({"tag", "tags", "ner", "ner_tag", "ner_tags", "label", "labels", "bio", "iob", "slot", "entity"})
SENTENCE_NAMES = frozenset(
    ["sentence", "sent", "sentence_id", "sent_id", "sentence_no", "sentence_number", "sentence_num", "sentence_idx"]
)
DOCUMENT_NAMES = frozenset(["document", "document_id", "doc", "doc_id", "docid", "file", "file_name", "filename"])
LONG_SENTENCE = 2000  # tokens of a file without a single blank line
LONG_WORD = 40  # characters; longer ones are rather a line of text, written without blanks
_NUMBER = re.compile(r"-?\d{1,4}")
_TOKEN_NUMBER = re.compile(r"\d{1,9}([-.]\d{1,9})?")  # of CoNLL-U
MOSTLY_NUMBERED = 0.9  # of the lines: one that was written otherwise must not make the numbers words
_RANGE = re.compile(r"\d+[-.]\d+")
_CODE = re.compile(r"[^a-z]+$")  # a part of speech, a number, a sign
_CLAUSE = re.compile(r"\w[\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f]")  # signs of Chinese and Japanese, after a word
_BLANKS = re.compile(r"[ \t]+")
_DOCUMENT_MARK = re.compile(r"#\s*(newdoc\b|begin document\b)")
_COMMENT = re.compile(r"#(\s|\s*(begin|end) document\b)")


@dataclass(frozen=True)
class ConllLines:
    """The lines of a file and how they are written.

    lines: number and cells; no cells for a blank line.    width: cells of most lines.
    share: how many of the filled lines have that width.
    skipped: lines of CoNLL-U that hold no word of their own: "3-4" before words 3 and 4, "5.1" for one left out.
    """

    name: str
    lines: list[tuple[int, list[str]]]
    raw: dict[int, str]
    width: int
    share: float
    skipped: tuple[int, ...] = ()

    @property
    def num_blank(self) -> int:
        """Number of blank lines with a token before and behind them."""
        filled = [bool(cells) for _, cells in self.lines]
        last = max((index for index, full in enumerate(filled) if full), default=0)
        first = next((index for index, full in enumerate(filled) if full), 0)
        return sum(not full for full in filled[first:last])

    def full(self) -> Iterator[list[str]]:
        """Yield the cells of the lines that hold a token."""
        return (cells for number, cells in self.lines if len(cells) == self.width and number not in self.raw)


def read_conll(file: InputFile) -> ConllLines:
    """Read the lines of a file and find out how its columns are separated.

    Raises DataError if it is empty or no text.
    """
    written = [line.rstrip(" \t\r\n") for line in text_lines(file, examine_text(file))]
    filled = [line for line in written if line.strip() and not _is_surely_mark(line)]
    if not filled:
        raise DataError(
            f"{file.name} is empty; expected a token and its tag on each line.",
            "Check that it was saved or copied whole.",
        )
    by_tab = 2 * sum("\t" in line for line in filled) >= len(filled)
    lines = [(number, _cells(line, by_tab)) for number, line in enumerate(written, start=1)]
    widths = Counter(len(_cells(line, by_tab)) for line in filled)
    width, count = widths.most_common(1)[0]
    marks = {number: line for number, line in enumerate(written, start=1) if line.startswith(("#", DOCUMENT_START))}
    conll = ConllLines(file.name, lines, marks, width, count / len(filled))
    return _without_ranges(conll) if _is_numbered(conll) else conll


def _is_numbered(conll: ConllLines) -> bool:
    """Return True if the first of several columns numbers the tokens, but for a header and a few lines."""
    first = [cells[0] for cells in conll.full()] if conll.width > 2 else []
    if first and not _TOKEN_NUMBER.fullmatch(first[0]):
        first = first[1:]
    counted, last = 0, -1
    for cell in first:
        number = int(re.split(r"[-.]", cell)[0]) if _TOKEN_NUMBER.fullmatch(cell) else None
        if number is not None and (number >= last or number <= 1):  # a range and a part begin with the same number
            counted, last = counted + 1, number
    return any(map(str.isdecimal, first)) and counted >= MOSTLY_NUMBERED * len(first)


def _without_ranges(conll: ConllLines) -> ConllLines:
    skipped = tuple(number for number, cells in conll.lines if cells and _RANGE.fullmatch(cells[0]))
    left = [(number, cells) for number, cells in conll.lines if not (cells and _RANGE.fullmatch(cells[0]))]
    return replace(conll, lines=left, skipped=skipped)


def _is_surely_mark(line: str) -> bool:
    """Return True for a comment or a start of a document, as far as one line tells."""
    return line.startswith(DOCUMENT_START) or (_COMMENT.match(line) is not None and not is_tag(line.split()[-1]))


def _cells(line: str, by_tab: bool) -> list[str]:
    if not line.strip():
        return []
    return line.split("\t") if by_tab else _BLANKS.split(line.lstrip(" \t"))


def find_columns(
    conll: ConllLines, text: str | None = None, tag: str | None = None, header: bool | None = None
) -> tuple[str, str]:
    """Return the columns of tokens and tags: names if the file has a header line, else numbers.

    text, tag: what the user says, as a name or a number; negative numbers count from the end.
    """
    named = any(column is not None and not _NUMBER.fullmatch(column) for column in (text, tag))
    first = next(conll.full(), [])
    text = text or _usual_column(conll, first, header)
    text_number = _position(conll, text, first, "--text")
    tag_number = _position(conll, tag or LAST_COLUMN, first, "--label")
    if header is None:
        usual = (
            bool(first) and first[text_number].casefold() in TOKEN_NAMES and first[tag_number].casefold() in TAG_NAMES
        )
        header = named or usual
    if header and first:
        return first[text_number], first[tag_number]
    return text, tag or LAST_COLUMN


def _usual_column(conll: ConllLines, first: Sequence[str], header: bool | None) -> str:
    """Return the column of the tokens: by its name in a header, else the first that does not number the tokens."""
    named = next((name for name in first if name.casefold() in TOKEN_NAMES), None)
    if named is not None and header is not False and any(name.casefold() in TAG_NAMES for name in first):
        return named
    return SECOND_COLUMN if _is_numbered(conll) else FIRST_COLUMN


def looks_like_conll(conll: ConllLines, tag: int = -1) -> bool:
    """Return True if nearly all lines have the same columns and a tag in one, some with prefixes. tag: its number."""
    tags = [cells[tag].strip() for cells in islice(conll.full(), 1, None)]
    first = [cells[tag].strip() for cells in islice(conll.full(), 1)]
    if conll.width < 2 or conll.share < 0.9 or not tags:
        return False
    fitting = sum(map(is_tag, tags))
    marked = sum(tag != "O" and is_tag(tag) for tag in [*first, *tags])
    long = sum(len(cells[0].split()) > 1 for cells in conll.full())
    return fitting >= 0.9 * len(tags) and marked > 0 and long <= 0.1 * len(tags)


def is_surely_conll(conll: ConllLines, text: str | None = None, tag: str | None = None) -> bool:
    """Return True if the lines look like words of sentences and this shows, too.

    Blank lines between sentences show it, whatever single lines are wrong; without any, every line must have the
    same columns and a tag, and some the tag O.
    text, tag: columns that the user names. Raises DataError if the lines have none such.
    """
    first = next(conll.full(), [])
    number = _position(conll, tag or LAST_COLUMN, first, "--label")
    if text is not None:
        _position(conll, text, first, "--text")
    if not looks_like_conll(conll, number):
        return False
    tags = [cells[number].strip() for cells in conll.full()]
    faultless = conll.share == 1 and len(tags) > 1 and all(map(is_tag, tags[1:]))
    return conll.num_blank > 0 or (faultless and "O" in tags)


def has_shape_of_tokens(conll: ConllLines) -> bool:
    """Return True if lines are as those of tokens, with tags or without: alike and short, in blocks of several.

    What stands beside the tokens are tags or other codes, or few words that come again; names of people are neither.
    """
    filled = [bool(cells) for _, cells in conll.lines]
    num_blocks = sum(full for full, _ in groupby(filled))
    words = [cell for cells in conll.full() for cell in cells]
    short = all(len(word) <= LONG_WORD and len(word.split()) == 1 and not _CLAUSE.search(word) for word in words)
    last = [cells[-1].strip() for cells in conll.full()]
    codes = conll.width == 1 or 2 * len(set(last)) <= len(last) or all(is_tag(one) or _CODE.match(one) for one in last)
    return conll.share >= 0.9 and conll.num_blank > 0 and sum(filled) >= 2 * num_blocks and short and codes


def has_sentence_column(conll: ConllLines) -> bool:
    """Return True if the first line names columns and no blank line divides sentences: a table of tokens."""
    names = {plain_name(cell) for cell in next(conll.full(), [])}
    named = not names.isdisjoint(SENTENCE_NAMES) or not (names.isdisjoint(TOKEN_NAMES) or names.isdisjoint(TAG_NAMES))
    return conll.width > 2 and named and conll.num_blank == 0


def plain_name(name: str) -> str:
    """Return the name of a column without its signs.

    >>> plain_name("Sentence #")
    'sentence'
    """
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")


def read_sentences(conll: ConllLines, text: str, tag: str, notes: TaggingNotes) -> list[Sentence]:
    """Return the sentences of a file; those with a line that cannot be read are left out and noted.

    A file of a single column has no tags. Documents are numbered if there are several.
    """
    first = next(conll.full(), [])
    text_number = _position(conll, text, first, "--text")
    tag_number = _tag_position(conll, tag, first, notes)
    skipped = _header_line(conll, first) if not _NUMBER.fullmatch(text) else 0
    for number in conll.skipped:
        notes.changed(
            "a line for several words (3-4) or for one that is not written (5.1) is skipped", f"line {number}"
        )
    reader = _Reader(conll, text_number, tag_number, notes)
    for number, cells in conll.lines:
        if number != skipped:
            reader.take(number, cells)
    reader.end()
    if len(reader.sentences) == 1 and len(reader.sentences[0].tokens) > LONG_SENTENCE:
        notes.say(
            f"{conll.name} has no blank line: all of it is one sentence of {len(reader.sentences[0].tokens):,} words."
        )
    return reader.finished()


def _header_line(conll: ConllLines, first: Sequence[str]) -> int:
    return next(number for number, cells in conll.lines if cells == first)


def _position(conll: ConllLines, column: str, first: Sequence[str], option: str) -> int:
    if not _NUMBER.fullmatch(column):
        if column in first:
            return list(first).index(column)
        raise DataError(
            f"{conll.name} has no column {excerpt(column)}; its first line holds {listed(first)}.",
            did_you_mean(column, first) or f"Give {option} a name of the first line, or a number counted from 0.",
        )
    number = int(column)
    if not -conll.width <= number < conll.width:
        columns = "1 column" if conll.width == 1 else f"{conll.width} columns"
        raise DataError(
            f"{conll.name} has no column {column}: it has {columns}.",
            f"Give {option} a number from 0 to {conll.width - 1}, or a negative one to count from the end.",
        )
    return number % conll.width


def _tag_position(conll: ConllLines, tag: str, first: Sequence[str], notes: TaggingNotes) -> int | None:
    """Return the column of the tags, None for a file without any, if that is allowed."""
    lone = conll.width == 1
    if not notes.options.labels_required:
        known = tag in first if not _NUMBER.fullmatch(tag) else -conll.width <= int(tag) < conll.width
        if lone or not known:
            return None
    if lone:
        raise DataError(
            f"{conll.name} has only one column; expected a token and its tag on each line.",
            "Write them with a tab or a blank between: Berlin B-LOC.",
        )
    return _position(conll, tag, first, "--label")


class _Reader:
    """Puts lines together to sentences and documents."""

    def __init__(self, conll: ConllLines, text: int, tag: int | None, notes: TaggingNotes) -> None:
        self.sentences: list[Sentence] = []
        self._conll = conll
        self._text = text
        self._tag = tag
        self._notes = notes
        self._document = 1
        self._has_text = False  # since the last start of a document
        self._tokens: list[str] = []
        self._tags: list[str] = []
        self._rows: list[int] = []
        self._is_bad = False

    def take(self, number: int, cells: list[str]) -> None:
        """Add one line."""
        raw = self._conll.raw.get(number)
        if not cells:
            self.end()
        elif raw is not None and self._is_mark(number, cells, raw):
            self.end()
            if raw.startswith(DOCUMENT_START) or _DOCUMENT_MARK.match(raw):
                self._document += self._has_text
                self._has_text = False
        else:
            self._add(number, cells)

    def end(self) -> None:
        """End the sentence, if one has begun."""
        if self._rows:
            tags = None if self._tag is None else tuple(self._tags)
            group, broken = str(self._document), self._is_bad
            self.sentences.append(Sentence(tuple(self._tokens), tags, tuple(self._rows), group, is_broken=broken))
        self._has_text = self._has_text or bool(self._rows)
        self._tokens, self._tags, self._rows, self._is_bad = [], [], [], False

    def finished(self) -> list[Sentence]:
        """Return the sentences; in a file of one document they have no group."""
        if self._document > 1 and self._has_text or self._document > 2:
            return self.sentences
        return [replace(one, group=None) for one in self.sentences]

    def _is_mark(self, number: int, cells: list[str], raw: str) -> bool:
        if raw.startswith(DOCUMENT_START):
            return cells[0].startswith(DOCUMENT_START)
        if len(cells) == self._conll.width:
            if self._rows or not raw.startswith("# ") or self._tag is None or is_tag(cells[self._tag]):
                return False  # the token "#", as is any inside a sentence
            if not _DOCUMENT_MARK.match(raw):
                what = 'a line that begins with # and has no tag is read as a comment, not as the token "#"'
                self._notes.changed(what, f"line {number}")
            return True
        if not _COMMENT.match(raw):
            what = f"a line that begins with # and does not have {self._conll.width} columns is read as a comment"
            self._notes.changed(what, f"line {number}")
        return True

    def _add(self, number: int, cells: list[str]) -> None:
        self._rows.append(number)
        problem = self._problem(cells)
        if problem is not None:
            if not self._is_bad:
                self._notes.bad(number, problem[0], _LINE_HINT, what=problem[1])
            else:
                self._notes.again(number, problem[1])
            self._is_bad = True
        else:
            self._tokens.append(cells[self._text].strip(" "))
            if self._tag is not None:
                self._tags.append(cells[self._tag].strip())

    def _problem(self, cells: list[str]) -> tuple[str, str] | None:
        """Return what is wrong with a line: for all lines of the kind, and for this one."""
        width = self._conll.width
        if len(cells) != width:
            found = "1 column" if len(cells) == 1 else f"{len(cells)} columns"
            return "a line has not as many columns as the others", f"{found} found, most lines have {width}"
        if not cells[self._text].strip(" "):
            return "a line has no token", "the line has a tag but no token"
        if self._tag is not None and not cells[self._tag].strip():
            return "a line has no tag", f"token {excerpt(cells[self._text])} has no tag"
        return None


_LINE_HINT = (
    "Every line holds a token and its tag, with as many columns as the others; lines between sentences are empty."
)
