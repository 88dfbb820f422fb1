"""ONNX files with 8-bit weights and products, in schemes from the fastest to the safest.

Knows nothing of scores: who calls decides which scheme is good enough.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

PRODUCTS = ["MatMul", "Gemm"]


def everything(source: Path, target: Path) -> None:
    """Quantise weights, products and embeddings; each output channel has a scale of its own."""
    _dynamic(source, target, [*PRODUCTS, "Gather"])


def products(source: Path, target: Path) -> None:
    """Quantise products only; the embeddings stay in float32."""
    _dynamic(source, target, PRODUCTS)


def without_outputs(source: Path, target: Path) -> None:
    """Quantise products except the second of each feed-forward block and the head.

    Their inputs come out of the activation function with a few large values among many small ones.
    """
    _dynamic(source, target, PRODUCTS, sensitive_products(source))


SCHEMES: dict[str, Callable[[Path, Path], None]] = {
    "dynamic, per channel": everything,
    "dynamic, per channel, embeddings in fp32": products,
    "dynamic, per channel, embeddings and feed-forward outputs in fp32": without_outputs,
}


def sensitive_products(file: Path) -> list[str]:
    """Return the names of the products that narrow: the outputs of feed-forward blocks, and the head.

    They are known by the shape of their weight, which is the same in every family: more inputs than outputs.
    """
    graph = onnx.load(str(file)).graph
    shapes = {weight.name: tuple(weight.dims) for weight in graph.initializer}
    found = []
    for node in graph.node:
        shape = shapes.get(node.input[1]) if node.op_type in PRODUCTS else None
        if shape is None or len(shape) != 2:
            continue
        transposed = any(attribute.name == "transB" and attribute.i == 1 for attribute in node.attribute)
        inputs, outputs = reversed(shape) if transposed else shape
        if inputs > outputs:
            found.append(str(node.name))
    return found


def _dynamic(source: Path, target: Path, operators: list[str], excluded: list[str] | None = None) -> None:
    with _root_logger_untouched():
        quantize_dynamic(
            str(source),
            str(target),
            op_types_to_quantize=operators,
            per_channel=True,  # half the mean error of one scale a tensor, at the same speed
            weight_type=QuantType.QInt8,
            nodes_to_exclude=excluded or [],
        )


@contextmanager
def _root_logger_untouched() -> Iterator[None]:
    """Silence advice to preprocess the file, which fails on this graph, and the handler that comes with it."""
    root = logging.getLogger()
    handlers, disabled = root.handlers[:], root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(disabled)
        root.handlers[:] = handlers
