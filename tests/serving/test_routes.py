"""Routes: exact paths, patterns, and what is said of a method that a path does not take."""

from __future__ import annotations

import pytest

from fastbert.serving.http import Request, Response
from fastbert.serving.problems import Problem
from fastbert.serving.protocols.native import shape
from fastbert.serving.routes import Route, Router


async def handler(request: Request) -> Response:
    return Response()


def router(*routes: tuple[str, str]) -> Router:
    return Router([Route(method, pattern, handler, shape) for method, pattern in routes])


def test_variables_are_taken_out_of_the_path() -> None:
    found = router(("GET", "/a/b"), ("POST", "/m/{model}:predict"), ("GET", "/m/{model}")).find(
        "POST", "/m/x%20y:predict"
    )

    assert found.variables == {"model": "x y"}


def test_an_exact_path_wins_over_a_pattern() -> None:
    assert router(("GET", "/m/{model}"), ("GET", "/m/list")).find("GET", "/m/list").route.pattern == "/m/list"


def test_a_pattern_that_says_more_wins_and_a_name_may_have_a_colon() -> None:
    known = router(("GET", "/m/{model}"), ("POST", "/m/{model}:predict"))

    assert known.find("POST", "/m/x:predict").route.pattern == "/m/{model}:predict"
    assert known.find("GET", "/m/a:b").variables == {"model": "a:b"}
    assert known.shape_for("/m/a:b") is shape


@pytest.mark.parametrize("path", ["/", "/m", "/m/", "/m/a/b", "//m/a"])
def test_other_paths_are_not_found(path: str) -> None:
    with pytest.raises(Problem) as caught:
        router(("GET", "/m/{model}")).find("GET", path)

    assert caught.value.status == 404


def test_a_method_that_is_not_there_says_which_are() -> None:
    with pytest.raises(Problem) as caught:
        router(("GET", "/a"), ("POST", "/a")).find("DELETE", "/a")

    assert caught.value.status == 405
    assert caught.value.headers == {"Allow": "GET, HEAD, POST"}


def test_head_is_answered_where_get_is() -> None:
    assert router(("GET", "/a")).find("HEAD", "/a").route.method == "GET"


def test_two_routes_for_one_path_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="two routes for GET /a"):
        router(("GET", "/a"), ("GET", "/a"))
