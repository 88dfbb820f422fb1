"""Reads a page as a strict browser would, and says what is wrong with it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_VOID = ("meta", "wbr")
_LOADING = {"src", "href", "srcset", "data", "action", "poster", "background", "xlink:href"}


class Page(HTMLParser):
    """The visible text, the headings, the tables and the mistakes of a page."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.scripts: list[str] = []
        self.metas: list[dict[str, str | None]] = []
        self._ids: set[str] = set()
        self._pieces: list[str] = []
        self._heads = 0
        self.feed(markup)
        self.faults += [f"<{tag}> is not closed" for tag in self.open]

    @property
    def text(self) -> str:
        """Return the visible text, one space between pieces."""
        return " ".join(" ".join(self._pieces).split()).replace("_ ", "_")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if len(named) < len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        self.faults += [f"<{tag} {name}> would load something" for name in named if name in _LOADING]
        self.faults += [f"<{tag} {name}> is an inline handler" for name in named if name.startswith("on")]
        if named.get("id") in self._ids:
            self.faults.append(f"id {named['id']} is there twice")
        self._ids |= {str(named["id"])} if "id" in named else set()
        if tag == "th" and "scope" not in named:
            self.faults.append("<th> without scope")
        if tag == "svg" and not named.get("aria-label"):
            self.faults.append("<svg> without a name")
        if tag == "meta":
            self.metas.append(named)
        if tag not in _VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            level, before = int(tag[1]), self.headings[-1][0] if self.headings else 0
            if level > before + 1:
                self.faults.append(f"<{tag}> after a heading of level {before}")
            self.headings.append((level, ""))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        inside = self.open[-1] if self.open else ""
        if inside == "style" and re.search(r"url\(|@import|https?:", data):
            self.faults.append("the style loads something")
        if inside == "script":
            self.scripts.append(data)
        elif inside != "style":
            self._pieces.append(data)
        if self.headings and re.fullmatch("h[1-6]", inside):
            self.headings[-1] = (self.headings[-1][0], self.headings[-1][1] + data)
