"""Products in 8 bits whose inputs have a scale for each row: what a text gets depends on no other text of its pass.

ONNX Runtime's own `quantize_dynamic` has one scale for the whole input, and so a text's scores follow its neighbours.
Here the input is divided by the largest size in its row, rounded to unsigned bytes around 128, multiplied with signed
weights, and multiplied back. Knows nothing of scores or of which products are left as they are.

Axes: K inputs, N outputs of a product.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

PRODUCTS = ("MatMul", "Gemm")
LEVELS = 127  # on each side of 0
MIDDLE = 128  # what 0 is as an unsigned byte; with signed inputs the product takes 8 times as long
SMALLEST = 1e-12  # size of a row of zeros, so that it can be divided by
_CONSTANTS = {
    "row_one": np.float32(1.0),
    "row_step": np.float32(1.0 / LEVELS),
    "row_smallest": np.float32(SMALLEST),
    "row_middle": np.uint8(MIDDLE),
}


def quantize_rows(source: Path, target: Path, excluded: Collection[str] = ()) -> None:
    """Write a model whose products with constant weights are in 8 bits. excluded: names of products that are not."""
    model = onnx.load(str(source))
    writer = _Writer({one.name: one for one in model.graph.initializer})
    for node in model.graph.node:
        if node.name in excluded or not writer.is_product(node):
            writer.nodes.append(node)
        else:
            writer.add_product(node)
    used = {name for node in writer.nodes for name in node.input}
    weights = [one for one in [*model.graph.initializer, *writer.made] if one.name in used]
    del model.graph.node[:], model.graph.initializer[:], model.graph.value_info[:]
    model.graph.node.extend(writer.nodes)
    model.graph.initializer.extend(weights)
    if all(one.domain != "com.microsoft" for one in model.opset_import):
        model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, str(target))


@dataclass
class _Writer:
    """A graph being written. known: weights by name.    rows: inputs that are in bytes already, with their scales."""

    known: dict[str, onnx.TensorProto]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    made: list[onnx.TensorProto] = field(
        default_factory=lambda: [numpy_helper.from_array(np.asarray(value), name) for name, value in _CONSTANTS.items()]
    )
    rows: dict[str, tuple[str, str]] = field(default_factory=dict)
    weights: dict[tuple[str, bool], tuple[str, str]] = field(default_factory=dict)

    def is_product(self, node: onnx.NodeProto) -> bool:
        """Return whether a node multiplies something by a constant matrix, and does nothing else but add a bias."""
        if node.op_type not in PRODUCTS or node.input[1] not in self.known:
            return False
        plain = all(one.f == 1.0 for one in node.attribute if one.name in ("alpha", "beta"))
        plain = plain and not any(one.name == "transA" and one.i for one in node.attribute)
        return plain and len(self.known[node.input[1]].dims) == 2

    def add_product(self, node: onnx.NodeProto) -> None:
        """Write a product in 8 bits in the place of one in float32."""
        transposed = any(one.name == "transB" and one.i == 1 for one in node.attribute)
        rows, scales = self._rows_of(node.input[0])
        weight, steps = self._weight_of(node.input[1], transposed=transposed)
        output, bias = node.output[0], list(node.input[2:3])
        # One operator for the product, the conversion and the scales of its columns: 0.90 of the speed of one scale
        # for all rows, where three operators have 0.84 (MiniLM, passes of 512 tokens, one thread).
        product = self._add("MatMulIntegerToFloat", [rows, weight, "row_one", steps, "row_middle"], f"{output}_columns")
        self.nodes[-1].domain = "com.microsoft"
        scaled = self._add("Mul", [product, scales], f"{output}_rows" if bias else output)
        if bias:
            self._add("Add", [scaled, *bias], output)

    def _rows_of(self, name: str) -> tuple[str, str]:
        """Return an input in bytes, and the scales of its rows; three products that read the same share them."""
        if name not in self.rows:
            highest = self._add("ReduceMax", [name], f"{name}_highest", axes=[-1], keepdims=1)
            lowest = self._add("ReduceMin", [name], f"{name}_lowest", axes=[-1], keepdims=1)
            below = self._add("Neg", [lowest], f"{name}_below")
            size = self._add("Max", [highest, below, "row_smallest"], f"{name}_size")
            scales = self._add("Mul", [size, "row_step"], f"{name}_scales")
            factors = self._add("Reciprocal", [scales], f"{name}_factors")
            levels = self._add("Mul", [name, factors], f"{name}_levels")
            quantized = self._add("QuantizeLinear", [levels, "row_one", "row_middle"], f"{name}_bytes")
            self.rows[name] = quantized, scales
        return self.rows[name]

    def _weight_of(self, name: str, *, transposed: bool) -> tuple[str, str]:
        """Return a weight in bytes, and the scales of its columns."""
        key = name, transposed
        if key not in self.weights:
            weight_KN = numpy_helper.to_array(self.known[name]).astype(np.float32)
            weight_KN = weight_KN.T if transposed else weight_KN
            steps_N = np.maximum(np.abs(weight_KN).max(axis=0), SMALLEST).astype(np.float32) / np.float32(LEVELS)
            bytes_KN = np.clip(np.round(weight_KN / steps_N), -LEVELS, LEVELS).astype(np.int8)
            made = f"{name}{'_T' if transposed else ''}"
            self.weights[key] = f"{made}_bytes", f"{made}_scale"
            self.made.append(numpy_helper.from_array(np.ascontiguousarray(bytes_KN), f"{made}_bytes"))
            self.made.append(numpy_helper.from_array(steps_N, f"{made}_scale"))
        return self.weights[key]

    def _add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:  # noqa: ANN401  # as helper's
        self.nodes.append(helper.make_node(operator, inputs, [output], name=f"{output}/{operator}", **attributes))
        return output
