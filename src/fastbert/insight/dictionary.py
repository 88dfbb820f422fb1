"""A baseline for tagging: a text is searched for the entities of the training rows.

It answers with the label that the same words had most often in training, if they were an entity in at least half of
their occurrences there. The longest match from the left wins. Case counts. Close to the baseline of CoNLL 2003 (Tjong
Kim Sang and De Meulder): entities of the training data that are unambiguous, the longest of several.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastbert.tasks.base import Example, Prediction
from fastbert.tasks.entities_prediction import EntitiesPrediction, ScoredEntity
from fastbert.tasks.tagging import true_entities
from fastbert.tasks.token_scores import units_of

Words = tuple[str, ...]


@dataclass(frozen=True)
class Dictionary:
    """The label of each run of words, with the share of its training occurrences that had it."""

    labels: Mapping[Words, tuple[str, float]]

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Dictionary:
        """Collect the entities of training rows whose words mean them at least half of the time."""
        found: dict[Words, Counter[str]] = {}
        for example in examples:
            for entity in true_entities(example):
                words = tuple(example.text[entity.start : entity.end].split())
                found.setdefault(words, Counter())[entity.label] += 1
        seen = _occurrences(examples, found)
        best = {words: counts.most_common(1)[0] for words, counts in found.items()}
        shares = {words: (label, count / max(seen[words], count)) for words, (label, count) in best.items()}
        return cls({words: (label, share) for words, (label, share) in shares.items() if share >= 0.5})

    def __call__(self, examples: Sequence[Example]) -> list[Prediction]:
        """Return the entities of each text."""
        longest = max(map(len, self.labels), default=0)
        return [EntitiesPrediction.of(self._entities(example, longest), example) for example in examples]

    def _entities(self, example: Example, longest: int) -> list[ScoredEntity]:
        text, units, found, place = example.text, units_of(example), list[ScoredEntity](), 0
        while place < len(units):
            for size in range(min(longest, len(units) - place), 0, -1):
                start, end = units[place][0], units[place + size - 1][1]
                known = self.labels.get(tuple(text[start:end].split()))
                if known is not None:
                    found.append(ScoredEntity(text[start:end], known[0], start, end, known[1]))
                    place += size - 1
                    break
            place += 1
        return found


def _occurrences(examples: Sequence[Example], wanted: Mapping[Words, object]) -> Counter[Words]:
    """Return how often each run of words occurs, as an entity or not."""
    longest = max(map(len, wanted), default=0)
    seen: Counter[Words] = Counter()
    for example in examples:
        units = units_of(example)
        for place in range(len(units)):
            for size in range(1, min(longest, len(units) - place) + 1):
                words = tuple(example.text[units[place][0] : units[place + size - 1][1]].split())
                if words in wanted:
                    seen[words] += 1
    return seen
