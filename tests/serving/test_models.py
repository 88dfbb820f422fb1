"""Models by name: found, opened again, taken out; a damaged bundle changes nothing."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from fastbert.errors import BundleError, ConfigError
from fastbert.serving.models import Source
from fastbert.serving.problems import Problem
from tests.serving.asking import serving


@pytest.mark.parametrize(("text", "name"), [("a/b/", "b"), ("en=a/b", "en"), ("a", "a")])
def test_a_source_is_named_by_its_folder_or_by_hand(text: str, name: str) -> None:
    assert Source.parse(text).name == name


@pytest.mark.parametrize("text", ["a b=c", "=c", ".hidden=c", "a/b=c"])
def test_a_name_that_cannot_stand_in_an_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no name for a model"):
        Source.parse(text)


def test_a_reloaded_model_answers_as_its_new_files_say(single: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(single, folder)
    with serving([folder]) as asker:
        before = asker.service.models.get()

        assert asker.run(asker.service.models.reload()) == []

        assert asker.service.models.get() is not before
        assert asker.post("/v1/predict", {"text": "bug"}).status == 200


def test_a_damaged_bundle_is_not_reloaded_and_the_old_one_answers(single: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(single, folder)
    with serving([folder]) as asker:
        before = asker.service.models.get()
        (folder / "onnx/model.onnx").write_bytes(b"damaged")

        (failure,) = asker.run(asker.service.models.reload())

        assert "served as before" in failure
        assert "sha256" in failure
        assert asker.service.models.get() is before
        assert asker.post("/v1/predict", {"text": "bug"}).status == 200


def test_a_model_that_is_taken_out_is_not_found(single: Path, multi: Path) -> None:
    with serving([single, multi]) as asker:
        asker.run(asker.service.models.unload("single"))

        assert asker.post("/v1/predict", {"text": "bug", "model": "single"}).status == 404
        assert asker.post("/v1/predict", {"text": "bug"}).json["model"] == "multi"


def test_before_there_is_a_model_it_is_not_ready(single: Path) -> None:
    with serving([]) as asker:
        asker.service.set_ready(False)

        assert asker.post("/v1/predict", {"text": "bug"}).status == 503
        assert asker.get("/health/ready").status == 503
        assert asker.get("/health/live").status == 200


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not a bundle"), serving([tmp_path]):
        pass


def test_an_export_whose_scores_depend_on_others_is_warned_of(
    single: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("fastbert.serving.models.TOGETHER", "float32")

    with caplog.at_level(logging.WARNING), serving([single]):
        pass

    assert "other scores alone and among others; make it again with `fastbert export" in caplog.text


def test_an_export_that_rounds_with_the_shape_of_a_pass_is_warned_of(
    single: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), serving([single]):
        assert "alone and among others" not in caplog.text
    monkeypatch.setattr("fastbert.serving.models.ROUNDING", ("onnx", "fp32"))
    with caplog.at_level(logging.WARNING), serving([single]):
        pass

    assert "differ by some 1e-4 alone and among others; --backend onnx-int8" in caplog.text


def test_several_requests_for_explanations_wait_and_more_are_refused(
    single: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastbert.serving.models.EXPLAINING", 0)
    with serving([single]) as asker:
        answer = asker.post("/v1/predict", {"text": "bug", "explain": True})

    assert answer.status == 429
    assert answer.headers["retry-after"] == "5"


def test_a_problem_of_a_model_says_what_to_do(single: Path) -> None:
    with serving([single]) as asker, pytest.raises(Problem, match="no model of this name"):
        asker.service.models.get("other")
