"""The answer of a tagging model: the entities of a text, each with its place in the user's own string.

Knows nothing of how they were decided.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from fastbert.data.examples import Entity
from fastbert.tasks.base import Example, Prediction


@dataclass(frozen=True)
class ScoredEntity:
    """An entity of a text. text: its characters, from start to end (exclusive).

    score: probability that exactly these characters are an entity with this label.
    """

    text: str
    label: str
    start: int
    end: int
    score: float

    @property
    def entity(self) -> Entity:
        """Return it without text and score."""
        return Entity(self.start, self.end, self.label)

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {"text": self.text, "label": self.label, "start": self.start, "end": self.end, "score": self.score}


@dataclass(frozen=True)
class EntitiesPrediction(Prediction):
    """The entities of one text, by start; none overlaps another.

    labels: the names that occur, by first appearance.    scores: the highest score of each.
    """

    entities: tuple[ScoredEntity, ...] = field(default=(), kw_only=True)

    @classmethod
    def of(cls, entities: Sequence[ScoredEntity], example: Example, *, cut: bool = False) -> EntitiesPrediction:
        """Make the answer for one example."""
        scores: dict[str, float] = {}
        for entity in entities:
            scores[entity.label] = max(entity.score, scores.get(entity.label, 0.0))
        return cls(tuple(scores), scores, text=example.text, cut=cut, entities=tuple(entities))

    @property
    def answer(self) -> Hashable:
        """Return the entities without scores."""
        return tuple(entity.entity for entity in self.entities)

    @property
    def numbers(self) -> Mapping[Hashable, float]:
        """Return the score of each entity."""
        return {entity.entity: entity.score for entity in self.entities}

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the entities as a JSON list: a cell that programs can read, and people too."""
        return (json.dumps([entity.to_json() for entity in self._rounded()], ensure_ascii=False),)

    def describe(self) -> str:
        """Return each entity with its label and score."""
        return ", ".join(f"{entity.text} ({entity.label} {entity.score:.2f})" for entity in self.entities) or "(none)"

    def to_json(self) -> dict[str, object]:
        """Return the entities."""
        return {"entities": [entity.to_json() for entity in self.entities], **self._source_json()}

    def _rounded(self) -> list[ScoredEntity]:
        return [
            ScoredEntity(entity.text, entity.label, entity.start, entity.end, round(entity.score, 6))
            for entity in self.entities
        ]


def entities_in(prediction: Prediction) -> tuple[Entity, ...]:
    """Return the entities that a prediction of a tagging task says, without scores."""
    return cast("tuple[Entity, ...]", prediction.answer)
