"""Every page in a real browser: it asks the network for nothing, the console stays empty, and its script runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.insight.compare import compare
from fastbert.insight.compare_page import comparison_page
from fastbert.insight.cost import Cost
from fastbert.insight.doctor.check_page import write_checkup
from fastbert.insight.doctor.checkup import check_material
from fastbert.insight.explanation import Neighbour
from fastbert.insight.explanation_page import explanation_page
from fastbert.insight.page import document, element
from fastbert.insight.report import write_report
from fastbert.tuning.page import search_page
from tests.insight.answered import single
from tests.insight.browser import needs_browser, open_page, visit
from tests.insight.doctor.made import read
from tests.insight.explained import made_up, made_up_check
from tests.insight.made_rows import EVERY
from tests.insight.pages import Page
from tests.tuning.test_result import result, trial


@pytest.fixture(scope="module")
def pages(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the report of a trained model, those of made-up answers of every task, and the pages of other commands."""
    folder = tmp_path_factory.mktemp("pages")
    made = {
        "trained": (bundle / "report.html").read_text(encoding="utf-8"),
        "compare": _comparison(),
        "tune": search_page(result([trial(0, 0.9, latency_s=(0.0, 0.05)), trial(1, 0.7, latency_s=(0.0, 0.01))]), "m"),
        "explain": explanation_page([made_up(made_up_check()).with_similar([Neighbour(0.9, "a", "b", "c")])], "m"),
    }
    for name, evidence in EVERY.items():
        made[name] = write_report(folder, evidence()).read_text(encoding="utf-8")
    rows = [["twice", "a"], ["twice", "b"], ["", "b"]]
    made["check"] = write_checkup(check_material(read(folder, train=rows)), folder / "c").read_text(encoding="utf-8")
    return [_write(folder / f"{name}.html", markup) for name, markup in made.items()]


def _comparison() -> str:
    task, examples, bad = single(60, seed=1, skill=0.1)
    answers = {"bad": bad, "good": single(60, seed=2, skill=0.6)[2]}
    return comparison_page(compare(task, examples, answers), [Cost("good", 1.0, 2.0, 3, 4)], "Comparison on test.csv")


def _write(path: Path, markup: str) -> Path:
    path.write_text(markup, encoding="utf-8")
    return path


def test_no_markup_or_style_names_anything_to_load(pages: list[Path]) -> None:
    assert {page.name: Page(page.read_text(encoding="utf-8")).faults for page in pages} == {
        page.name: [] for page in pages
    }


@needs_browser
def test_pages_ask_the_network_for_nothing_and_leave_the_console_empty(pages: list[Path], tmp_path: Path) -> None:
    seen = visit(tmp_path, pages)

    assert (seen.console, seen.requests) == ((), ())


@needs_browser
def test_the_policy_of_the_report_lets_its_script_run(pages: list[Path], tmp_path: Path) -> None:
    page = next(page for page in pages if page.name == "single.html")

    seen = open_page(tmp_path, page)

    assert "<button" not in page.read_text(encoding="utf-8").partition("<script>")[0]
    assert '<button type="button">show rows</button>' in seen.dom
    assert '<th scope="col"><button type="button">label</button></th>' in seen.dom


@needs_browser
def test_a_request_an_error_and_a_forbidden_script_are_seen(tmp_path: Path) -> None:
    image = '<img src="http://example.invalid/x.png">'
    loud = '<script>console.error("an error"); missing();</script>'
    own = document("t", element("p", "x"), script="var a = 1;").replace("var a = 1;", "var a = 2;")
    bad = {"image": image, "loud": loud, "forbidden": own, "blocked": own.replace("<p>x</p>", image)}
    (tmp_path / "pages").mkdir()

    seen = visit(tmp_path, [_write(tmp_path / "pages" / f"{name}.html", markup) for name, markup in bad.items()])

    assert seen.requests == ("http://example.invalid/x.png",)
    said = [message.partition(" ")[0] for message in seen.console if "net::ERR" not in message]
    assert sorted(said) == ["blocked.html:", "blocked.html:", "forbidden.html:", "loud.html:", "loud.html:"]
