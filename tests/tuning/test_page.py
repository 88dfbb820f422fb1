"""The page of a search: whole, offline, numbers only."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from fastbert.tuning.page import search_page
from tests.tuning.small import record
from tests.tuning.test_result import result, trial


class Parser(HTMLParser):
    """Counts elements and checks that they close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(page: str) -> Parser:
    parser = Parser()
    parser.feed(page)
    assert not parser.open
    return parser


def test_a_search_is_shown_with_its_history_and_what_mattered() -> None:
    trials = [trial(0, 0.5), trial(1, 0.8), record(2, 0.3, "pruned", note="below the median", options={"lr": 1.0})]
    page = search_page(result(trials), "model")

    assert parsed(page).seen.count("svg") == 1
    assert "result: trial 1" in page and "0.8000" in page and "75 %" in page
    assert "(below the median)" in page
    assert not [forbidden for forbidden in ("<script", "http:", "https:", "src=", "href=") if forbidden in page]


def test_a_search_by_latency_shows_the_front() -> None:
    trials = [trial(0, 0.9, latency_s=(0.0, 0.05)), trial(1, 0.7, latency_s=(0.0, 0.01))]
    page = search_page(result(trials, limit_s=0.02), "model")

    assert parsed(page).seen.count("svg") == 2
    assert "ms for a long text" in page


@pytest.mark.parametrize("name", ["<b>", "a & b"])
def test_names_are_escaped(name: str) -> None:
    page = search_page(result([trial(0, 0.5)]), name)

    assert parsed(page) and "<b>: search" not in page
