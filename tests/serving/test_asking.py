"""Texts answered whatever the contract."""

from __future__ import annotations

import asyncio

import pytest

from fastbert.serving.asking import ask
from fastbert.serving.http import Request
from fastbert.serving.problems import Problem
from tests.serving.asking import Asker


async def nothing() -> dict[str, object]:
    await asyncio.Event().wait()
    raise AssertionError


def request() -> Request:
    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, nothing)


@pytest.mark.parametrize(("texts", "headers"), [(["bug"], {}), (["bug", "good " * 50], {"X-FastBert-Cut": "1"})])
def test_answers_come_in_order_and_a_cut_is_told(asker: Asker, texts: list[str], headers: dict[str, str]) -> None:
    model = asker.service.models.get("single")

    answered = asker.run(ask(asker.service, request(), model, texts, "texts"))

    assert [prediction.text for prediction in answered.predictions] == texts
    assert (answered.headers, answered.task.name) == (headers, "single_label")


def test_a_problem_names_the_field(asker: Asker) -> None:
    with pytest.raises(Problem) as caught:
        asker.run(ask(asker.service, request(), asker.service.models.get(), [], "inputs"))

    assert caught.value.where == "inputs"
