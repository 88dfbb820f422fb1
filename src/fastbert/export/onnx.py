"""A torch model written as one ONNX file with dynamic batch and length. Knows nothing of int8.

Axes: W windows, L tokens.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from fastbert._version import __version__
from fastbert.bundle import Bundle
from fastbert.data.examples import TextExample
from fastbert.data.tokens import Tokenizer
from fastbert.errors import ExportError, first_line
from fastbert.inference.torch_backend import to_tensors
from fastbert.models.attention import written_out
from fastbert.tasks.base import pad_batch

OPSET = 17  # the first with LayerNormalization as one operator
MAX_BYTES = 2**31 - 2**20  # of the weights: a file of this format holds 2 GiB


def write_onnx(model: nn.Module, bundle: Bundle, tokenizer: Tokenizer, file: Path) -> Path:
    """Write the model to a single file whose metadata name task, labels and limits, and return its path.

    torch's older exporter is used: its graph ran 1.15 times faster in ONNX Runtime than that of the newer
    one, it takes 0.1 to 1 s instead of 3 to 12 s, and it needs no onnxscript; both gave the logits of all nine
    families within 1e-6 (LOG 2026-11-24).
    Raises ExportError for a model that is too large, or that the exporter cannot write.
    """
    size = sum(4 * parameter.numel() for parameter in model.parameters())
    if size > MAX_BYTES:
        raise ExportError(
            f"The weights take {size / 2**30:.1f} GiB; an ONNX file holds 2 GiB.",
            "Answer with --backend torch or torch-bf16.",
        )
    names = list(tokenizer.input_names)
    batch = {name: array for name, array in _sample(tokenizer, bundle).items() if name in names}
    training = model.training
    wrapped = _Positional(
        model, names, list(bundle.task.outputs)
    ).eval()  # the exporter restores the mode that it finds here
    axes: dict[str, dict[int, str]] = {name: {0: "batch", 1: "length"} for name in names}
    outputs = list(bundle.task.outputs)
    axes |= {name: {0: "batch", 1: "length"} if bundle.task.by_token else {0: "batch"} for name in outputs}
    try:
        with _quiet(), written_out(model):
            torch.onnx.export(
                wrapped,
                tuple(to_tensors({name: batch[name] for name in names}, torch.device("cpu")).values()),
                str(file),
                input_names=names,
                output_names=outputs,
                dynamic_axes=axes,
                opset_version=OPSET,
                dynamo=False,
            )
    except Exception as error:  # the exporter has no common base for what it cannot do
        raise ExportError(
            f"The model cannot be written as ONNX ({type(error).__name__}: {first_line(error)}).",
            "Answer with --backend torch or torch-bf16; in a head of your own, use operations that ONNX has.",
        ) from error
    finally:
        model.train(training)
    _add_metadata(file, bundle)
    return file


class _Positional(nn.Module):
    """Takes inputs by position and returns what the task reads alone, as the exporter wants it."""

    def __init__(self, model: nn.Module, names: list[str], outputs: list[str]) -> None:
        super().__init__()
        self.model = model
        self.names = names
        self.outputs = outputs

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        found = self.model(**dict(zip(self.names, inputs, strict=True)))
        return tuple(found[name] for name in self.outputs)


def _sample(tokenizer: Tokenizer, bundle: Bundle) -> dict[str, np.ndarray]:
    """Return two texts of different length, so that the mask is traced."""
    pair = "a" if bundle.task.pairs else None
    examples = [TextExample("a", pair), TextExample("a a a a", pair)]
    features = bundle.task.encode(examples, tokenizer, bundle.max_tokens)
    return pad_batch(features, tokenizer.pad_id)


def _add_metadata(file: Path, bundle: Bundle) -> None:
    """Write what a reader needs who has the file alone."""
    model = onnx.load(str(file))
    facts = {
        "fastbert": __version__,
        "task": bundle.task.name,
        "task_options": json.dumps(bundle.task.to_json(), ensure_ascii=False),  # of a number: its mean and scale
        "labels": json.dumps(list(bundle.task.label_names), ensure_ascii=False),
        "max_tokens": str(bundle.max_tokens),
        "threshold": str(bundle.decisions.threshold),
        "no_answer_margin": str(bundle.decisions.no_answer_margin),
    }
    onnx.helper.set_model_props(model, facts)
    onnx.save(model, str(file))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what tracing says of constants: the check of every export shows whether one was wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
