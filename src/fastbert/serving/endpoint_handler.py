"""The custom handler of Hugging Face Inference Endpoints: a model's folder that their own container serves.

Put a `handler.py` of two lines next to the bundle in the repository:

    from fastbert.serving.endpoint_handler import EndpointHandler
    __all__ = ["EndpointHandler"]

and a `requirements.txt` with `fastbert-nlp[serve]`. Needs no server of ours. Knows nothing of HTTP.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import msgspec

from fastbert.errors import DataError
from fastbert.inference.predictor import Predictor
from fastbert.serving.pipeline_shapes import Inputs, PipelineParameters, check_parameters, pipeline_answer, texts_of
from fastbert.serving.problems import Problem


class HandlerData(msgspec.Struct):
    """What the container passes on: the body of a request."""

    inputs: Inputs
    parameters: PipelineParameters | None = None


class EndpointHandler:
    """What the container makes once and calls for each request. path: of the bundle, /repository there."""

    def __init__(self, path: str = "") -> None:
        self.predictor = Predictor.load(path or ".")

    def __call__(self, data: Mapping[str, object]) -> object:
        """Return answers as transformers' pipelines give them, in plain values.

        data: {"inputs": ..., "parameters": {...}}.    Raises DataError, which the container answers with 400.
        """
        try:
            body = msgspec.convert(data, HandlerData)
            parameters = body.parameters or PipelineParameters()
            check_parameters(self.predictor.task, parameters)
            texts, form = texts_of(body.inputs, sys.maxsize)  # the container has its own limits
        except msgspec.ValidationError as error:
            raise DataError(f"The body is not what is read: {error}.") from None
        except Problem as problem:
            raise DataError(problem.text) from None
        answer = pipeline_answer(self.predictor.task, self.predictor(texts), parameters, form)
        return msgspec.to_builtins(answer)
