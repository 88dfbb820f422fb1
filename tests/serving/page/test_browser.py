"""The pages in a browser: a text, its reasons, a file, errors; by keyboard alone, and asking nobody else."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fastbert.serving.settings import Limits
from tests.serving.asking import QUIET, Asker, serving

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
KEY = "k" * 32
ASKED = "#work:not([hidden])"
TEXT = "please help me , the export button does nothing"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def server(bundles: dict[str, Path]) -> Iterator[Asker]:
    with serving(bundles, replace(QUIET, limits=Limits(characters=5000)), port=True) as served:
        yield served


@pytest.fixture
def page(browser: Any, server: Asker) -> Iterator[Any]:  # noqa: ANN401  # not typed where it is not installed
    """Open the page; at the end it must have asked this server alone, and complained of nothing."""
    context = browser.new_context(base_url=server.address)
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    elsewhere: list[str] = []
    complaints: list[str] = []
    own = (server.address, "blob:", "data:")
    opened.on("request", lambda asked: None if asked.url.startswith(own) else elsewhere.append(asked.url))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    opened.goto("/")
    opened.wait_for_selector(ASKED)
    yield opened
    context.close()
    assert not elsewhere
    assert [line for line in complaints if "Failed to load resource" not in line] == []


def answer_of(page: Any) -> str:  # noqa: ANN401
    return str(page.inner_text("#answer"))


def test_a_text_is_answered_with_bars_and_the_code_for_it(page: Any, server: Asker) -> None:  # noqa: ANN401
    page.fill("#text", TEXT)
    page.click("#predict")
    page.wait_for_selector("table.scores")

    (expected,) = server.post("/v1/predict", {"text": TEXT}).json["predictions"]
    assert expected["labels"][0] in page.inner_text("#said")
    assert page.locator("table.scores tbody tr").count() == len(expected["scores"])
    assert "ms" in answer_of(page)
    assert TEXT in page.inner_text("#curl")
    assert TEXT in page.inner_text("#python")


def test_the_python_code_that_it_shows_runs(page: Any) -> None:  # noqa: ANN401
    pytest.importorskip("httpx2")
    text = 'it\'s "quoted" \\ größer 🙂\nand goes on'
    page.fill("#text", text)
    page.click("#why")
    page.wait_for_selector("#explanation")

    ran: dict[str, Any] = {}
    exec(page.inner_text("#python"), ran)

    (explanation,) = ran["explanations"]
    assert explanation.texts == (text,)
    assert explanation.prediction.labels[0] in page.inner_text("#said")
    ran["client"].close()


def test_it_says_which_words_speak_for_the_answer(page: Any) -> None:  # noqa: ANN401
    page.fill("#text", TEXT)
    page.click("#why")
    page.wait_for_selector("#explanation")

    assert page.locator("#explanation .for, #explanation .against").count() > 2


def test_every_task_is_shown(page: Any, bundles: dict[str, Path]) -> None:  # noqa: ANN401
    for task in bundles:
        page.select_option("#model", label=task)
        page.fill("#text", TEXT)
        if page.is_visible("#pair"):
            page.fill("#pair", "the app is slow and the export button does nothing")
        page.click("#predict")
        page.wait_for_selector("#said b")
        assert "Nothing asked yet" not in answer_of(page)
        assert page.inner_text("#trouble") == ""


def test_a_file_is_answered_and_given_back(page: Any, tmp_path: Path) -> None:  # noqa: ANN401
    table = tmp_path / "texts.csv"
    texts = ["the app is slow", 'a "quoted", text', "größer\nzwei Zeilen", *["bug"] * 100]
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "text"), *enumerate(texts)])
    page.set_input_files("#file", table)
    page.click("text=Predict 103 rows")
    page.wait_for_selector("#download")
    with page.expect_download() as waiting:
        page.click("#download")
    waiting.value.save_as(tmp_path / "answers.csv")

    with (tmp_path / "answers.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == texts
    assert all(row["predicted"] for row in rows)


def test_a_row_that_is_refused_is_named_and_what_came_before_is_kept(page: Any, tmp_path: Path) -> None:  # noqa: ANN401
    lines = tmp_path / "texts.txt"
    lines.write_text("\n".join(["bug"] * 70 + ["bug " * 2000]))  # more characters than the server takes
    page.set_input_files("#file", lines)
    page.click("text=Predict 71 rows")
    page.wait_for_selector("#progress .alert")

    assert "row 65 on: " in page.inner_text("#progress")  # of the second request
    assert "64 of 71 rows answered" in page.inner_text("#progress")
    assert page.is_visible("#download")


def test_a_busy_server_is_asked_again(page: Any) -> None:  # noqa: ANN401
    refused: list[str] = []

    def once(route: Any) -> None:  # noqa: ANN401
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.fulfill(status=429, headers={"Retry-After": "0"}, body="{}")

    page.route("**/v1/predict", once)
    page.fill("#text", TEXT)
    page.click("#predict")
    page.wait_for_selector("#said:has-text('busy')")
    page.wait_for_selector("table.scores")

    assert len(refused) == 1
    assert page.inner_text("#trouble") == ""


def test_a_refusal_says_the_field_and_the_request(page: Any) -> None:  # noqa: ANN401
    error = {"code": "invalid_value", "message": "It is no text.", "field": "texts[0]", "hint": "Send one."}
    page.route("**/v1/predict", lambda route: route.fulfill(status=422, json={"error": error}))
    page.fill("#text", TEXT)
    page.click("#predict")

    assert page.inner_text("#trouble .alert").split("\n") == ["It is no text.", "", "Send one. Field texts[0]."]


def test_a_threshold_decides_anew(page: Any) -> None:  # noqa: ANN401
    page.fill("#text", TEXT)
    page.click("#predict")
    page.wait_for_selector("table.scores tr.given")
    page.fill("#threshold", "1")
    page.press("#threshold", "Tab")

    page.wait_for_selector("#said:has-text('Unknown')")
    assert page.locator("table.scores u").count() == page.locator("table.scores tbody tr").count()
    page.click("#reset")
    page.wait_for_selector("table.scores tr.given")


def test_errors_are_said_where_they_are_and_what_to_do(page: Any) -> None:  # noqa: ANN401
    page.click("#predict")
    assert "There is no text" in page.inner_text("#trouble")

    page.fill("#text", "bug " * 2000)  # more characters than the server takes
    page.click("#predict")
    page.wait_for_selector("#trouble:has-text('characters')")
    page.fill("#text", TEXT)
    page.click("#predict")
    page.wait_for_selector("table.scores")
    assert page.inner_text("#trouble") == ""


def test_it_is_used_by_keyboard_alone(page: Any) -> None:  # noqa: ANN401
    page.focus("#text")
    page.keyboard.type(TEXT)
    page.keyboard.press("Control+Enter")

    page.wait_for_selector("table.scores")
    reached = [page.keyboard.press("Tab") or page.evaluate("document.activeElement.id") for _ in range(4)]
    assert reached == ["slider", "threshold", "predict", "why"]
    page.keyboard.press("Enter")
    page.wait_for_selector("#explanation")
    assert page.get_attribute("#said", "aria-live") == "polite"
    unnamed = page.evaluate(
        "[...document.querySelectorAll('input,select,textarea,button')].filter((one) => !one.hidden &&"
        "!(one.labels && one.labels.length) && !one.ariaLabel && !one.innerText.trim()).map((one) => one.id)"
    )
    assert unnamed == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_dark_where_the_reader_wants_it_and_fits_a_phone(
    browser: Any,  # noqa: ANN401
    server: Asker,
    scheme: str,
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 360, "height": 700})
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    opened.goto(server.address + "/")
    opened.fill("#text", TEXT)
    opened.click("#why")
    opened.wait_for_selector("#explanation")

    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
    brightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).every((one) => one < 50)"
    assert opened.evaluate(brightness) is (scheme == "dark")
    context.close()


def test_the_api_is_described_and_tried(page: Any) -> None:  # noqa: ANN401
    page.goto("/docs")
    page.wait_for_selector("main:has-text('/v1/predict')")

    assert "/invocations" in page.inner_text("main")
    page.click("summary:has-text('/v1/predict')")
    page.click("text=Send")
    page.wait_for_selector("[role=status]:has-text('200 OK')")
    assert "request_id" in page.inner_text("#post_v1_predict pre >> nth=0")


def test_a_key_is_asked_for_kept_in_the_page_alone_and_opens_the_report(
    browser: Any,  # noqa: ANN401
    bundles: dict[str, Path],
    tmp_path: Path,
) -> None:
    folder = shutil.copytree(bundles["single_label"], tmp_path / "one")
    (folder / "report.html").write_text("<!doctype html><p id='found'>How good it is</p>")
    with serving([folder], replace(QUIET, api_keys=(KEY,)), port=True) as asker:
        context = browser.new_context()
        opened = context.new_page()
        opened.set_default_timeout(20_000)
        opened.goto(asker.address + "/")
        opened.fill("#key", "another key".replace(" ", "-"))
        opened.press("#key", "Enter")
        opened.wait_for_selector("#key-trouble:has-text('does not know')")
        opened.fill("#key", KEY)
        opened.press("#key", "Enter")
        opened.fill("#text", TEXT)
        opened.click("#predict")
        opened.wait_for_selector("table.scores")
        assert "Authorization: Bearer $FASTBERT_API_KEY" in opened.inner_text("#curl")
        with context.expect_page() as waiting:
            opened.click("#report")
        waiting.value.wait_for_selector("#found")
        assert waiting.value.evaluate("self.origin") == "null"

        assert context.cookies() == []
        assert opened.evaluate("localStorage.length + sessionStorage.length") == 0
        opened.reload()
        opened.wait_for_selector("#key")
        opened.click("text=Cancel")
        opened.wait_for_selector(".alert:has-text('wants an API key')")
        context.close()
