"""Whose meaning shared paths have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from fastbert.serving.assembling import CONTRACTS
from fastbert.serving.settings import Contract
from fastbert.serving.shared_paths import OWNERS
from tests.serving.asking import QUIET, serving
from tests.serving.contracts import TEXT


def test_every_contract_has_an_owner_for_every_shared_path() -> None:
    for owners in OWNERS.values():
        assert set(owners) == set(get_args(Contract))
        assert set(owners.values()) <= set(CONTRACTS)


TWO = {"inputs": ["the app", "is slow"]}  # two texts, or one pair: TEI's trap
ANSWERS = [
    ("sagemaker", "/", {"label", "score"}, 2),
    ("sagemaker", "/predict", {"label", "score"}, 3),
    ("sagemaker", "/invocations", {"label", "score"}, 2),
    ("huggingface", "/", {"label", "score"}, 2),
    ("huggingface", "/predict", {"label", "score"}, 2),
    ("huggingface", "/invocations", {"label", "score"}, 2),
    ("tei", "/", {"label", "score"}, 3),
    ("tei", "/predict", {"label", "score"}, 3),
    ("tei", "/invocations", {"label", "score"}, 3),
    ("mlflow", "/", {"label", "score"}, 2),
    ("mlflow", "/predict", {"label", "score"}, 3),
]


@pytest.mark.parametrize(("contract", "path", "fields", "count"), ANSWERS)
def test_a_path_has_the_meaning_of_its_owner(
    single: Path, contract: str, path: str, fields: set[str], count: int
) -> None:
    with serving([single], replace(QUIET, contract=contract)) as served:
        answer = served.post(path, TWO).json

    assert (len(answer), set(answer[0])) == (count, fields)


def test_invocations_of_mlflow_are_tables(single: Path) -> None:
    with serving([single], replace(QUIET, contract="mlflow")) as served:
        assert len(served.post("/invocations", {"inputs": [TEXT]}).json["predictions"]) == 1


HEALTH = [
    ("sagemaker", "/ping", b""),
    ("sagemaker", "/health", b"Ok"),
    ("huggingface", "/ping", b""),
    ("huggingface", "/health", b"Ok"),
    ("tei", "/ping", b""),
    ("tei", "/health", b""),
    ("mlflow", "/ping", b"\n"),
    ("mlflow", "/health", b"\n"),
]


@pytest.mark.parametrize(("contract", "path", "body"), HEALTH)
def test_health_is_answered_in_every_contract(single: Path, contract: str, path: str, body: bytes) -> None:
    with serving([single], replace(QUIET, contract=contract)) as served:
        assert (served.get(path).status, served.get(path).body) == (200, body)
