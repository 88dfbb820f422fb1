"""FastBert's own contract: shapes, overrides, problems that name the field."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fastbert.inference.predictor import Predictor
from tests.bundles import NAMES
from tests.serving.asking import Asker, serving


def test_answers_are_those_of_the_predictor(asker: Asker, single: Path) -> None:
    texts = ["the app is slow", "bug", "good " * 50]

    answer = asker.post("/v1/predict", {"texts": texts})

    assert answer.status == 200
    expected = Predictor.load(single)(texts)
    for shown, prediction in zip(answer.json["predictions"], expected, strict=True):
        assert shown["labels"] == list(prediction.labels)
        np.testing.assert_allclose(list(shown["scores"].values()), list(prediction.scores.values()), atol=1e-6)
    assert [shown.get("cut", False) for shown in answer.json["predictions"]] == [False, False, True]
    assert answer.headers["x-fastbert-cut"] == "1"


def test_one_text_is_answered_like_a_list_of_one(asker: Asker) -> None:
    one, many = asker.post("/v1/predict", {"text": "bug"}), asker.post("/v1/predict", {"texts": ["bug"]})

    assert one.json["predictions"] == many.json["predictions"]
    assert one.json["model"] == "single"


def test_another_model_is_asked_by_name(asker: Asker) -> None:
    assert asker.post("/v1/predict", {"text": "bug", "model": "multi"}).json["task"] == "multi_label"


def test_top_k_keeps_the_highest_scores(asker: Asker) -> None:
    everything = asker.post("/v1/predict", {"text": "bug"}).json["predictions"][0]["scores"]

    shown = asker.post("/v1/predict", {"text": "bug", "top_k": 2}).json["predictions"][0]["scores"]

    assert list(shown.values()) == sorted(everything.values(), reverse=True)[:2]


def test_a_threshold_of_the_request_takes_the_place_of_the_rule(asker: Asker) -> None:
    body = {"text": "bug", "model": "multi"}

    none = asker.post("/v1/predict", body | {"threshold": 1.0}).json["predictions"][0]
    everything = asker.post("/v1/predict", body | {"threshold": 0.0}).json["predictions"][0]
    one = asker.post("/v1/predict", body | {"threshold": 1.0, "thresholds": {"praise": 0.0}}).json["predictions"][0]

    assert none["labels"] == []
    assert sorted(everything["labels"]) == sorted(NAMES)
    assert one["labels"] == ["praise"]


def test_below_a_threshold_a_single_label_is_unknown(asker: Asker) -> None:
    answer = asker.post("/v1/predict", {"text": "bug", "threshold": 1.0}).json["predictions"][0]

    assert answer["labels"] == []
    assert answer["unknown"] is True


def test_an_explanation_values_each_word(asker: Asker) -> None:
    answer = asker.post("/v1/predict", {"text": "the app is slow", "explain": True}).json["predictions"][0]

    assert [word["text"] for word in answer["explanation"]["words"]] == ["the", "app", "is", "slow"]
    (attribution,) = answer["explanation"]["attributions"]
    assert attribution["name"] == answer["labels"][0]
    assert len(attribution["values"]) == 4


PROBLEMS = {
    "no JSON": (b"{bad", 400, "malformed_body", ""),
    "empty": (b"", 400, "malformed_body", ""),
    "not UTF-8": (b'{"text": "\xff"}', 400, "malformed_body", ""),
    "no object": ([], 422, "invalid_value", ""),
    "nothing": ({}, 422, "invalid_value", "texts"),
    "both": ({"text": "a", "texts": ["a"]}, 422, "invalid_value", "texts"),
    "no texts": ({"texts": []}, 422, "invalid_value", "texts"),
    "a number": ({"texts": ["a", 5]}, 422, "invalid_value", "texts[1]"),
    "a pair for single texts": ({"texts": [["a"]]}, 422, "invalid_value", "texts[0]"),
    "unknown field": ({"text": "a", "topk": 1}, 422, "invalid_value", ""),
    "top_k": ({"text": "a", "top_k": 0}, 422, "invalid_value", "top_k"),
    "threshold": ({"text": "a", "threshold": 1.5}, 422, "invalid_value", "threshold"),
    "thresholds": ({"text": "a", "thresholds": {"bugg": 0.5}}, 422, "invalid_value", "thresholds"),
    "model": ({"text": "a", "model": "singel"}, 404, "unknown_model", "model"),
    "deep": (b'{"text": ' + b"[" * 40 + b"]" * 40 + b"}", 400, "malformed_body", ""),
    "very deep": (b"[" * 100_000, 400, "malformed_body", ""),
    "many texts": ({"texts": ["a"] * 1025}, 422, "invalid_value", "texts"),
    "long texts": ({"texts": ["a" * 600_000, "a" * 600_000]}, 413, "too_large", "texts"),
    "large body": (b'{"text": "' + b"a" * 6_000_001 + b'"}', 413, "too_large", ""),
    "many to explain": ({"texts": ["a"] * 9, "explain": True}, 422, "invalid_value", "explain"),
}


@pytest.mark.parametrize(("body", "status", "code", "field"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_names_the_field(asker: Asker, body: object, status: int, code: str, field: str) -> None:
    answer = asker.post("/v1/predict", body)

    assert (answer.status, answer.json["error"]["code"]) == (status, code)
    assert answer.json["error"]["field"] == field
    assert answer.json["error"]["message"].endswith(".")
    assert answer.json["request_id"] == answer.headers["x-request-id"]


def test_a_misspelled_label_is_found(asker: Asker) -> None:
    answer = asker.post("/v1/predict", {"text": "a", "thresholds": {"bugg": 0.5}})

    assert answer.json["error"]["hint"] == "Did you mean 'bug'?"


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-npy", "multipart/form-data", ""])
def test_other_content_types_are_refused(asker: Asker, media_type: str) -> None:
    answer = asker.post("/v1/predict", {"text": "a"}, {"content-type": media_type})

    assert answer.status == 415
    assert "application/json" in answer.json["error"]["message"]


@pytest.mark.parametrize(("charset", "status"), [("utf-8", 200), ("latin-1", 415)])
def test_a_charset_in_the_content_type_is_read(asker: Asker, charset: str, status: int) -> None:
    answer = asker.post("/v1/predict", {"text": "a"}, {"content-type": f"application/json; charset={charset}"})

    assert answer.status == status


def test_a_method_that_is_not_there_says_which_are(asker: Asker) -> None:
    answer = asker.get("/v1/predict")

    assert answer.status == 405
    assert answer.headers["allow"] == "POST"


def test_the_models_are_listed_with_labels_and_rule(asker: Asker) -> None:
    answer = asker.get("/v1/models").json

    assert answer["models"] == ["single", "multi"]
    assert answer["details"][0]["labels"] == list(NAMES)
    assert answer["details"][1]["reads"] == "text"
    assert answer["details"][0]["answer_columns"] == ["predicted", *(f"score:{name}" for name in NAMES)]
    assert answer["details"][0]["layout"] == {}  # it was not trained on a table


def test_how_the_training_table_was_read_is_told_without_its_cells(bundle: Path) -> None:
    with serving([bundle]) as trained:
        layout = trained.get("/v1/models").json["details"][0]["layout"]

    assert (layout["text"], layout["label_columns"], layout["reasons"]) == ("text", ["label"], [])


def test_health_says_whether_requests_are_taken(asker: Asker) -> None:
    assert asker.get("/health/live").json == {"status": "live"}
    assert asker.get("/health/ready").json == {"status": "ready"}


def test_counters_know_the_model_and_the_route(asker: Asker) -> None:
    asker.post("/v1/predict", {"text": "bug"})

    text = asker.get("/metrics").body.decode()

    assert 'fastbert_texts_total{model="single"}' in text
    assert 'fastbert_requests_total{route="/v1/predict",status="200"}' in text
    assert "bug" not in text
