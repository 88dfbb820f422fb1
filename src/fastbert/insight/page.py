"""Markup for a page that needs nothing but itself: elements, tables, bars, the style sheet.

Every text is escaped where it enters; only `Html` passes as it is. No font, no request, and no script but the one that
a page is given: its policy forbids everything else.
Knows nothing of what is shown.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable, Sequence


class Html(str):
    """Text that is markup already. Every other `str` is escaped when it becomes part of one."""

    __slots__ = ()


def escape(text: str) -> Html:
    """Return text as markup; markup stays as it is.

    >>> escape("<b>&"), escape(Html("<b>"))
    ('&lt;b&gt;&amp;', '<b>')
    """
    return text if isinstance(text, Html) else Html(html.escape(text))


def fragment(parts: Iterable[str]) -> Html:
    """Return parts in a row, each escaped unless it is markup."""
    return Html("".join(escape(part) for part in parts))


def element(tag: str, *children: str, **attributes: str) -> Html:
    """Return an element. In the names of attributes `_` stands for `-`; one at the end is dropped.

    >>> element("td", "a < b", class_="n", data_row="1")
    '<td class="n" data-row="1">a &lt; b</td>'
    """
    named = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{html.escape(value)}"' for name, value in attributes.items()
    )
    return Html(f"<{tag}{named}>{fragment(children)}</{tag}>")


def section(title: str, *children: str, note: str = "") -> Html:
    """Return a part of the page under a heading; note: a sentence below the heading."""
    intro = element("p", note, class_="note") if note else Html("")
    return element("section", element("h2", title), intro, *children)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, class_: str = "", caption: str = "") -> Html:
    """Return a table that scrolls by itself where it is too wide; first cells are row headings."""
    head = element("tr", *(element("th", header, scope="col") for header in headers))
    body = [
        element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:])) for row in rows
    ]
    title = element("caption", caption) if caption else Html("")
    inner = element("table", title, element("thead", head), element("tbody", *body), class_=class_)
    return element("div", inner, class_="scroll", tabindex="0")  # it can be scrolled with the keys


def bar(text: str, share: float | None) -> Html:
    """Return a number with a bar beside it; share: length from 0 to 1, None draws none."""
    if share is None:
        return element("span", element("span", text), element("span", class_="track none"), class_="bar")
    fill = Html(f'<i style="width:{100 * min(max(share, 0.0), 1.0):.1f}%"></i>')
    return element("span", element("span", text), element("span", fill, class_="track"), class_="bar")


def sentences(items: Iterable[str], *, class_: str = "") -> Html:
    """Return a list, or nothing for no items."""
    entries = [element("li", item) for item in items]
    return element("ul", *entries, class_=class_) if entries else Html("")


def definitions(entries: Iterable[tuple[str, str]]) -> Html:
    """Return names with their values; those without a value are left out."""
    shown = [fragment((element("dt", name), element("dd", value))) for name, value in entries if value]
    return element("dl", *shown) if shown else Html("")


def document(title: str, *body: str, style: str = "", script: str = "") -> str:
    """Return a whole page. style: rules beside those of every page.    script: runs at the end of the page."""
    head = fragment(
        (
            Html('<meta charset="utf-8">'),
            Html(f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">'),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Html('<meta name="color-scheme" content="light dark">'),
            element("title", title),
            Html(f"<style>{STYLE}{style}</style>"),
        )
    )
    ending = [Html(f"<script>{script}</script>")] if script else []
    whole = element("html", element("head", head), element("body", *body, *ending), lang="en")
    return Html("<!doctype html>\n") + whole + "\n"


def _policy(script: str) -> str:
    """Return what a page may do: show itself and run the one script, found by its checksum; load and send nothing."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = f"; script-src 'sha256-{digest}'" if script else ""
    return f"default-src 'none'; style-src 'unsafe-inline'{allowed}; base-uri 'none'; form-action 'none'"


