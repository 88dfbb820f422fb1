"""The script and the further style of a report: tables that sort, a matrix that turns, everything open when printed.

The page says all that it has to say without it. Nothing is loaded, stored or sent.
"""

from __future__ import annotations

SCRIPT = """(function () {
  "use strict";
  function make(tag, text, parent) {
    var one = document.createElement(tag);
    one.textContent = text;
    parent.appendChild(one);
    return one;
  }
  function value(row, place) {
    var cell = row.children[place];
    return cell ? (cell.getAttribute("data-value") || cell.textContent).trim() : "";
  }
  function compare(one, two) {
    var a = parseFloat(one.replace(/,/g, "")), b = parseFloat(two.replace(/,/g, ""));
    if (isNaN(a) && isNaN(b)) { return one.localeCompare(two); }
    return isNaN(a) ? -1 : isNaN(b) ? 1 : a - b;
  }
  function sortable(table) {
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells), body = table.tBodies[0];
    heads.forEach(function (head, place) {
      var name = head.textContent, button;
      head.textContent = "";
      button = make("button", name, head);
      button.type = "button";
      button.addEventListener("click", function () {
        var up = head.getAttribute("aria-sort") === "descending" || (place === 0 && !head.hasAttribute("aria-sort"));
        var rows = Array.prototype.slice.call(body.rows);
        rows.sort(function (a, b) { return (up ? 1 : -1) * compare(value(a, place), value(b, place)); });
        rows.forEach(function (row) { body.appendChild(row); });
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
      });
    });
  }
  function matrix(table) {
    var body = table.tBodies[0], head = table.tHead.rows[0], rows = Array.prototype.slice.call(body.rows);
    var size = rows.length, counts, totals, order, share = true, bar, toggle, chooser;
    counts = rows.map(function (row) {
      return Array.prototype.slice.call(row.children, 1).map(function (cell) {
        return Number(cell.textContent.replace(/,/g, "")) || 0;
      });
    });
    totals = counts.map(function (row) { return row.reduce(function (a, b) { return a + b; }, 0); });
    order = rows.map(function (row, place) { return place; });
    var cells = rows.map(function (row) { return Array.prototype.slice.call(row.children, 1); });
    var names = Array.prototype.slice.call(head.children, 1);
    function show() {
      cells.forEach(function (row, true_) {
        row.forEach(function (cell, decided) {
          var count = counts[true_][decided], part = totals[true_] ? 100 * count / totals[true_] : 0;
          var percent = part.toFixed(part < 9.95 ? 1 : 0) + " %";
          cell.textContent = !count ? "" : share ? percent : count.toLocaleString("en");
          cell.title = share ? count.toLocaleString("en") + " of " + totals[true_].toLocaleString("en") : percent;
        });
      });
      toggle.textContent = share ? "show rows" : "show shares";
    }
    function arrange() {
      order.forEach(function (true_) {
        order.forEach(function (decided) { rows[true_].appendChild(cells[true_][decided]); });
        body.appendChild(rows[true_]);
      });
      order.forEach(function (decided) { head.appendChild(names[decided]); });
    }
    bar = document.createElement("p");
    bar.className = "tools";
    table.parentNode.parentNode.insertBefore(bar, table.parentNode);
    toggle = make("button", "", bar);
    toggle.type = "button";
    toggle.addEventListener("click", function () { share = !share; show(); });
    chooser = make("select", "", make("label", "order of labels: ", bar));
    ["as in the model", "most frequent first", "most mistaken first"].forEach(function (name, place) {
      make("option", name, chooser).value = String(place);
    });
    chooser.addEventListener("change", function () {
      var key = [
        function (label) { return label; },
        function (label) { return -totals[label]; },
        function (label) { return totals[label] ? counts[label][label] / totals[label] : 2; }
      ][Number(chooser.value)];
      order.sort(function (a, b) { return key(a) - key(b) || a - b; });
      arrange();
    });
    show();
  }
  Array.prototype.forEach.call(document.querySelectorAll("table.sortable"), sortable);
  Array.prototype.forEach.call(document.querySelectorAll("table.heat"), matrix);
  var opened = [];
  window.addEventListener("beforeprint", function () {
    opened = Array.prototype.slice.call(document.querySelectorAll("details:not([open])"));
    opened.forEach(function (one) { one.open = true; });
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (one) { one.open = false; });
  });
}());
"""

STYLE = """
button,select{font:inherit;color:inherit;background:none;border:1px solid var(--rule);border-radius:4px;padding:1px 8px}
.tools{display:flex;gap:16px;align-items:center;flex-wrap:wrap}
th button{border:0;padding:0;font-weight:500;cursor:pointer;text-align:inherit}
th button:hover,summary:hover{text-decoration:underline}
:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
th[aria-sort=ascending] button::after{content:" \\25B2"}
th[aria-sort=descending] button::after{content:" \\25BC"}
.places tbody th{white-space:nowrap;max-width:none}
caption{text-align:left;color:var(--soft);font-size:13px;padding-bottom:4px}
.interval{color:var(--soft);font-size:12px;white-space:nowrap}
pre{background:var(--panel);border-radius:8px;padding:10px 14px;overflow-x:auto;white-space:pre-wrap;font-size:13px}
figcaption p{margin:2px 0 0}
svg .dashed{stroke-dasharray:5 4}
.key.dashed{opacity:.6}
svg .area{stroke:none}
svg .spot{fill:var(--blue);opacity:.65}
@media print{.tools,th button::after{display:none}pre,.scroll{overflow:visible}details::details-content{
content-visibility:visible;block-size:auto}table{font-size:9pt}th,td{padding-right:8px}}
"""
