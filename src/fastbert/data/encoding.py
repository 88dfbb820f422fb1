"""Which encoding a text file has, decided over the whole file, and its decoded lines.

Knows nothing of cells or delimiters. UTF-8 is believed only if every byte of the file
agrees; the rest is told apart by byte order marks, by NUL bytes and by how the bytes above
127 stand together.
"""

from __future__ import annotations

import codecs
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from fastbert.data.files import InputFile
from fastbert.errors import DataError

HEAD_BYTES = 4096
GUESS_BYTES = 1 << 16  # charset-normalizer needs about 1 s for each MB
BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark is the start of this one
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
CP1252_ONLY = re.compile(rb"[\x80-\x9f]")
CP1252_UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
HIGH = re.compile(rb"[\x80-\xff]")
UTF8_CHARACTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
# Western text has its accents one by one among ASCII letters, and no signs inside words.
# U+00B7 is Catalan, 0x91 and 0x92 are apostrophes, 0xAD is the soft hyphen.
NOT_WESTERN = re.compile(
    rb"[\x80-\xff]{4,}"
    rb"|(?<=[a-z])[\x80-\x89\x8b\x8d\x8f\x90\x93-\x99\x9b\x9d\xa1-\xac\xae-\xb3\xb5\xb6\xb8-\xbf](?=[a-z])"
)
# What charset-normalizer 3.5 names rightly for short and long reviews; it took ISO 8859-2 for
# 8859-15, Greek cp1253 for 8859-5 and one line of koi8-r for Shift JIS, so no other name is believed.
BELIEVED = {
    "cp1250": "cp1250",
    "cp1251": "cp1251",
    "koi8_r": "koi8-r",
    "cp932": "cp932",
    "gb18030": "gb18030",
    "big5": "big5",
    "cp949": "cp949",
    "euc_jis_2004": "euc-jp",
    "euc_jp": "euc-jp",
}


@dataclass(frozen=True)
class TextFacts:
    """What one pass over all of a text file has found.

    newline: what ends a line, a line feed (which may follow a return) or a lone return.
    has_quotes: a double quote occurs anywhere.
    """

    encoding: str
    newline: str
    has_quotes: bool


def examine_text(file: InputFile) -> TextFacts:
    """Read the whole file once and return its encoding, line ends and use of quotes.

    Raises DataError with the byte offset if no encoding fits, with the row of a NUL character.
    """
    encoding = _encoding_of(file)
    has_return = has_quotes = False
    num_newlines = 0
    decoder = codecs.getincrementaldecoder(encoding)()
    for block in file.blocks():
        text = decoder.decode(block)
        if "\0" in text:
            row = num_newlines + 1 + text[: text.index("\0")].count("\n")
            raise DataError(
                f"{file.name}, row {row}: a NUL character stands in the text; expected plain text.",
                "Is this a binary file, or was it damaged? "
                "Save it as UTF-8 CSV, or remove the NULs with `tr -d '\\000'`.",
            )
        num_newlines += text.count("\n")
        has_return = has_return or "\r" in text
        has_quotes = has_quotes or '"' in text
    newline = "\r" if has_return and num_newlines == 0 else "\n"
    return TextFacts(encoding, newline, has_quotes)


def text_lines(file: InputFile, facts: TextFacts) -> Iterator[str]:
    """Yield the decoded lines with their line ends."""
    with file.open() as stream:
        text = io.TextIOWrapper(stream, facts.encoding, newline=facts.newline)
        try:
            for line in text:  # noqa: UP028 - "yield from" would close the stream when left early
                yield line
        finally:
            text.detach()  # without this it closes the stream, and standard input has only one


def whole_lines(head: bytes) -> bytes:
    """Return the beginning of a text file without the line in which it ends, nor a cell in quotes that it cuts.

    All of it where it is one line. Quotes may be data, too: where they would take half of it they are not heeded.
    """
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _wide_encoding(head) is not None
    little = head.startswith(codecs.BOM_UTF16_LE) or _wide_encoding(head) == "utf-16-le"
    # latin-1 keeps every byte, and line ends and quotes stand for themselves in all encodings but the wide ones
    encoding = ("utf-16-le" if little else "utf-16-be") if wide else "latin-1"
    text = head.decode(encoding, "ignore")
    newline = "\n" if "\n" in text else "\r"
    last = text.rfind(newline) + 1
    end, before = last, text.count('"', 0, last)
    while before % 2 and end > 0:
        start = text.rfind(newline, 0, end - 1) + 1
        before -= text.count('"', start, end)
        end = start
    found = end if 2 * end > last else last
    return text[:found].encode(encoding, "surrogatepass") if found else head


