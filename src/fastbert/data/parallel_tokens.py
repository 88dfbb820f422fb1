"""Sentences of two files, line by line: tokens in one (seq.in), their tags in the other (seq.out).

The layout of SNIPS and ATIS. Knows nothing of what a tag means.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from fastbert.data.encoding import examine_text, text_lines
from fastbert.data.files import InputFile, find_file
from fastbert.data.tagged_sentences import Sentence
from fastbert.data.tagging_notes import TaggingNotes
from fastbert.errors import DataError

TOKEN_FILE, TAG_FILE = "seq.in", "seq.out"
_TOKEN = re.compile(r"[^ \t\r\f\v]+")


def find_pair(source: str | os.PathLike[str], text: str | None, tag: str | None) -> tuple[Path, Path]:
    """Return the paths of the tokens and the tags; the files need not exist.

    source: the folder of both, or one of the two files.
    text, tag: names of the two files, seq.in and seq.out if not given. Of a file under another name the tags stand
        beside it: under the name of the tags, or, where both names differ in the suffix alone, under its own name
        with that suffix (train.in and train.out of "train.in").
    """
    place = Path(source)
    text_name, tag_name = text or TOKEN_FILE, tag or TAG_FILE
    if os.path.isdir(source):
        return place / text_name, place / tag_name
    token_suffix, tag_suffix = Path(text_name).suffix, Path(tag_name).suffix
    alike = Path(text_name).stem == Path(tag_name).stem and token_suffix != tag_suffix
    if alike:
        return place.with_suffix(token_suffix) if place.suffix == tag_suffix else place, place.with_suffix(tag_suffix)
    if place.name == tag_name:
        return place.parent / text_name, place
    return place, place.parent / tag_name


def pair_name(path: Path) -> str:
    """Return the name of a file with its folder, such as "train/seq.in": the name alone is the same everywhere."""
    folder = path.absolute().parent.name
    return f"{folder}/{path.name}" if folder else path.name


def read_pair(tokens: Path, tags: Path, notes: TaggingNotes) -> list[Sentence]:
    """Return the sentences of two files; a sentence whose lines do not fit is left out and noted.

    Raises DataError if the files have different numbers of lines, or if the tags are missing and needed.
    """
    texts = _lines(find_file(tokens))
    if notes.options.texts_only or (not notes.options.labels_required and not tags.exists()):
        return [sentence for number, text in enumerate(texts, 1) if (sentence := _sentence(number, text, None, notes))]
    tag_lines = _lines(find_file(tags))
    if len(texts) != len(tag_lines):
        raise DataError(
            f"{pair_name(tokens)} has {len(texts):,} lines, but {pair_name(tags)} has {len(tag_lines):,}.",
            "Each line of one holds the tags of the same line of the other.",
        )
    pairs = enumerate(zip(texts, tag_lines, strict=True), start=1)
    return [one for number, (text, line) in pairs if (one := _sentence(number, text, line.split(), notes))]


def _lines(file: InputFile) -> list[str]:
    """Return the lines without their ends; empty lines at the end of a file mean nothing."""
    lines = [line.removesuffix("\n").removesuffix("\r") for line in text_lines(file, examine_text(file))]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _sentence(number: int, text: str, tags: list[str] | None, notes: TaggingNotes) -> Sentence | None:
    tokens = tuple(_TOKEN.findall(text))
    if tags is not None and len(tokens) != len(tags):
        what = f"{_count(len(tokens), 'token')}, but {_count(len(tags), 'tag')}"
        hint = "Every token has one tag; tokens are what stands between blanks."
        notes.bad(number, "there are not as many tags as tokens", hint, what=what)
        return Sentence(tokens, tuple(tags), (number,) * len(tokens), is_broken=True)
    if not tokens:
        notes.left_out(number, "the line is empty")
        return None
    return Sentence(tokens, None if tags is None else tuple(tags), (number,) * len(tokens), text=text)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
