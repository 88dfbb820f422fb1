"""Units of offsets: converted only where the texts of the spans prove it, explained where they only look so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.examples import Entity, TaggedExample
from fastbert.data.span_offsets import in_characters
from fastbert.data.spans import RawSpan, SpanRecord
from fastbert.data.tagging_notes import ReadOptions, TaggingNotes
from fastbert.errors import DataError
from tests.data.tagged import notes, sentences

SOME = [TaggedExample("x", (Entity(0, 1, "X"),))]


def quiet() -> TaggingNotes:
    return notes(unit="row", name="a.json")


def record(text: str, *spans: RawSpan, row: int = 1) -> SpanRecord:
    return SpanRecord(row, text, spans, f"row {row}")


def span(start: int, end: int, text: str | None = None) -> RawSpan:
    return RawSpan(start, end, "LOC", text)


def in_units(example: TaggedExample, encoding: str, size: int) -> SpanRecord:
    """Return an example with offsets in another unit, each span with its text."""

    def units(position: int) -> int:
        return len(example.text[:position].encode(encoding)) // size

    spans = [
        RawSpan(units(one.start), units(one.end), one.label, example.text[one.start : one.end])
        for one in example.entities or ()
    ]
    return record(example.text, *spans)


@pytest.mark.parametrize(("encoding", "size"), [("utf-8", 1), ("utf-16-le", 2), ("utf-32-le", 4)])
@given(examples=st.lists(sentences(), min_size=1, max_size=3))
def test_spans_with_their_text_are_read_in_any_unit(encoding: str, size: int, examples: list[TaggedExample]) -> None:
    found = in_characters([in_units(example, encoding, size) for example in examples], quiet())

    covered = [[one.text[part.start : part.end] for part in one.spans or ()] for one in found]
    assert covered == [[one.text[part.start : part.end] for part in one.entities or ()] for one in examples]


@pytest.mark.parametrize(("start", "unit"), [(5, "UTF-8 bytes"), (3, "UTF-16 units")])
def test_a_conversion_is_said(start: int, unit: str) -> None:
    noted = quiet()

    found = in_characters([record("😀 Rome, Rome", span(start, start + 4, "Rome"))], noted)

    assert found[0].spans == (span(2, 6, "Rome"),)
    assert noted.report(SOME).warnings == (
        f"a.json: the offsets count {unit}, not characters, as the texts of the spans show; they are converted.",
    )


def test_spans_without_text_are_converted_with_the_others() -> None:
    found = in_characters([record("😀 Rome Bonn", span(3, 7, "Rome"), span(8, 12))], quiet())

    assert found[0].spans == (span(2, 6, "Rome"), span(7, 11))


def test_one_wrong_span_among_right_ones_converts_nothing_and_is_moved_to_its_text() -> None:
    noted = quiet()
    rows = [record("😀 Rome", span(2, 6, "Rome")), record("😀 Bonn", span(3, 7, "Bonn"), row=2)]

    found = in_characters(rows, noted)

    assert [one.spans for one in found] == [(span(2, 6, "Rome"),), (span(2, 6, "Bonn"),)]
    assert noted.report(SOME).warnings == (
        "a.json: a span that does not cover its own text is moved to the only place where that text stands,"
        " once (row 2 'LOC' 3-7).",
    )


def test_white_space_that_a_tool_has_cut_off_a_text_is_no_mistake() -> None:
    noted = quiet()

    assert in_characters([record("in Rome, Rome", span(2, 7, "Rome"))], noted)[0].spans == (span(2, 7, "Rome"),)
    assert noted.report(SOME).warnings == ()


def test_a_part_of_a_word_is_no_place_to_move_a_span_to() -> None:
    noted = quiet()

    found = in_characters([record("in Berlin", span(3, 5, "in"))], noted)
    in_characters([record("at Berlin", span(0, 2, "in"))], noted)

    assert found[0].spans == (span(0, 2, "in"),)
    with pytest.raises(DataError, match="covers 'at', but its own text is 'in'"):
        noted.report([])


@pytest.mark.parametrize("text", ["Rome Rome Bonn", "Bonn"])
def test_a_span_whose_text_stands_nowhere_or_twice_is_an_error(text: str) -> None:
    noted = quiet()
    in_characters([record(text, span(1, 4, "Rome"))], noted)

    with pytest.raises(DataError, match=r"a.json, row 1: span 'LOC' 1-4 covers '\w+', but its own text is 'Rome'"):
        noted.report([])


def test_a_clear_majority_decides_the_unit_and_wrong_spans_are_reported() -> None:
    text = "😀 Rome, Rome"
    noted = quiet()
    rows = [record(text, span(3, 7, "Rome"), row=row) for row in range(1, 11)]

    found = in_characters([*rows, record(text, span(3, 7, "Roma"), row=11)], noted)

    assert [one.spans for one in found] == [(span(2, 6, "Rome"),)] * 10
    with pytest.raises(DataError, match="a.json, row 11: span 'LOC' 3-7 covers 'Rome', but its own text is 'Roma'"):
        noted.report(SOME)


def test_an_even_vote_decides_nothing() -> None:
    noted = quiet()
    rows = [record("😀 Rome, Rome", span(start, start + 4, "Rome"), row=start) for start in (2, 3)]

    assert [one.row for one in in_characters(rows, noted)] == [2]


@pytest.mark.parametrize(("unit", "start"), [("utf-8", 5), ("utf-16-le", 3), ("characters", 2)])
def test_parts_with_white_space_between_are_one_entity(unit: str, start: int) -> None:
    parts = RawSpan(start, start + 8, "LOC", "New York", "a.ann, line 1", ((start + 3, start + 4),))
    noted = quiet()

    found = in_characters([record("😀 New\nYork York York", parts, span(start + 9, start + 13, "York"))], noted)

    assert [(one.start, one.end) for one in found[0].spans or ()] == [(2, 10), (11, 15)]


def test_parts_with_words_between_are_left_out_and_that_is_said() -> None:
    parts = RawSpan(0, 20, "LOC", "north Rome", "a.ann, line 1", ((5, 16),))
    noted = quiet()

    assert in_characters([record("north and south Rome", parts)], noted)[0].spans == ()
    assert noted.report(SOME).warnings == (
        "a.json: an entity in parts with other words between is left out, and its words are learned as in no entity,"
        " once (a.ann, line 1 'LOC' 0-20).",
    )


@pytest.mark.parametrize("told", ["New York", "New\\nYork", "New\nYork"])
def test_a_line_break_may_be_written_as_a_blank(told: str) -> None:
    noted = quiet()

    assert in_characters([record("New\nYork", span(0, 8, told))], noted)[0].spans == (span(0, 8, told),)
    assert noted.report(SOME).warnings == ()


@pytest.mark.parametrize(
    ("start", "end", "what"),
    [
        (2, 2, "span 'LOC' 2-2 ends where it starts or before"),
        (3, 1, "span 'LOC' 3-1 ends where it starts or before"),
        (0, 9, "span 'LOC' 0-9 lies outside the text of 4 characters"),
        (-1, 3, "span 'LOC' -1-3 lies outside the text of 4 characters"),
    ],
)
def test_a_span_outside_its_text_is_an_error(start: int, end: int, what: str) -> None:
    noted = quiet()

    assert in_characters([record("Rome", span(start, end))], noted) == []
    with pytest.raises(DataError) as caught:
        noted.report([])
    assert str(caught.value).splitlines()[0] == f"a.json, row 1: {what}."


def test_records_with_bad_spans_are_left_out_once_if_the_user_says_so() -> None:
    noted = notes(options=ReadOptions(skip=True))

    assert len(in_characters([record("Rome", span(0, 9), span(0, 8)), record("a", row=2)], noted)) == 1
    assert noted.report(SOME).num_skipped == 1


@pytest.mark.parametrize(
    ("text", "end", "names", "conversion"),
    [
        ("éé Rome", 9, "UTF-8 bytes", "len(text.encode()[:offset].decode()) from UTF-8 bytes"),
        ("😀 Rome", 7, "UTF-16 units", "len(text.encode('utf-16-le')[:2 * offset].decode('utf-16-le'))"),
    ],
)
def test_offsets_that_only_look_like_another_unit_are_explained(
    text: str, end: int, names: str, conversion: str
) -> None:
    rows = [record(text, span(end - 4, end)), record("Bonn", span(0, 4), row=2)]

    with pytest.raises(DataError) as caught:
        in_characters(rows, quiet())

    shown = str(caught.value)
    assert "a.json: 1 of 2 spans end behind their text, but all lie inside if offsets count" in shown
    assert names in shown
    assert conversion in str(caught.value)


def test_one_wrong_span_does_not_hide_that_offsets_look_like_another_unit() -> None:
    rows = [record("😀😀 Rome", span(5, 9), row=row) for row in range(1, 11)]

    with pytest.raises(
        DataError, match="11 of 11 spans end behind their text, but all except 1 lie inside if .* UTF-16"
    ):
        in_characters([*rows, record("Bonn", span(50, 54), row=11)], quiet())


def test_a_place_in_an_annotation_file_is_named() -> None:
    noted = quiet()
    in_characters([record("Rome", replace(span(0, 9), place="a.ann, line 4"))], noted)

    with pytest.raises(DataError, match="row 1: a.ann, line 4: span 'LOC' 0-9 lies outside"):
        noted.report([])


@pytest.mark.parametrize(
    ("text", "told"), [("Use \\nabla here", "\\nabla"), ("in C:\\new now", "C:\\new"), ("a\nb", "a\\nb")]
)
def test_a_backslash_and_an_n_may_be_both_or_a_line_break(text: str, told: str) -> None:
    start = text.find(told) if told in text else 0
    length = len(told) if told in text else len(text)

    found = in_characters([record(text, span(start, start + length, told))], quiet())

    assert [(one.start, one.end) for one in found[0].spans or ()] == [(start, start + length)]