def _encoding_of(file: InputFile) -> str:
    head = file.head(HEAD_BYTES)
    for mark, encoding in BOMS.items():
        if head.startswith(mark):
            return _checked(file, encoding, "its byte order mark says so")
    wide = _wide_encoding(head)
    if wide is not None:
        return _checked(file, wide, "NUL bytes alternate with text")
    bad = _first_undecodable(file, "utf-8")
    return "utf-8" if bad is None else _single_byte_encoding(file, bad)


def _wide_encoding(head: bytes) -> str | None:
    """Return the UTF-16 variant without a mark, whose ASCII characters have a NUL each."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if 20 * max(even, odd) < len(head) or max(even, odd) < 4 * min(even, odd):
        return None
    encoding, wide_newline = ("utf-16-le", b"\n\0") if odd > even else ("utf-16-be", b"\0\n")
    return encoding if 2 * head.count(wide_newline) >= head.count(b"\n") else None


def _checked(file: InputFile, encoding: str, reason: str) -> str:
    # the decoder of utf-8-sig counts from behind the mark
    bad = _first_undecodable(file, encoding.removesuffix("-sig"))
    if bad is not None:
        raise DataError(
            f"{file.name}, byte {bad}: is not {encoding}, which was expected because {reason}.",
            "The file is cut off or mixes encodings. Save it again as UTF-8.",
        )
    return encoding


def _first_undecodable(file: InputFile, encoding: str) -> int | None:
    """Return the offset of the first byte that the encoding cannot decode."""
    decoder = codecs.getincrementaldecoder(encoding)()
    done = 0
    for block in file.blocks():
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            return done - pending + error.start
        done += len(block)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return done - len(decoder.getstate()[0]) + error.start
    return None


@dataclass
class _HighBytes:
    """Counts over the bytes above 127 of one file."""

    total: int = 0
    in_utf8: int = 0
    not_western: int = 0
    has_cp1252: bool = False
    has_undefined: bool = False
    sample: bytes = b""

    def add(self, block: bytes) -> None:
        self.total += len(HIGH.findall(block))
        self.in_utf8 += sum(map(len, UTF8_CHARACTER.findall(block)))
        self.not_western += sum(map(len, NOT_WESTERN.findall(block)))
        self.has_cp1252 = self.has_cp1252 or CP1252_ONLY.search(block) is not None
        self.has_undefined = self.has_undefined or CP1252_UNDEFINED.search(block) is not None
        if not self.sample and HIGH.search(block):
            lines = [line for line in block.splitlines(keepends=True) if HIGH.search(line)]
            room = itertools.accumulate(map(len, lines))  # whole lines: a cut character spoils the guess
            self.sample = b"".join(line for line, end in zip(lines, room, strict=True) if end <= GUESS_BYTES)


def _single_byte_encoding(file: InputFile, bad: int) -> str:
    """Return the encoding of a file that is not UTF-8. bad: where UTF-8 failed."""
    high = _HighBytes()
    for block in file.blocks():
        high.add(block)
    if high.in_utf8 >= 0.5 * high.total:
        raise DataError(
            f"{file.name}, byte {bad} (line {_line_of(file, bad)}): is not UTF-8, but most of the file is.",
            "Correct that character, or drop it with `iconv -c -f utf-8 -t utf-8 FILE > NEW`.",
        )
    if high.not_western <= 0.2 * high.total:
        return "cp1252" if high.has_cp1252 and not high.has_undefined else "latin-1"
    guess = _guess(high.sample)
    if guess is not None and _first_undecodable(file, guess) is None:
        return guess
    raise DataError(
        f"{file.name}, byte {bad} (line {_line_of(file, bad)}): the encoding is unknown. It is not UTF-8 or"
        " UTF-16, does not read like Western European text (cp1252, latin-1), and no other one was sure.",
        "Save the file as UTF-8, for example with `iconv -f ITS_ENCODING -t utf-8 FILE > NEW`.",
    )


def _guess(sample: bytes) -> str | None:
    """Return the opinion of charset-normalizer if it is one that is believed."""
    from charset_normalizer import from_bytes  # 30 ms, for few files

    best = from_bytes(sample).best()
    return None if best is None else BELIEVED.get(best.encoding)


def _line_of(file: InputFile, offset: int) -> int:
    line, done = 1, 0
    for block in file.blocks():
        if done + len(block) >= offset:
            return line + block[: offset - done].count(b"\n")
        line += block.count(b"\n")
        done += len(block)
    return line
