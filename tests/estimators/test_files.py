"""Bundles as bytes: what pickled estimators carry."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from fastbert.bundle import MANIFEST
from fastbert.estimators.files import files_of_learner, open_files, read_files, write_files
from tests.feedback import make_learner


def test_a_bundle_is_opened_from_its_bytes_and_leaves_nothing(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    predictor = open_files(read_files(bundle))

    assert (predictor.labels, len(predictor(["a text"])), list(tmp_path.iterdir())) == (("bug", "praise"), 1, [])


def test_all_files_but_the_manifest_are_written(tmp_path: Path) -> None:
    write_files({"onnx/model.onnx": b"1", MANIFEST: b"{}"}, tmp_path)

    assert read_files(tmp_path) == {"onnx/model.onnx": b"1"}


def test_a_learner_gives_its_bundle_and_leaves_nothing(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = make_learner(encoder, epochs=1).fit()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    files = files_of_learner(learner)

    assert {MANIFEST, "model.safetensors", "tokenizer.json"} <= files.keys()
    assert list(tmp_path.iterdir()) == []
