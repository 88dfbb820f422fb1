"""Tagging: the entities (slots, spans with labels) of a text, as characters of the user's own string.

The model says for each unit of the text (a word) whether an entity begins, goes on or is not there; the most probable
legal sequence is the answer. A text longer than the encoder is read in overlapping windows. Torch is touched only
inside `loss`.

Axes: W windows, B examples, L tokens, U units of all examples, T tags.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self, cast

import numpy as np
import numpy.typing as npt

from fastbert.config import DataConfig, DecisionConfig
from fastbert.data.checks import text_warnings
from fastbert.data.entity_checks import entity_warnings
from fastbert.data.examples import Entity, TaggedExample
from fastbert.data.features import Features
from fastbert.data.tagging import entity_labels
from fastbert.data.units import align
from fastbert.data.windows import Ints
from fastbert.decisions.rules import Decisions
from fastbert.decisions.tags import OUTSIDE, TagSet, best_paths, span_scores_of
from fastbert.errors import BundleError
from fastbert.labels import Labels
from fastbert.metrics.spans import span_scores, span_scores_by_label
from fastbert.tasks.base import (
    DRAWS,
    Agreement,
    Array,
    Batch,
    Divergence,
    Example,
    Feature,
    Prediction,
    Task,
    refuse_options,
)
from fastbert.tasks.entities_prediction import EntitiesPrediction, ScoredEntity, entities_in
from fastbert.tasks.entity_rules import (
    check_entity_goal,
    entities_rule,
    fit_entity_rule,
    found_entities,
    pack_entities,
    redecided,
    unpack_entities,
)
from fastbert.tasks.entity_rules import true_entities as true_entities
from fastbert.tasks.token_scores import UnitScores, encode_units, first_tokens, unit_scores, units_of

if TYPE_CHECKING:
    import torch

    from fastbert.data.reading import AnyLayout
    from fastbert.data.tokens import Tokenizer

Doubles = npt.NDArray[np.float64]
IGNORED = -100  # target of a token that no unit is read at


@dataclass(frozen=True)
class Tagging(Task):
    """Entities per text. labels: the entity types."""

    labels: Labels

    name: ClassVar[str] = "tagging"
    head: ClassVar[str] = "TokenClassification"
    pipeline: ClassVar[str] = "token-classification"
    monitor: ClassVar[str] = "f1"
    answer_metric: ClassVar[str] = "f1"
    headlines: ClassVar[tuple[str, ...]] = ("f1", "precision", "recall", "f1_partial", "exact_match")
    counted: ClassVar[str] = "entity type"
    by_token: ClassVar[bool] = True
    divergence: ClassVar[Divergence | None] = "softmax"
    pairs: ClassVar[bool | None] = False
    always_windows: ClassVar[bool] = True

    @classmethod
    def from_examples(cls, examples: Sequence[Example], layout: AnyLayout, config: DataConfig) -> Self:
        """Make the task for training rows. Raises DataError where there is no entity at all."""
        return cls(entity_labels(cast("Sequence[TaggedExample]", examples)))

    @property
    def model_options(self) -> dict[str, object]:
        """Return the names of the tags, as transformers' configuration spells them."""
        names = self.tags.names
        return {"id2label": dict(enumerate(names)), "label2id": {name: index for index, name in enumerate(names)}}

    @property
    def known_labels(self) -> Labels:
        """Return the entity types."""
        return self.labels

    @cached_property
    def tags(self) -> TagSet:
        """Return the tags that the model tells apart."""
        return TagSet(self.labels)

    def describe(self) -> str:
        """Return the task with the number of entity types."""
        return f"tagging, {len(self.labels)} entity types"

    def rule(self, decisions: Decisions) -> str:
        """Return how outputs become entities."""
        return (
            "The most probable legal sequence of tags is the answer; an entity's score is the probability that "
            "exactly its characters have its label." + entities_rule(decisions)
        )

    @property
    def caveat(self) -> str:
        """Return where entities can begin and end."""
        return "Entities begin and end with words: a part of a word is never an answer."

    # -- what it makes of training rows ---------------------------------------------------------

    def strata(self, examples: Sequence[Example]) -> list[tuple[str, ...]]:
        """Return the entity types that occur in each row."""
        return [tuple(sorted({entity.label for entity in true_entities(example)})) for example in examples]

    def counts(self, examples: Sequence[Example]) -> dict[str, int]:
        """Return the number of entities of each type."""
        found = Counter(entity.label for example in examples for entity in true_entities(example))
        return {name: found[name] for name in self.labels}

    def warnings(self, splits: Mapping[str, Sequence[Example]]) -> list[str]:
        """Return what looks wrong with texts and entities; each entity that no answer can equal is counted."""
        return text_warnings(splits) + entity_warnings(
            cast("Mapping[str, Sequence[TaggedExample]]", splits), self.labels, units_of
        )

    def prior_logits(self, examples: Sequence[Example]) -> Doubles:
        """Return the logarithm of the share of each tag among the units."""
        counts_T = np.ones(len(self.tags))
        for example in examples:
            counts_T += np.bincount(self._path(example), minlength=len(self.tags))
        return cast("Doubles", np.log(counts_T / counts_T.sum()))

    # -- from text to loss and to answers -------------------------------------------------------

    def encode(
        self, examples: Sequence[Example], tokenizer: Tokenizer, max_tokens: int, first_index: int = 0
    ) -> Features:
        """Return the windows of each example; the column `tag` is the target of each token."""
        features, offsets = encode_units(examples, tokenizer, max_tokens, first_index)
        tag_T = np.full(len(features.windows.ids_T), IGNORED, np.int64)
        table_W = features.windows.table_W
        bounds_N = np.searchsorted(table_W["example"], np.arange(len(examples) + 1) + first_index)
        for example, first, behind in zip(examples, bounds_N[:-1].tolist(), bounds_N[1:].tolist(), strict=True):
            if example.truth is not None and behind > first:
                begin, end = table_W["start"][first], table_W["start"][behind - 1] + table_W["length"][behind - 1]
                part = slice(int(begin), int(end))
                tag_T[part] = self._tags_at(example, offsets.token_T[part], offsets.start_T[part], offsets.end_T[part])
        return Features(features.windows, None, features.find_pieces, {**features.columns, "tag": tag_T})

    def targets(self, features: Sequence[Feature], length: int, rng: np.random.Generator) -> Batch:
        """Return `labels`, int64 (W, L): the tag at the first token of each unit, IGNORED elsewhere."""
        return {"labels": Features.of(features).padded("tag", IGNORED)}

    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        """Return the summed loss of the units and their number."""
        from fastbert.models import losses

        return losses.cross_entropy_sum(outputs["logits"].flatten(0, 1), batch["labels"].flatten())

    def decode(
        self,
        outputs: Mapping[str, Array],
        features: Sequence[Feature],
        examples: Sequence[Example],
        decisions: Decisions,
    ) -> list[Prediction]:
        """Return the entities of each example."""
        packed = Features.of(features)
        found = unit_scores(outputs["logits"], packed, examples)
        log_probs_UT = _log_probs(found)
        spans = self.tags.spans_of(best_paths(log_probs_UT, found.sizes_N))
        scores = span_scores_of(log_probs_UT, spans, self.tags, sizes_N=found.sizes_N).tolist()
        cut_B = packed.windows.table_W["cut"][packed.merged[0]].tolist()
        ends_N = np.cumsum(found.sizes_N)
        entities: list[list[ScoredEntity]] = [[] for _ in examples]
        for (first, last, label), score in zip(spans, scores, strict=True):
            row = int(np.searchsorted(ends_N, first, side="right"))
            start, end = found.units[first][0], found.units[last - 1][1]
            entities[row].append(ScoredEntity(examples[row].text[start:end], label, start, end, score))
        found_B: list[Prediction] = [
            EntitiesPrediction.of(own, example, cut=cut)
            for own, example, cut in zip(entities, examples, cut_B, strict=True)
        ]
        return self.redecide(found_B, decisions)

    @property
    def answer_columns(self) -> tuple[str, ...]:
        """Return `entities`."""
        return ("entities",)

    # -- how good answers are ---------------------------------------------------------------------

    def score(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> dict[str, float]:
        """Return strict and partial scores of the entities."""
        return span_scores(*_spans(predictions, examples))

    def score_error(
        self,
        predictions: Sequence[Prediction],
        examples: Sequence[Example],
        against: Sequence[Prediction] | None = None,
    ) -> float:
        """Return the standard error of f1, from draws of the rows with replacement (the bootstrap of Efron 1979)."""
        drawn_D = _drawn_f1(predictions, examples)
        return float(np.std(drawn_D if against is None else drawn_D - _drawn_f1(against, examples)))

    def score_labels(
        self, predictions: Sequence[Prediction], examples: Sequence[Example]
    ) -> dict[str, dict[str, float | int | None]]:
        """Return the strict scores of each entity type, and what became of its entities."""
        return dict(span_scores_by_label(*_spans(predictions, examples)))

    def collapsed(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> str:
        """Return that no row is given an entity though some have one; nothing if not."""
        said, true = _spans(predictions, examples)
        if any(said) or not any(true):
            return ""
        return f"none of the {len(said):,} rows is given an entity, though {sum(map(len, true)):,} are in them"

    def row_loss(self, prediction: Prediction, example: Example) -> float:
        """Return the entities that were missed, and the scores of those that are wrong."""
        answer, true = cast("EntitiesPrediction", prediction), set(true_entities(example))
        missed = len(true - set(entities_in(answer)))
        return missed + math.fsum(entity.score for entity in answer.entities if entity.entity not in true)

    def agreement(self, prediction: Prediction, example: Example) -> Agreement:
        """Return "right" where all entities are, "partly" where one is."""
        said, true = set(entities_in(prediction)), set(true_entities(example))
        return "right" if said == true else "partly" if said & true else "wrong"

    def fit_decisions(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Decisions:
        """Return the default rule: every entity is given."""
        return Decisions()

    def check_rule(self, config: DecisionConfig) -> None:
        """Raise ConfigError for a goal that entities do not have."""
        refuse_options(config, self.name, known=("goal", "calibrate"))
        check_entity_goal(config, self.labels.names)

    def fit_rule(
        self, predictions: Sequence[Prediction], examples: Sequence[Example], config: DecisionConfig
    ) -> Decisions:
        """Return calibrated scores of entities and, for a goal, the score from which each type is given."""
        return fit_entity_rule(found_entities(predictions, examples, self.labels), self.labels.names, config)

    def redecide(self, predictions: Sequence[Prediction], decisions: Decisions) -> list[Prediction]:
        """Return predictions with calibrated scores, and the entities that a rule gives."""
        return redecided(predictions, decisions)

    def pack(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> dict[str, Array]:
        """Return places, types and scores of the entities found, and the true ones."""
        return pack_entities(predictions, examples, self.labels)

    def unpack(self, arrays: Mapping[str, Array]) -> tuple[list[Prediction], list[Example]]:
        """Return what `pack` was given, without texts."""
        return unpack_entities(arrays, self.labels)

    def to_json(self) -> dict[str, object]:
        """Return the entity types."""
        return {"name": self.name, "labels": list(self.labels)}

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Self:
        """Read what `to_json` wrote."""
        names = values.get("labels")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise BundleError(f"bundle.json: the task 'tagging' has {names!r} for labels; expected a list of names.")
        return cls(Labels(tuple(names)))

    def _tags_at(self, example: Example, token_T: Ints, start_T: Ints, end_T: Ints) -> npt.NDArray[np.int64]:
        """Return the tag of each token of all windows of one text: at the first one of each unit, IGNORED elsewhere."""
        tag_T = np.full(len(token_T), IGNORED, np.int64)
        own = np.flatnonzero(token_T >= 0)
        if not len(own):
            return tag_T
        start_P, end_P, tag_P = (np.full(int(token_T.max()) + 1, value, np.int64) for value in (0, 0, IGNORED))
        start_P[token_T[own]], end_P[token_T[own]] = start_T[own], end_T[own]
        first_U = first_tokens(units_of(example), start_P, end_P)
        _, units = np.unique(first_U, return_index=True)  # of units with one token the first is read there
        units = units[first_U[units] >= 0]
        tag_P[first_U[units]] = self._path(example)[units]
        tag_T[own] = tag_P[token_T[own]]
        return tag_T

    def _path(self, example: Example) -> npt.NDArray[np.intp]:
        """Return the true tag of each unit; an entity that does not fit the units is widened to them."""
        units = units_of(example)
        return self.tags.path_of(align(units, true_entities(example)).spans, len(units))


def _log_probs(found: UnitScores) -> Doubles:
    """Return the log-probability of each tag of each unit; a unit shares its tokens with the one before, or not."""
    scores_UT = found.scores_UC - found.scores_UC.max(axis=1, keepdims=True, initial=-np.inf)
    log_probs_UT = scores_UT - np.log(np.exp(scores_UT).sum(axis=1, keepdims=True))
    shared = np.flatnonzero(found.shared_U)
    if len(shared):  # one token for two units: whatever it is, the second goes on with it
        begin, goes_on = log_probs_UT[shared, 1::2], log_probs_UT[shared, 2::2]
        log_probs_UT[shared, 2::2] = np.logaddexp(begin, goes_on)
        log_probs_UT[shared, 1::2] = -np.inf
    assert OUTSIDE == 0
    return cast("Doubles", log_probs_UT)


def _drawn_f1(predictions: Sequence[Prediction], examples: Sequence[Example]) -> npt.NDArray[np.float64]:
    """Return the strict F1 of each draw; the same rows are drawn for as many examples."""
    pairs = zip(*_spans(predictions, examples), strict=True)
    counts_N2 = np.array([(len(set(said) & set(true)), len(said) + len(true)) for said, true in pairs])
    rng, share_N = np.random.default_rng(0), np.full(len(counts_N2), 1 / len(counts_N2))
    draws_D2 = np.array([rng.multinomial(len(counts_N2), share_N) @ counts_N2 for _ in range(DRAWS)])
    return np.asarray(2 * draws_D2[:, 0] / np.maximum(draws_D2[:, 1], 1), np.float64)


def _spans(
    predictions: Sequence[Prediction], examples: Sequence[Example]
) -> tuple[list[Sequence[Entity]], list[Sequence[Entity]]]:
    return [entities_in(prediction) for prediction in predictions], [true_entities(example) for example in examples]