STYLE = """
:root{--back:#fff;--panel:#f5f6f8;--text:#1c2128;--soft:#5b6572;--rule:#d9dde3;
--blue:#0b63a5;--orange:#c2540a;--warn:#fff4e0;--heat:11,99,165;
--green:#1b7a43;--purple:#8a3ea8;--red:#b3243c;--brown:#7a5b17;--teal:#0f7580;--grey:#5b6572}
@media screen and (prefers-color-scheme:dark){:root{--back:#14171c;--panel:#1d2229;--text:#e3e7ec;--soft:#9aa5b1;
--rule:#343b45;--blue:#62b0ef;--orange:#f2a25c;--warn:#352a17;--heat:38,104,170;
--green:#5cc98a;--purple:#cf97e6;--red:#f58a9b;--brown:#d3b56a;--teal:#57c4cf;--grey:#9aa5b1}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1000px;padding:24px 20px 48px;background:var(--back);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:break-word}
h1{font-size:26px;line-height:1.2;margin:0 0 4px}
h2{font-size:18px;margin:0 0 8px}
h3{font-size:15px;margin:16px 0 4px}
section{margin-top:36px}
p{margin:0 0 8px;max-width:75ch}
.note,figcaption,.tile small,header p{color:var(--soft)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:12px;margin:20px 0}
.tile{background:var(--panel);border-radius:8px;padding:12px 14px}
.tile b{display:block;font-size:26px;line-height:1.25;font-weight:600;font-variant-numeric:tabular-nums}
.tile small{display:block;font-size:12px;line-height:1.35}
.scroll{overflow-x:auto;margin:8px 0}
table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:4px 18px 4px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
thead th{color:var(--soft);font-weight:500;white-space:nowrap;vertical-align:bottom}
tbody th{font-weight:500;max-width:32ch}
.wide{width:100%}
.numbers td{text-align:right}
.numbers thead th:not(:first-child){text-align:right}
.bar{display:flex;align-items:center;gap:8px;white-space:nowrap}
.bar span:first-child{flex:1;text-align:right}
.track{flex:none;width:56px;height:6px;border-radius:3px;background:var(--rule);overflow:hidden}
.track.none{visibility:hidden}
.track i{display:block;height:100%;background:var(--blue)}
.heat{font-size:13px}
.heat th,.heat td{padding:4px 8px;border:1px solid var(--back)}
.heat td{text-align:right;min-width:44px}
.heat td.true{font-weight:700}
.heat thead th{writing-mode:vertical-rl;transform:rotate(180deg);text-align:left;
text-orientation:sideways}
.heat thead th:first-child{writing-mode:horizontal-tb;transform:none}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,400px),1fr));gap:24px}
figure{margin:0}
.forest{max-width:640px}
.range{display:inline-block;white-space:nowrap}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{fill:var(--soft);font-size:11px;font-family:inherit}
svg .grid{stroke:var(--rule);stroke-width:1}
svg .line{fill:none;stroke-width:2;stroke-linejoin:round}
svg .faint{fill:none;stroke-width:1;opacity:.35}
svg .blue{stroke:var(--blue)}
svg .dot.blue,svg .area.blue{fill:var(--blue);stroke:none}
svg .orange{stroke:var(--orange)}
svg .dot.orange,svg .area.orange{fill:var(--orange);stroke:none}
svg .green{stroke:var(--green)}
svg .dot.green,svg .area.green{fill:var(--green);stroke:none}
svg .purple{stroke:var(--purple)}
svg .dot.purple,svg .area.purple{fill:var(--purple);stroke:none}
svg .red{stroke:var(--red)}
svg .dot.red,svg .area.red{fill:var(--red);stroke:none}
svg .brown{stroke:var(--brown)}
svg .dot.brown,svg .area.brown{fill:var(--brown);stroke:none}
svg .teal{stroke:var(--teal)}
svg .dot.teal,svg .area.teal{fill:var(--teal);stroke:none}
svg .grey{stroke:var(--grey)}
svg .dot.grey,svg .area.grey{fill:var(--grey);stroke:none}
svg .best{fill:none;stroke:var(--orange);stroke-width:2.5}
figcaption{font-size:13px;margin-top:2px}
figcaption span{white-space:nowrap;margin-right:14px}
.key{display:inline-block;width:14px;height:3px;border-radius:2px;vertical-align:middle;margin-right:5px}
.key.blue{background:var(--blue)}
.key.orange{background:var(--orange)}
.key.green{background:var(--green)}
.key.purple{background:var(--purple)}
.key.red{background:var(--red)}
.key.brown{background:var(--brown)}
.key.teal{background:var(--teal)}
.key.grey{background:var(--grey)}
ul{margin:4px 0 8px;padding-left:20px}
.warnings{background:var(--warn);border-radius:8px;padding:10px 14px 10px 32px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 18px;margin:8px 0;font-size:14px}
dt{color:var(--soft)}
dd{margin:0;min-width:0}
summary{cursor:pointer;color:var(--soft)}
footer{margin-top:40px;color:var(--soft);font-size:13px}
@media (max-width:560px){body{padding:16px 14px 32px}dl{grid-template-columns:1fr}dd{margin-bottom:6px}
.track{display:none}th,td{padding-right:12px}svg text{font-size:14px}}
@media print{body{max-width:none;padding:0;font-size:10pt}figure,tr,.tile{break-inside:avoid}h2,h3{break-after:avoid}
.scroll{overflow:visible}
.tile{border:1px solid var(--rule)}*{print-color-adjust:exact}}
"""
