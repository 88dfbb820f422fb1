"""The other ways to answer texts with the same model: as their documentation shows them, with the same threads.

Each is called with a list of texts and returns the decided label names, or nothing where it only embeds.
Knows nothing of FastBert; its bundles are ordinary Hugging Face checkpoints.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import tokenizers
import torch
from transformers import logging, pipeline

BATCH = 32
logging.set_verbosity_error()


class Pipeline:
    """`transformers.pipeline` in float32, with batches of 32 in the order of the texts."""

    name = "transformers.pipeline"

    def __init__(self, folder: Path, max_tokens: int) -> None:
        self.inner: Any = pipeline("text-classification", model=str(folder), device="cpu")
        self.options = {"batch_size": BATCH, "truncation": True, "max_length": max_tokens}

    def __call__(self, texts: list[str]) -> list[str]:
        """Return the decided labels."""
        return [answer["label"] for answer in self.inner(texts, **self.options)]


class Embeddings:
    """`SentenceTransformer.encode`, which sorts by length: embeddings alone, no labels.

    dtype: float32 as given, or bfloat16, its faster flag where the processor has it.
    """

    def __init__(self, encoder: Path, max_tokens: int, dtype: torch.dtype) -> None:
        from sentence_transformers import SentenceTransformer

        self.name = f"sentence-transformers {str(dtype).removeprefix('torch.')}"
        self.inner: Any = SentenceTransformer(str(encoder), device="cpu", model_kwargs={"torch_dtype": dtype})
        self.inner.max_seq_length = max_tokens

    def __call__(self, texts: list[str]) -> None:
        """Embed the texts."""
        self.inner.encode(texts, batch_size=BATCH, show_progress_bar=False, convert_to_numpy=True)


class PlainOnnx:
    """ONNX Runtime in float32 written by hand: sort by length, pad to the longest, batches of 32."""

    name = "onnxruntime fp32, sorted"

    def __init__(self, file: Path, tokenizer: Path, labels: tuple[str, ...], max_tokens: int, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self.inputs = {entry.name for entry in self.session.get_inputs()}
        self.tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer))
        self.tokenizer.enable_truncation(max_tokens)
        self.tokenizer.no_padding()
        self.labels = labels

    def __call__(self, texts: list[str]) -> list[str]:
        """Return the decided labels."""
        encodings = self.tokenizer.encode_batch(texts)
        order = sorted(range(len(texts)), key=lambda row: -len(encodings[row]))
        answers = [""] * len(texts)
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            length = len(encodings[rows[0]])
            arrays = {name: np.zeros((len(rows), length), np.int64) for name in self.inputs}
            for place, row in enumerate(rows):
                size = len(encodings[row])
                arrays["input_ids"][place, :size] = encodings[row].ids
                arrays["attention_mask"][place, :size] = 1
            (logits_BC,) = self.session.run(["logits"], arrays)
            for row, best in zip(rows, logits_BC.argmax(axis=1), strict=True):
                answers[row] = self.labels[best]
        return answers
