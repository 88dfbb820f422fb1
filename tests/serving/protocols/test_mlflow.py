"""The contract of MLflow's scoring server, in the default server and in one of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fastbert.inference.mlflow_model import BundleModel
from fastbert.inference.predictor import Predictor
from tests.serving.asking import QUIET, Asker, serving
from tests.serving.contracts import CANARY, TASKS, TEXT


@pytest.fixture(scope="module")
def scoring(single: Path) -> Iterator[Asker]:
    with serving([single], replace(QUIET, contract="mlflow")) as served:
        yield served


SPLIT = {"columns": ["text"], "data": [[TEXT], ["bug"]]}
FORMS: dict[str, object] = {
    "split": {"dataframe_split": SPLIT},
    "split with an index": {"dataframe_split": SPLIT | {"index": [0, 1]}},
    "records": {"dataframe_records": [{"text": TEXT}, {"text": "bug"}]},
    "instances": {"instances": [TEXT, "bug"]},
    "instances of rows": {"instances": [[TEXT], ["bug"]]},
    "instances of records": {"instances": [{"text": TEXT}, {"text": "bug"}]},
    "inputs": {"inputs": [TEXT, "bug"]},
    "inputs by column": {"inputs": {"text": [TEXT, "bug"]}},
    "numbered columns": {"dataframe_split": {"columns": [0], "data": [[TEXT], ["bug"]]}},
    "params": {"dataframe_split": SPLIT, "params": {}},
}


@pytest.mark.parametrize("body", FORMS.values(), ids=FORMS)
def test_every_form_is_answered_as_the_flavour_does(scoring: Asker, single: Path, body: object) -> None:
    import pandas as pd

    expected = BundleModel(Predictor.load(single)).predict(pd.DataFrame({"text": [TEXT, "bug"]}))

    answer = scoring.post("/invocations", body).json["predictions"]

    assert [list(row) for row in answer] == [list(expected.columns)] * 2
    assert [row["predicted"] for row in answer] == expected["predicted"].tolist()
    assert [row["score:bug"] for row in answer] == pytest.approx(expected["score:bug"].tolist(), abs=1e-6)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_answers_with_its_columns(askers: dict[str, Asker], bundles: dict[str, Path], task: str) -> None:
    record = {"pair": "the app is slow", "text": "what is slow"} if task == "answering" else {"text": TEXT}

    answer = askers[task].post("/invocations", {"dataframe_records": [record]})

    (row,) = answer.json["predictions"]
    assert tuple(row) == Predictor.load(bundles[task]).answer_columns


def test_csv_has_a_header(scoring: Asker) -> None:
    answer = scoring.post("/invocations", b'text\n"the app, is slow"\nbug\n', {"content-type": "text/csv"})

    assert len(answer.json["predictions"]) == 2


def test_health_and_version(scoring: Asker) -> None:
    assert (scoring.get("/ping").body, scoring.get("/health").body) == (b"\n", b"\n")
    assert scoring.get("/version").body.decode().count(".") == 2


def test_a_server_that_starts_is_not_healthy(single: Path) -> None:
    with serving([single], replace(QUIET, contract="mlflow")) as served:
        served.service.set_ready(False)

        assert (served.get("/ping").status, served.get("/health").status) == (503, 503)


MALFORMED: dict[str, object] = {
    "no JSON": b"{bad",
    "empty": b"",
    "a list": [CANARY],
    "a text": CANARY,
    "nothing": {},
    "params alone": {"params": {}},
    "two forms": {"instances": [CANARY], "inputs": [CANARY]},
    "all forms": {"instances": ["a"], "inputs": ["a"], "dataframe_records": [], "dataframe_split": SPLIT},
    "split without columns": {"dataframe_split": {"data": [[CANARY]]}},
    "split without rows": {"dataframe_split": {"columns": ["text"], "data": []}},
    "another column": {"dataframe_split": {"columns": [CANARY], "data": [["a"]]}},
    "a further column": {"dataframe_split": {"columns": ["text", "other"], "data": [["a", "b"]]}},
    "a longer row": {"dataframe_split": {"columns": ["text"], "data": [["a", CANARY]]}},
    "a number": {"dataframe_split": {"columns": ["text"], "data": [[5]]}},
    "a null": {"dataframe_records": [{"text": None}]},
    "other names": {"dataframe_records": [{"text": CANARY}, {"other": CANARY}]},
    "no records": {"dataframe_records": []},
    "a record that is a text": {"dataframe_records": [CANARY]},
    "instances of numbers": {"instances": [1, 2]},
    "no instances": {"instances": []},
    "columns of other lengths": {"inputs": {"text": ["a"], "pair": ["a", "b"]}},
    "a column that is a text": {"inputs": {"text": CANARY}},
    "no columns": {"inputs": {}},
    "params list": {"inputs": ["a"], "params": []},
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_answered_is_400(scoring: Asker, body: object) -> None:
    answer = scoring.post("/invocations", body)

    assert (answer.status, set(answer.json)) == (400, {"error_code", "message"})
    assert CANARY not in answer.body.decode()


@pytest.mark.parametrize("body", [b"", b"text\n", b"other\nbug\n", b'text\n"open\n', b"text\nbug,zanzibar-canary\n"])
def test_csv_that_is_no_table_of_texts_is_400(scoring: Asker, body: bytes) -> None:
    answer = scoring.post("/invocations", body, {"content-type": "text/csv"})

    assert answer.status == 400
    assert CANARY not in answer.body.decode()


TYPES = {
    "application/json": 200,
    "application/json; charset=utf-8": 200,
    'application/json; charset="UTF-8"': 200,
    "application/json; charset=latin-1": 415,
    "application/json; format=pandas-split": 415,
    "application/vnd.apache.parquet": 415,
    "text/plain": 415,
    "": 415,
}


@pytest.mark.parametrize(("media_type", "status"), TYPES.items())
def test_content_types(scoring: Asker, media_type: str, status: int) -> None:
    assert scoring.post("/invocations", {"inputs": ["bug"]}, {"content-type": media_type}).status == status


def test_a_cut_text_is_told(scoring: Asker) -> None:
    assert scoring.post("/invocations", {"inputs": ["good " * 50]}).headers["x-fastbert-cut"] == "1"
