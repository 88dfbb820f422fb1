"""The pages are the package's own files, ask nobody else, and show nothing that a bundle does not have."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fastbert.serving.page.pages import files
from tests.serving.asking import QUIET, Asker, serving


@pytest.fixture(scope="module")
def papers(single: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """Serve a bundle with a report and a card, and one without."""
    full = tmp_path_factory.mktemp("papers") / "full"
    shutil.copytree(single, full)
    (full / "report.html").write_text("<p>report</p>")
    (full / "README.md").write_text("---\nlanguage: en\n---\n\n# card")
    bare = full.with_name("bare")
    shutil.copytree(single, bare)
    for name in ("report.html", "README.md"):
        (bare / name).unlink(missing_ok=True)
    with serving({"full": full, "bare": bare}) as served:
        yield served


PATHS = ["/", "/docs", *(f"/page/{name}" for name in files() if not name.endswith(".html"))]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_sent_with_a_policy_that_forbids_all_others(papers: Asker, path: str) -> None:
    answer = papers.get(path)

    assert answer.status == 200
    assert answer.body
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_a_browser_that_has_a_page_is_told_so(papers: Asker) -> None:
    tag = papers.get("/").headers["etag"]

    again = papers.get("/", {"If-None-Match": tag})

    assert (again.status, again.body) == (304, b"")
    assert papers.get("/", {"If-None-Match": '"old"'}).status == 200


@pytest.mark.parametrize("name", files())
def test_no_file_names_another_server(name: str) -> None:
    text = files()[name].body.decode()

    assert set(re.findall(r"https?://[\w.]+", text)) <= {"http://www.w3.org"}
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b", text)


@pytest.mark.parametrize(("paper", "content"), [("report", b"<p>report</p>"), ("card", b"# card")])
def test_what_lies_beside_a_model_is_shown_without_rights(papers: Asker, paper: str, content: bytes) -> None:
    answer = papers.get(f"/v1/models/full/{paper}")

    assert (answer.status, answer.body) == (200, content)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    if paper == "report":  # which may have a script within itself
        assert "sandbox allow-scripts;" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("paper", ["report", "card"])
def test_a_bundle_without_it_says_so(papers: Asker, paper: str) -> None:
    assert papers.get(f"/v1/models/bare/{paper}").status == 404
    assert papers.get(f"/v1/models/none/{paper}").status == 404
    facts = {one["name"]: one[f"has_{paper}"] for one in papers.get("/v1/models").json["details"]}
    assert facts == {"full": True, "bare": False}


def test_with_keys_the_pages_come_without_one_and_ask_for_it_themselves(papers: Asker) -> None:
    (folder,) = (one.source.folder for one in papers.service.models.all.values() if one.name == "full")
    with serving([folder], replace(QUIET, api_keys=("k" * 32,))) as locked:
        assert {locked.get(path).status for path in [*PATHS, "/page/paper.html"]} == {200}
        assert locked.get("/v1/models/full/report").status == locked.get("/v1/models/full/card").status == 401


def test_a_report_handed_over_has_no_more_rights_than_one_that_is_asked_for(papers: Asker) -> None:
    name = "content-security-policy"

    assert papers.get("/page/paper.html").headers[name] == papers.get("/v1/models/full/report").headers[name]


def test_a_path_that_vertex_has_chosen_is_its_own(single: Path) -> None:
    with serving([single], replace(QUIET, health_route="/")) as asker:
        assert asker.get("/").headers["content-type"] != "text/html; charset=utf-8"
        assert asker.get("/docs").status == 200


def test_a_server_without_pages_has_none_of_them(single: Path) -> None:
    with serving([single], replace(QUIET, page=False)) as asker:
        assert [asker.get(path).status for path in ("/docs", "/page/page.js")] == [404, 404]
        assert asker.get("/").body == b"Ok"
        assert asker.get("/v1/models").json["details"][0]["has_report"] is False
