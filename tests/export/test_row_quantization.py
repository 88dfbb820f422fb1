"""8-bit products by row: a text's scores are the same alone, in any pass, and padded to any length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from fastbert.export.exporting import export_bundle
from fastbert.export.quantize import SCHEMES
from fastbert.export.row_quantization import quantize_rows
from fastbert.inference.onnx_backend import OnnxBackend
from fastbert.inference.predictor import Predictor
from tests.bundles import tiny_bundle
from tests.exported import exported_bundle
from tests.helpers import FAMILIES


def quantized(folder: Path, family: str, scheme: str) -> tuple[Predictor, OnnxBackend]:
    exported = tiny_bundle(folder / "model", family)
    export_bundle(exported)
    SCHEMES[scheme](exported / "onnx/model.onnx", folder / "int8.onnx")
    return Predictor.load(exported, "onnx"), OnnxBackend(folder / "int8.onnx", workers=1)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("family", FAMILIES)
def test_scores_depend_on_no_other_text(tmp_path: Path, family: str, scheme: str) -> None:
    predictor, backend = quantized(tmp_path, family, scheme)
    tokenizer = predictor.tokenizer
    rng = np.random.default_rng(0)
    lengths = (5, 9, 20)
    rows = [rng.integers(5, 40, length) for length in lengths]
    ids_WL = np.full((3, 24), tokenizer.pad_id)
    mask_WL = np.zeros((3, 24), np.int64)
    for row, ids in enumerate(rows):
        ids_WL[row, : len(ids)], mask_WL[row, : len(ids)] = ids, 1
    together = {"input_ids": ids_WL, "attention_mask": mask_WL, "token_type_ids": np.zeros_like(ids_WL)}

    logits_WC = backend.forward(together)["logits"]

    for row, ids in enumerate(rows):
        alone: dict[str, np.ndarray] = {"input_ids": ids[None], "attention_mask": np.ones((1, len(ids)), np.int64)}
        alone["token_type_ids"] = np.zeros_like(alone["input_ids"])
        np.testing.assert_allclose(backend.forward(alone)["logits"][0], logits_WC[row], atol=1e-5)


def test_answers_are_near_to_those_in_float32(tmp_path: Path) -> None:
    predictor, backend = quantized(tmp_path, "bert", next(iter(SCHEMES)))
    small = Predictor(predictor.bundle, predictor.tokenizer, backend)
    texts = ["the app is slow", "bug", "please help me , the export button does nothing"]

    for exact, quick in zip(predictor(texts), small(texts), strict=True):
        np.testing.assert_allclose(list(quick.scores.values()), list(exact.scores.values()), atol=0.02)


def test_products_that_are_left_out_stay_as_they_are(tmp_path: Path) -> None:
    source = exported_bundle(tmp_path / "model") / "onnx/model.onnx"
    names = [node.name for node in onnx.load(str(source)).graph.node if node.op_type == "MatMul"]

    quantize_rows(source, tmp_path / "int8.onnx", excluded=names)

    kept = [node.name for node in onnx.load(str(tmp_path / "int8.onnx")).graph.node if node.op_type == "MatMul"]
    assert kept == names


def test_inputs_that_several_products_read_are_made_bytes_once(tmp_path: Path) -> None:
    source = exported_bundle(tmp_path / "model") / "onnx/model.onnx"

    quantize_rows(source, tmp_path / "int8.onnx")

    nodes = [node.op_type for node in onnx.load(str(tmp_path / "int8.onnx")).graph.node]
    assert 0 < nodes.count("QuantizeLinear") < nodes.count("MatMulIntegerToFloat")
