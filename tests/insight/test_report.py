"""The report of a made-up bundle: its sections, its numbers, and what must not be in it."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fastbert.decisions.rules import Decisions
from fastbert.insight.evidence import Evidence
from fastbert.insight.model_card import LabelScores
from fastbert.insight.page_script import SCRIPT
from fastbert.insight.report import MAX_CONFUSION_LABELS, write_report
from fastbert.labels import Labels
from fastbert.tasks.classification import MultiLabel, SingleLabel
from tests.insight.made_rows import EVERY
from tests.insight.made_up import BUNDLE, PER_LABEL
from tests.insight.pages import Page

CONFUSION = [[46, 4, 0], [3, 33, 2], [1, 11, 0]]


def page_in(tmp_path: Path) -> str:
    return write_report(tmp_path, Evidence(BUNDLE, "test", PER_LABEL, CONFUSION)).read_text(encoding="utf-8")


def test_page_and_card_are_written(tmp_path: Path) -> None:
    path = write_report(tmp_path, Evidence(BUNDLE, "test", PER_LABEL))

    assert path == tmp_path / "report.html"
    assert {file.name for file in tmp_path.iterdir()} == {"report.html", "README.md"}


@pytest.mark.parametrize("forbidden", ["<script src", "src=", "href=", "http:", "https:", "url(", "@import", "<link"])
def test_the_page_asks_for_nothing_from_elsewhere(tmp_path: Path, forbidden: str) -> None:
    assert forbidden not in page_in(tmp_path)


def test_the_markup_is_closed_and_a_label_of_markup_is_text(tmp_path: Path) -> None:
    page, reader = page_in(tmp_path), _Reader()

    reader.feed(page)

    assert reader.open == []
    assert "<b>&" in reader.text
    assert "&lt;b&gt;&amp;" in page
    assert "<b>&" not in page


@pytest.mark.parametrize(
    "title",
    [
        "Each label, test rows",
        "How far to trust these scores",
        "What is taken for what, test rows",
        "Learning curves",
        "All scores",
        "What was inferred and chosen",
        "Worth a look",
        "Rows and labels",
        "Training",
    ],
)
def test_every_section_is_there(tmp_path: Path, title: str) -> None:
    assert re.search(f"<h[23]>{title}</h[23]>", page_in(tmp_path))


@pytest.mark.parametrize(
    "row",
    [
        "accuracy 0.9000 share of rows that are right",
        "f1_macro 0.8125 mean F1 of the labels; rare ones count alike",
        "Measured on 100 test rows.",
        "Bugs 0.910 0.920 0.915 0.950 50 51",
        "<b>& 0.000 0.000 0.000 - 12 12",
        "f1_macro 0.8200 0.8125",
        "mcc - 0.7700",
        "log_loss (lower is better) 0.6000 0.5000",
        "Decision rule: The label with the highest score is the answer.",
        "Billing 600 70 38",
        "kept: 0.8200 after step 90",
        "examples 3,600, 75 per second",
        "tokens 96,000, 2,000 per second",
        "padding 4.0 % of all tokens computed",
        "utilisation MFU 42 % (of the 213 GFLOP/s that a matrix product reaches here)",
        "time in training steps 48 s",
        "time estimated 1 min 1 s",
        "memory estimated 1.4 GB",
        "patience -",
        "lr 0.0001",
        "table: label columns topic",
        "machine cpu, 2 threads, fp32",
        "Seed 42.",
    ],
)
def test_the_numbers_of_the_bundle_are_on_the_page(tmp_path: Path, row: str) -> None:
    reader = _Reader()

    reader.feed(page_in(tmp_path))

    assert row in reader.text


def test_confusions_are_a_heat_table_and_a_list_by_falling_count(tmp_path: Path) -> None:
    page, reader = page_in(tmp_path), _Reader()

    reader.feed(page)

    # 46 of 50 rows: 0.65 x 0.92
    assert '<td class="true" style="background:rgba(var(--heat),0.60)">46</td>' in page
    assert "true decided rows <b>& Billing 11 Bugs Billing 4 Billing Bugs 3 Billing <b>& 2" in reader.text


def test_many_labels_have_no_heat_table_but_the_list(tmp_path: Path) -> None:
    names = tuple(f"label {index}" for index in range(MAX_CONFUSION_LABELS + 1))
    counts = [[int(true == 0 and decided == 1) for decided in range(len(names))] for true in range(len(names))]
    many = replace(BUNDLE, task=SingleLabel(Labels(names)))
    scores: LabelScores = {name: {} for name in names}

    page = write_report(tmp_path, Evidence(many, "test", scores, counts)).read_text(encoding="utf-8")

    assert 'class="heat"' not in page
    assert '<th scope="row">label 0</th><td>label 1</td><td>1</td>' in page


def test_without_confusions_there_is_no_such_section(tmp_path: Path) -> None:
    page = write_report(tmp_path, Evidence(BUNDLE, "test", PER_LABEL)).read_text(encoding="utf-8")

    assert "What is taken for what" not in page


def test_a_multi_label_page_has_its_own_headlines_and_threshold(tmp_path: Path) -> None:
    scores = {"f1_macro": 0.61, "f1_micro": 0.72, "average_precision_macro": 0.66, "exact_match": 0.5}
    multi = replace(
        BUNDLE, task=MultiLabel(Labels(("a", "b"))), decisions=Decisions(0.37), scores={"test": scores | {"mcc": 0.4}}
    )

    page = write_report(tmp_path, Evidence(multi, "test", {"a": {}, "b": {}})).read_text(encoding="utf-8")

    tiles = re.findall(r'<div class="tile">(.*?)<b>', page)
    assert [tile.replace("<wbr>", "") for tile in tiles] == list(scores)
    assert "at least 0.37" in page


def test_a_bundle_that_recorded_nothing_still_has_a_page(tmp_path: Path) -> None:
    page = write_report(tmp_path, Evidence(replace(BUNDLE, facts={}, scores={}), "valid")).read_text(encoding="utf-8")

    assert "No training was recorded in this bundle." in page
    assert "No counts were recorded." in page


def test_no_text_of_a_row_is_on_page_or_card(tmp_path: Path) -> None:
    plan = BUNDLE.facts["plan"]
    assert isinstance(plan, dict)
    leaky = replace(BUNDLE, facts={"plan": {**plan, "examples": ["my secret text"]}, "texts": ["my secret text"]})

    page = write_report(tmp_path, Evidence(leaky, "test", PER_LABEL)).read_text(encoding="utf-8")

    assert "secret" not in page + (tmp_path / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", EVERY)
def test_the_page_of_every_task_is_valid_and_loads_nothing(tmp_path: Path, name: str) -> None:
    markup = write_report(tmp_path, EVERY[name]()).read_text(encoding="utf-8")

    page = Page(markup)

    assert page.faults == []
    assert page.scripts == [SCRIPT]
    assert [level for level, _ in page.headings].count(1) == 1
    assert "secret" not in markup + (tmp_path / "README.md").read_text(encoding="utf-8")


def test_the_policy_allows_the_script_of_the_page_and_nothing_else(tmp_path: Path) -> None:
    page = Page(page_in(tmp_path))

    (policy,) = [meta["content"] or "" for meta in page.metas if meta.get("http-equiv")]
    digest = base64.b64encode(hashlib.sha256(page.scripts[0].encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        f"script-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("single", ["What is taken for what", "How well scores rank the rows", "Answering less"]),
        ("multi", ["What a threshold does", "How well scores rank the rows", "Answering less"]),
        ("values", ["Predicted and true"]),
        ("entities", ["What was found and what was not", "Can the scores be believed?"]),
        ("questions", ["Questions and answers", "Can the scores be believed?", "Answering less"]),
    ],
)
def test_each_task_has_its_sections(tmp_path: Path, name: str, titles: list[str]) -> None:
    page = Page(write_report(tmp_path, EVERY[name]()).read_text(encoding="utf-8"))

    found = [heading.partition(",")[0] for _, heading in page.headings]
    assert all(any(heading.startswith(title) for heading in found) for title in titles)
    assert {"Rows worth a look", "Length of texts", "All scores"} <= set(found)


class _Reader(HTMLParser):
    """Collects the visible text, one space between pieces, and the tags still open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._pieces).split()).replace("_ ", "_")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self._pieces.append(data)
