"""`ServedPredictor`: one model of a server, asked as `predict_rows` asks a predictor of this process.

Knows how tables are read for the model and what an answer adds to them; nothing of commands.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastbert.client.answers import ServedModel
from fastbert.client.asking import Options
from fastbert.client.client import Client
from fastbert.data.reading import AnyLayout, layout_from_json
from fastbert.errors import ConfigError, did_you_mean
from fastbert.tasks.base import Example, Prediction


class ServedPredictor:
    """Asks one model, and takes answers of the version that it found only: those of a table belong together."""

    def __init__(self, client: Client, model: ServedModel) -> None:
        self.model = model
        self._client = client
        self._options = Options(model.name, version=model.version)

    @classmethod
    def find(cls, client: Client, name: str | None = None) -> ServedPredictor:
        """Return the model of a name, the server's first one if none.

        Raises ConfigError for an unknown name or a server without models, ServerError where the server does not answer.
        """
        models = {model.name: model for model in client.models()}
        if not models:
            raise ConfigError(f"{client.address} has no model.", "Start it with one: fastbert serve MODEL.")
        if name is not None and name not in models:
            known = ", ".join(models)
            raise ConfigError(
                f"{client.address} has no model '{name}'; it has {known}.",
                did_you_mean(name, models) or "Give one of these to --model, or none for the first one.",
            )
        return cls(client, models[name] if name is not None else next(iter(models.values())))

    @property
    def layout(self) -> AnyLayout | None:
        """Return how the training table was read, None where it was none or the server does not say."""
        return layout_from_json(self.model.layout) if self.model.layout else None

    @property
    def answer_columns(self) -> tuple[str, ...]:
        """Return the columns that an answer adds to a table."""
        return self.model.answer_columns

    def predict_examples(self, examples: Sequence[Example]) -> list[Prediction]:
        """Return one prediction per example, in order. Raises what `Client.predict` raises."""
        return list(self._client.stream_examples(examples, self._options))
