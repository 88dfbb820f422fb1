"""The script does what it says on a page of a few elements, in node where there is one; the style is readable."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from fastbert.insight.page import STYLE as PAGE_STYLE
from fastbert.insight.page_script import SCRIPT, STYLE
from fastbert.insight.report_confusion import STRONGEST

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
DOM = """
function El(tag, text) {
  this.tag = tag; this.children = [];
  this.attrs = {}; this.handlers = {}; this.own = text || ""; this.parentNode = null;
}
El.prototype = {
  get textContent() { return this.own + this.children.map(function (c) { return c.textContent; }).join(""); },
  set textContent(text) { this.own = String(text); this.children = []; },
  get cells() { return this.children; }, get rows() { return this.children; },
  appendChild: function (one) {
    var old = one.parentNode;
    if (old) { old.children = old.children.filter(function (c) { return c !== one; }); }
    this.children.push(one); one.parentNode = this; return one;
  },
  insertBefore: function (one) { this.children.unshift(one); one.parentNode = this; return one; },
  addEventListener: function (name, run) { this.handlers[name] = run; },
  getAttribute: function (name) { return name in this.attrs ? this.attrs[name] : null; },
  hasAttribute: function (name) { return name in this.attrs; },
  setAttribute: function (name, value) { this.attrs[name] = value; },
  removeAttribute: function (name) { delete this.attrs[name]; }
};
function make(tag, rows) {
  var table = new El("table"), head = new El("thead"), body = new El("tbody");
  rows.forEach(function (cells, place) {
    var row = new El("tr");
    cells.forEach(function (text) { row.appendChild(new El(place ? "td" : "th", text)); });
    (place ? body : head).appendChild(row);
  });
  table.tHead = head; table.tBodies = [body]; table.body = body;
  new El("section").appendChild(new El("div")).appendChild(table);
  return table;
}
function text(table) {
  return [table.tHead.rows[0]].concat(table.body.rows).map(function (row) {
    return row.children.map(function (cell) { return cell.textContent; });
  });
}
var sorted = make("table", [["label", "F1"], ["b", "0.5"], ["a", "1,000"], ["c", "-"]]);
var heat = make("table", [["true", "x", "y"], ["x", "9", "1"], ["y", "", "30"]]);
var window = new El("window"), asked = [];
var document = {
  createElement: function (tag) { return new El(tag); },
  querySelectorAll: function (what) {
    asked.push(what);
    return what === "table.sortable" ? [sorted] : what === "table.heat" ? [heat] : [];
  }
};
"""
AFTER = """
var heads = sorted.tHead.rows[0].children, out = {};
heads[1].children[0].handlers.click(); out.falling = text(sorted).slice(1);
heads[1].children[0].handlers.click(); out.rising = text(sorted).slice(1); out.sort = heads[1].attrs["aria-sort"];
heads[0].children[0].handlers.click(); out.names = text(sorted).slice(1);
out.shares = text(heat); out.title = heat.body.rows[0].children[1].title;
var tools = heat.parentNode.parentNode.children[0];
tools.children[0].handlers.click(); out.counts = text(heat);
var chooser = tools.children[1].children[0]; chooser.value = "1"; chooser.handlers.change(); out.frequent = text(heat);
window.handlers.beforeprint(); window.handlers.afterprint();
console.log(JSON.stringify(out));
"""


@pytest.fixture(scope="module")
def seen() -> dict[str, object]:
    found = subprocess.run(
        ["node", "-e", DOM + SCRIPT + AFTER], capture_output=True, text=True, check=False, timeout=60
    )
    assert found.stderr == ""
    return dict(json.loads(found.stdout))


@needs_node
def test_a_click_on_a_heading_sorts_by_number_and_again_the_other_way(seen: dict[str, object]) -> None:
    assert seen["falling"] == [["a", "1,000"], ["b", "0.5"], ["c", "-"]]
    assert seen["rising"] == [["c", "-"], ["b", "0.5"], ["a", "1,000"]]
    assert seen["sort"] == "ascending"


@needs_node
def test_names_are_sorted_from_a_on(seen: dict[str, object]) -> None:
    assert seen["names"] == [["a", "1,000"], ["b", "0.5"], ["c", "-"]]


@needs_node
def test_the_matrix_shows_shares_of_the_true_label_then_counts(seen: dict[str, object]) -> None:
    assert seen["shares"] == [["true", "x", "y"], ["x", "90 %", "10 %"], ["y", "", "100 %"]]
    assert seen["title"] == "9 of 10"
    assert seen["counts"] == [["true", "x", "y"], ["x", "9", "1"], ["y", "", "30"]]


@needs_node
def test_the_matrix_is_ordered_by_frequency_in_both_directions(seen: dict[str, object]) -> None:
    assert seen["frequent"] == [["true", "y", "x"], ["y", "30", ""], ["x", "1", "9"]]


@pytest.mark.parametrize(
    "word", ["fetch(", "XMLHttpRequest", "import(", "eval(", "localStorage", "cookie", "innerHTML", "</script", "http"]
)
def test_the_script_loads_stores_and_sends_nothing(word: str) -> None:
    assert word not in SCRIPT


def test_the_style_prints_what_is_folded() -> None:
    assert STYLE.count("{") == STYLE.count("}") and "details-content" in STYLE and "focus-visible" in STYLE


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("color", ["text", "soft", "blue", "orange", "green", "purple", "red", "brown", "teal", "grey"])
def test_colors_can_be_read(mode: str, color: str) -> None:
    shades = _shades(mode)

    assert _contrast(shades[color], shades["back"]) >= (4.5 if color in ("text", "soft") else 3.0)  # WCAG 1.4.3, 1.4.11


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_dot_can_be_seen_where_no_other_lies_over_it(mode: str) -> None:
    shades = _shades(mode)
    share = float(re.findall(r"\.spot\{[^}]*opacity:([.\d]+)", STYLE)[0])
    mixed = [share * dot + (1 - share) * back for dot, back in zip(shades["blue"], shades["back"], strict=True)]

    assert _contrast(mixed, shades["back"]) >= 3.0  # WCAG 1.4.11


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_numbers_of_the_matrix_can_be_read_on_the_strongest_shade(mode: str) -> None:
    shades = _shades(mode)
    mixed = [STRONGEST * h + (1 - STRONGEST) * b for h, b in zip(shades["heat"], shades["back"], strict=True)]

    assert _contrast(shades["text"], mixed) >= 4.5


def _shades(mode: str) -> dict[str, list[float]]:
    rules = re.findall(r":root\{(.*?)\}", PAGE_STYLE, re.S)[0 if mode == "light" else 1]
    found = {}
    for name, value in re.findall(r"--(\w+):([^;]+)", rules):
        wide = value.strip().lstrip("#")
        wide = "".join(2 * one for one in wide) if len(wide) == 3 else wide
        parts = wide.split(",") if "," in wide else [str(int(wide[place : place + 2], 16)) for place in (0, 2, 4)]
        found[name] = [float(part) for part in parts]
    return found


def _contrast(one: list[float], two: list[float]) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(two)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: list[float]) -> float:
    linear = [part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in color]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
