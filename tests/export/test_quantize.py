"""8-bit ONNX files: which products are quantised in which scheme, and nothing said aloud."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import onnx
import pytest

from fastbert.export.exporting import export_bundle
from fastbert.export.quantize import SCHEMES, sensitive_products
from tests.bundles import tiny_bundle
from tests.exported import exported_bundle
from tests.helpers import FAMILIES


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported_bundle(tmp_path_factory.mktemp("quantize") / "model") / "onnx/model.onnx"


def operators(file: Path) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(str(file)).graph.node)


def test_the_schemes_quantise_less_and_less(source: Path, tmp_path: Path) -> None:
    sizes, products = [], []
    for number, write in enumerate(SCHEMES.values()):
        write(source, tmp_path / f"{number}.onnx")
        sizes.append((tmp_path / f"{number}.onnx").stat().st_size)
        products.append(operators(tmp_path / f"{number}.onnx")["MatMulIntegerToFloat"])

    assert sizes == sorted(sizes)
    assert products[0] == products[1] > products[2] > 0


def test_each_channel_has_a_scale_of_its_own(source: Path, tmp_path: Path) -> None:
    next(iter(SCHEMES.values()))(source, tmp_path / "model.onnx")

    weights = onnx.load(str(tmp_path / "model.onnx")).graph.initializer
    scales = [tuple(weight.dims) for weight in weights if weight.name.endswith("_scale")]
    assert (64,) in scales  # the first product of a feed-forward block has 64 outputs


@pytest.mark.parametrize("family", FAMILIES)
def test_the_products_that_narrow_are_found_in_every_family(family: str, tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model", family)
    export_bundle(folder)
    layers = 1 if family == "albert" else 2  # ALBERT's layers share their weights, but are two products

    names = sensitive_products(folder / "onnx/model.onnx")

    assert layers + 1 <= len(names) <= 4  # and the head
    assert not [name for name in names if "query" in name or "key" in name or "value" in name]


def test_nothing_is_said_and_the_root_logger_is_left_alone(
    source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    handlers, disabled = logging.getLogger().handlers[:], logging.getLogger().manager.disable

    next(iter(SCHEMES.values()))(source, tmp_path / "model.onnx")

    assert capfd.readouterr() == ("", "")
    assert (logging.getLogger().handlers, logging.getLogger().manager.disable) == (handlers, disabled)
