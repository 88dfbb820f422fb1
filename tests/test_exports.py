"""The record of an export: what it says, and that it survives JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fastbert.errors import BundleError
from fastbert.exports import Check, Export

LABELLED = Check(200, "rows of valid.csv", 0.01, 2e-2, 4.0, "f1_macro", 0.81, 0.808)
UNLABELLED = Check(200, "unlabelled texts of valid.csv", 0.01, 2e-2, 4.0)
EXPORT = Export(
    "onnx-int8", "onnx", "int8", "fp32", "onnx/model-int8.onnx", ("onnx/model-int8.onnx",), "dynamic", LABELLED,
    {"everything": 0.02}, {"onnxruntime": "1.31"},
)  # fmt: skip


def test_the_loss_is_that_of_the_score() -> None:
    assert LABELLED.loss == pytest.approx(0.002)


def test_without_labels_the_loss_is_the_share_of_changed_answers() -> None:
    assert UNLABELLED.loss == 0.01


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (LABELLED, "f1_macro 0.8100 -> 0.8080, loss +0.0020; largest difference of a probability 2.0e-02; "
                   "4.0 x torch fp32; 200 rows of valid.csv"),
        (UNLABELLED, "1.00% of answers changed (no score here: only differences could be checked); largest "
                     "difference of a probability 2.0e-02; 4.0 x torch fp32; 200 unlabelled texts of valid.csv"),
    ],
)  # fmt: skip
def test_a_check_says_what_was_measured(check: Check, said: str) -> None:
    assert check.describe() == said


@pytest.mark.parametrize("check", [LABELLED, UNLABELLED])
def test_a_record_survives_json(check: Check) -> None:
    export = replace(EXPORT, check=check)

    assert Export.from_json(json.loads(json.dumps(export.to_json()))) == export


@pytest.mark.parametrize("missing", ["check", "file", "files"])
def test_a_record_with_a_hole_is_refused(missing: str) -> None:
    values = {name: value for name, value in EXPORT.to_json().items() if name != missing}

    with pytest.raises(BundleError, match="the record of the export 'onnx-int8' is not complete"):
        Export.from_json(values)
