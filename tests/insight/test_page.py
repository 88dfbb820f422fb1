"""Markup is escaped, closed, and complete without anything from elsewhere."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from fastbert.insight.page import STYLE, Html, bar, definitions, document, element, fragment, section, sentences, table


def test_a_text_is_escaped_once_however_deep_it_stands() -> None:
    page = element("div", element("p", "<b>&"), "<i>")

    assert page == "<div><p>&lt;b&gt;&amp;</p>&lt;i&gt;</div>"


def test_the_value_of_an_attribute_cannot_end_it() -> None:
    assert element("th", title='"><script>') == '<th title="&quot;&gt;&lt;script&gt;"></th>'


def test_a_fragment_is_markup_again() -> None:
    assert isinstance(fragment(["a", Html("<br>")]), Html)


def test_a_table_has_headings_for_rows_and_columns() -> None:
    markup = table(["label", "rows"], [["<b>", "7"]], class_="numbers")

    assert '<th scope="col">rows</th>' in markup
    assert '<tr><th scope="row">&lt;b&gt;</th><td>7</td></tr>' in markup


@pytest.mark.parametrize(("share", "width"), [(0.5, "50.0%"), (-1.0, "0.0%"), (3.0, "100.0%")])
def test_a_bar_stays_within_its_track(share: float, width: str) -> None:
    assert f"width:{width}" in bar("x", share)


def test_a_bar_without_a_share_draws_nothing() -> None:
    assert "width" not in bar("-", None)


def test_nothing_is_made_of_no_items() -> None:
    assert sentences([]) == definitions([("empty", "")]) == ""


def test_a_section_has_its_note_below_the_heading() -> None:
    assert section("A", "b", note="c") == '<section><h2>A</h2><p class="note">c</p>b</section>'


def test_a_document_is_whole_and_its_tags_are_closed() -> None:
    checker = _Balance()

    checker.feed(document("A & B", section("One", sentences(["x"]))))

    assert checker.open == []
    assert checker.titles == ["A & B"]


def test_the_style_knows_dark_print_and_narrow() -> None:
    assert all(rule in STYLE for rule in ("prefers-color-scheme:dark", "@media print", "max-width:560px"))
    assert STYLE.count("{") == STYLE.count("}")


class _Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.titles: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["title"]:
            self.titles.append(data)
