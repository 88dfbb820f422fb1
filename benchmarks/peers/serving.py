"""Other ways to serve the same model: as their documentation shows them, with the same processor.

Each answers `POST /predict` with {"text": ...}. Knows nothing of FastBert; its bundles are ordinary Hugging Face
checkpoints with an ONNX file beside. Run by an environment that has `fastapi` and `litserve`:

    python benchmarks/peers/serving.py fastapi BUNDLE PORT
    python benchmarks/peers/serving.py litserve-onnx BUNDLE PORT
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

# A class that LitServe hands to its process must be known by its name.
_API: Any = importlib.import_module("litserve").LitAPI if importlib.util.find_spec("litserve") else object
MOST = 32  # texts of a batch of LitServe
GATHER_S = 0.005  # it waits for more


def serve_fastapi(folder: Path, port: int, *, threaded: bool) -> None:
    """`transformers.pipeline` behind FastAPI. threaded: calls run in FastAPI's threads, else one after another."""
    import uvicorn
    from fastapi import Body, FastAPI
    from transformers import pipeline

    model = pipeline("text-classification", model=str(folder), device="cpu")
    app = FastAPI()

    def answer(text: str = Body(embed=True)) -> Any:  # noqa: ANN401
        return model(text, truncation=True)

    async def answer_alone(text: str = Body(embed=True)) -> Any:  # noqa: ANN401
        return model(text, truncation=True)

    app.post("/predict", response_model=None)(answer if threaded else answer_alone)
    uvicorn.run(app, port=port, log_level="warning")


class Served(_API):  # type: ignore[misc, valid-type]
    """LitServe with its batching."""

    folder = Path()
    onnx = False

    def setup(self, device: str) -> None:
        """Load the model: the file in 8 bits with ONNX Runtime, or `transformers.pipeline`."""
        if self.onnx:
            self.call: Any = Onnx(self.folder)
            return
        from transformers import pipeline

        inner = pipeline("text-classification", model=str(self.folder), device="cpu")
        self.call = lambda texts: inner(texts, truncation=True, batch_size=MOST)

    def decode_request(self, request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201  # its type is read
        """Return the text of a request."""
        return str(request["text"])

    def batch(self, inputs: list[str]) -> list[str]:
        """Return the texts of a batch."""
        return inputs

    def predict(self, texts: list[str]) -> list[Any]:
        """Return label and score of each text."""
        return list(self.call(texts))

    def unbatch(self, output: list[Any]) -> list[Any]:
        """Return the answers of a batch."""
        return output

    def encode_response(self, output: Any) -> Any:  # noqa: ANN401
        """Return an answer."""
        return output


def serve_litserve(folder: Path, port: int, *, onnx: bool) -> None:
    """Serve it. onnx: as `Served.setup`."""
    import litserve

    api = Served(max_batch_size=MOST, batch_timeout=GATHER_S, api_path="/predict")
    api.folder, api.onnx = folder, onnx
    litserve.LitServer(api, accelerator="cpu").run(port=port, generate_client_file=False, log_level="warning")


class Onnx:
    """ONNX Runtime written by hand: all cores, padded to the longest text of a batch."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime
        import tokenizers

        options = onnxruntime.SessionOptions()
        self.session = onnxruntime.InferenceSession(str(folder / "onnx/model-int8.onnx"), options)
        self.inputs = [entry.name for entry in self.session.get_inputs()]
        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(512)
        self.tokenizer.enable_padding()
        names = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"]
        self.labels = [names[str(number)] for number in range(len(names))]

    def __call__(self, texts: list[str]) -> list[Any]:
        """Return label and score of each text."""
        rows = self.tokenizer.encode_batch(texts)
        arrays = {
            "input_ids": np.array([row.ids for row in rows], np.int64),
            "attention_mask": np.array([row.attention_mask for row in rows], np.int64),
            "token_type_ids": np.array([row.type_ids for row in rows], np.int64),
        }
        (logits_BC,) = self.session.run(["logits"], {name: arrays[name] for name in self.inputs})
        odds_BC = np.exp(logits_BC - logits_BC.max(axis=1, keepdims=True))
        scores_BC = odds_BC / odds_BC.sum(axis=1, keepdims=True)
        best_B = scores_BC.argmax(axis=1)
        return [{"label": self.labels[best], "score": float(scores_BC[row, best])} for row, best in enumerate(best_B)]


def main() -> None:
    """Serve one of them."""
    kind, folder, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if kind.startswith("fastapi"):
        serve_fastapi(folder, port, threaded=kind == "fastapi-threads")
    else:
        serve_litserve(folder, port, onnx=kind == "litserve-onnx")


if __name__ == "__main__":
    main()
