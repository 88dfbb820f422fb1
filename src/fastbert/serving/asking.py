"""Texts of a request answered, whatever the contract: the model is found, the limits are kept, a cut is told.

Knows no contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastbert.serving.batcher import Job
from fastbert.serving.http import Request
from fastbert.serving.inputs import Text, examples_of
from fastbert.serving.models import Model
from fastbert.serving.service import Service
from fastbert.tasks.base import Prediction, Task

CUT = "X-FastBert-Cut"


@dataclass(frozen=True)
class Answered:
    """A model's answers to the texts of a request, in order."""

    model: Model
    job: Job

    @property
    def task(self) -> Task:
        """Return what the model answers."""
        return self.model.predictor.task

    @property
    def predictions(self) -> list[Prediction]:
        """Return the answers."""
        return self.job.predictions

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the header that tells of how many texts a part was not read, nothing if of none."""
        cut = sum(prediction.cut for prediction in self.predictions)
        return {CUT: str(cut)} if cut else {}


async def ask(service: Service, request: Request, model: Model, texts: Sequence[Text], field: str) -> Answered:
    """Return a model's answers. field: of the request, for problems. Raises Problem; ClientGone."""
    examples = examples_of(model, texts, field, service.settings.limits)
    return Answered(model, await service.ask(request, model, examples))
