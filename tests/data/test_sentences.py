"""Sentences of a text, by rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.sentences import split_sentences


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    "parts",
    [
        ["It crashed.", "I restarted it!", "Why?", "Nobody knows."],
        ["Dr. Smith met Mrs. Jones vs. Mr. Brown.", "They left."],
        ["J. R. R. Tolkien wrote it.", "It is long."],
        ["It is sold in the U.S. Army store.", "It costs $3.50 or 4.75 EUR."],
        ["See Fig. 3 and No. 5 on p. 7.", "She said no.", "Then she left on Oct. 12."],
        ["Am I?", "Yes, you and I.", "Good."],
        ['He said "Stop!" and ran.', 'She said "No."', "(They agreed.)", "It ended."],
        ["Use e.g. the e-mail app, i.e. the old one.", "It works etc. and so on."],
        ["Wait... there is more…", "And then?!", "Nothing."],
        ["See example.com for version 2.0.", "It is there."],
        ["没有问题。", "真的吗？", "是。"],
        ["太好了！！", "真的？！", "是的。"],
        ["「你好。」", "他说。", "（他走了。）", "我来了。"],
        ["¿Dónde está?", "«Aquí.»", "¡Bien!"],
        ["no end of a sentence"],
    ],
)
def test_sentences_end_where_readers_end_them(parts: list[str]) -> None:
    joined = ("" if parts[-1].endswith("。") else " ").join(parts)

    assert sentences(joined) == parts


def test_an_empty_line_and_an_item_of_a_list_end_a_sentence() -> None:
    text = "A heading\n\nIt goes on\nover a line.\n- one\n- two\n1. three"

    assert sentences(text) == ["A heading", "It goes on\nover a line.", "- one", "- two", "1. three"]


@pytest.mark.parametrize("text", ["", "  \n\n "])
def test_a_text_without_words_has_no_sentence(text: str) -> None:
    assert split_sentences(text) == []


@given(st.text(alphabet="aB1 .!?\n\"'(-。", max_size=60))
def test_every_character_is_in_one_sentence(text: str) -> None:
    places = split_sentences(text)

    assert "".join("".join(text[start:end] for start, end in places).split()) == "".join(text.split())
    assert places == sorted(places)
    assert all(start < end and text[start:end] == text[start:end].strip() for start, end in places)
