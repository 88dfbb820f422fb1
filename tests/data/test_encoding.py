"""Encodings: what each is taken for, and that no file is half right."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.encoding import examine_text, text_lines
from fastbert.data.files import InputFile, find_file
from fastbert.errors import DataError

ENGLISH = "text,label\nThe export button does nothing,bug\n"
FRENCH = "text,label\nL’application plante à chaque démarrage… Où est l’aide ? Ça coûte 5 €,bug\n"
SPANISH = "text,label\n¿Por qué no funciona? Añadí una canción y desapareció.,bug\n"
GERMAN = "text,label\nSie stürzt häufig ab. Größe überprüfen – „prima“,bug\n"
RUSSIAN = "text,label\nЭто приложение ужасно, постоянно вылетает и не сохраняет данные.,bug\n"
JAPANESE = "text,label\nこのアプリはとても便利です。毎日使っています。でも最近クラッシュします。,bug\n"
CHINESE = "text,label\n这个应用程序非常好用，每天都在使用，但是最近经常崩溃，请尽快修复。,bug\n"
KOREAN = "text,label\n이 앱은 정말 편리합니다. 매일 사용하고 있지만 최근에 자주 멈춥니다.,bug\n"
POLISH = "text,label\nAplikacja działa świetnie. Proszę o poprawę błędów, żółć gęślą jaźń.,bug\n"
GREEK = "text,label\nΗ εφαρμογή είναι πολύ καλή αλλά κολλάει συχνά.,bug\n"


def written(folder: Path, content: bytes) -> InputFile:
    path = folder / "train.csv"
    path.write_bytes(content)
    return find_file(path)


def decoded(file: InputFile) -> str:
    return "".join(text_lines(file, examine_text(file)))


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (ENGLISH, "ascii", "utf-8"),
        (FRENCH, "utf-8", "utf-8"),
        (JAPANESE, "utf-8", "utf-8"),
        (JAPANESE, "utf-8-sig", "utf-8-sig"),
        (JAPANESE, "utf-16", "utf-16"),
        (RUSSIAN, "utf-32", "utf-32"),
        (FRENCH, "utf-16-le", "utf-16-le"),
        (FRENCH, "utf-16-be", "utf-16-be"),
        (RUSSIAN, "utf-16-le", "utf-16-le"),
        (FRENCH, "cp1252", "cp1252"),
        (GERMAN, "cp1252", "cp1252"),
        (SPANISH, "latin-1", "latin-1"),
        (RUSSIAN, "cp1251", "cp1251"),
        (RUSSIAN * 20, "koi8-r", "koi8-r"),
        (JAPANESE, "shift_jis", "cp932"),
        (JAPANESE, "euc-jp", "euc-jp"),
        (CHINESE, "gbk", "gb18030"),
        (KOREAN, "euc-kr", "cp949"),
        (POLISH, "cp1250", "cp1250"),
    ],
)
def test_the_encoding_is_found_and_the_text_is_the_same(tmp_path: Path, text: str, encoding: str, found: str) -> None:
    file = written(tmp_path, text.encode(encoding))

    assert examine_text(file).encoding == found
    assert decoded(file) == text


@pytest.mark.parametrize(("byte", "found"), [(b"\x93", "cp1252"), (b"\xe9", "latin-1"), (b"\x81", "latin-1")])
def test_bytes_that_only_cp1252_defines_tell_it_from_latin_1(tmp_path: Path, byte: bytes, found: str) -> None:
    assert examine_text(written(tmp_path, b"a word " + byte + b" another\n")).encoding == found


def test_a_late_accent_decides_as_an_early_one(tmp_path: Path) -> None:
    file = written(tmp_path, b"plain text\n" * 200_000 + "Größe\n".encode("latin-1"))

    assert examine_text(file).encoding == "latin-1"


def test_characters_cut_by_a_block_are_whole(tmp_path: Path) -> None:
    text = "x" + "é€😀\n" * 150_000  # 1.5 MB: two blocks, the border inside a character

    assert decoded(written(tmp_path, text.encode())) == text


@pytest.mark.parametrize(("text", "encoding"), [(GREEK, "cp1253"), (POLISH, "iso8859-2")])
def test_an_unsure_encoding_is_an_error_and_not_a_guess(tmp_path: Path, text: str, encoding: str) -> None:
    with pytest.raises(DataError) as caught:
        examine_text(written(tmp_path, text.encode(encoding)))

    assert "the encoding is unknown. It is not UTF-8 or UTF-16" in caught.value.message
    assert "iconv -f ITS_ENCODING -t utf-8" in str(caught.value.hint)


def test_one_bad_byte_in_utf_8_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        examine_text(written(tmp_path, "text\né\né\n".encode() + b"\xff\n"))

    assert caught.value.message == "train.csv, byte 11 (line 4): is not UTF-8, but most of the file is."
    assert "iconv -c -f utf-8 -t utf-8" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("content", "encoding", "byte"),
    [("text\nx".encode("utf-16") + b"\n", "utf-16", 14), (b"\xef\xbb\xbfab\xff", "utf-8-sig", 5)],
)
def test_a_mark_that_lies_is_an_error(tmp_path: Path, content: bytes, encoding: str, byte: int) -> None:
    with pytest.raises(DataError) as caught:
        examine_text(written(tmp_path, content))

    expected = f"train.csv, byte {byte}: is not {encoding}, which was expected because its byte order mark says so."
    assert caught.value.message == expected


def test_a_nul_character_is_named_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        examine_text(written(tmp_path, ENGLISH.encode() + b"a\0b,c\n"))

    assert caught.value.message == "train.csv, row 3: a NUL character stands in the text; expected plain text."
    assert "tr -d '\\000'" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"a\nb\n", ["a\n", "b\n"]),
        (b"a\r\nb", ["a\r\n", "b"]),
        (b"a\rb\r", ["a\r", "b\r"]),
        (b"a\rb\nc\n", ["a\rb\n", "c\n"]),
        ("a\u2028b\x0bc\x85d\n".encode(), ["a\u2028b\x0bc\x85d\n"]),
    ],
)
def test_lines_end_where_an_editor_ends_them(tmp_path: Path, content: bytes, lines: list[str]) -> None:
    file = written(tmp_path, content)

    assert list(text_lines(file, examine_text(file))) == lines


def test_a_reader_may_stop_early(tmp_path: Path) -> None:
    file = written(tmp_path, ENGLISH.encode())

    next(text_lines(file, examine_text(file)))

    assert decoded(file) == ENGLISH


@pytest.mark.parametrize(("content", "has_quotes"), [(b"a b\n", False), (b'a "b"\n', True)])
def test_quotes_anywhere_are_noticed(tmp_path: Path, content: bytes, has_quotes: bool) -> None:
    assert examine_text(written(tmp_path, content)).has_quotes is has_quotes


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_text_in_utf_8_reads_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    content = text.encode("utf-8-sig")

    assert decoded(written(tmp_path_factory.getbasetemp(), content)) == text
