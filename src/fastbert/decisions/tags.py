"""The tags of a tagger and the best legal sequence of them: constrained decoding in numpy.

Tags are IOB2: B-x begins an entity of type x, I-x goes on with it, O is outside. I-x stands only
after B-x or I-x, and no text begins with it. What ends at a unit is thus O or an entity of one of
K types, and all that is outside or begins looks at one number of the unit before: K + 1 states and
O(units * tags) work instead of O(units * tags^2).

Scores of many texts are passed one text after the other, with the units of each as `sizes_N`; spans
count the units of all of them. Scores are log-probabilities or logits: a constant added to all
tags of a unit changes nothing here. Knows nothing of characters, tokens or how scores were made.

Axes: U units of all texts, N texts, T = 2 K + 1 tags, K entity types, S = K + 1 states (O first),
P spans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastbert.data.units import UnitSpan
from fastbert.labels import Labels

Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]
Indices = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

OUTSIDE = 0  # the id of the tag O


@dataclass(frozen=True)
class TagSet:
    """The tags of entity types: O, B-a, I-a, B-b, I-b, ... in the order of labels; the position is the id.

    >>> TagSet(Labels(("person", "place"))).names
    ('O', 'B-person', 'I-person', 'B-place', 'I-place')
    """

    labels: Labels

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the names of the tags."""
        return ("O", *(f"{part}-{label}" for label in self.labels for part in "BI"))

    def __len__(self) -> int:
        return 2 * len(self.labels) + 1

    def label_of(self, tag: int) -> str | None:
        """Return the entity type of a tag id, None for O."""
        return None if tag == OUTSIDE else self.labels.name_of((tag - 1) // 2)

    @property
    def first_T(self) -> Mask:
        """Return which tags may begin a text."""
        return ~_goes_on(np.arange(len(self)))

    @property
    def follows_TT(self) -> Mask:
        """Return which tag (column) may follow which (row)."""
        tags_T = np.arange(len(self))
        same_TT = (tags_T[:, None] + 1) // 2 == (tags_T + 1) // 2
        result: Mask = same_TT | ~_goes_on(tags_T)
        return result

    def spans_of(self, path_U: Ints) -> list[UnitSpan]:
        """Return the entities of a legal sequence of tag ids, or of several one after the other, by position.

        >>> TagSet(Labels(("person", "place"))).spans_of(np.array([1, 2, 0, 3, 1]))
        [(0, 2, 'person'), (3, 4, 'place'), (4, 5, 'person')]
        """
        path_U = np.asarray(path_U)
        stops = np.append(np.flatnonzero(~_goes_on(path_U)), len(path_U))
        firsts = np.flatnonzero(path_U % 2 == 1)
        lasts = stops[np.searchsorted(stops, firsts, side="right")]
        names = [self.labels.name_of(tag // 2) for tag in path_U[firsts].tolist()]
        return list(zip(firsts.tolist(), lasts.tolist(), names, strict=True))

    def path_of(self, spans: Sequence[UnitSpan], num_units: int) -> Indices:
        """Return the tag ids of disjoint spans: the inverse of `spans_of`, and what a tagger is trained on.

        Raises DataError for an entity type that is not one of the labels.
        """
        path_U = np.full(num_units, OUTSIDE, np.intp)
        for first, last, label in spans:
            begin = 2 * self.labels.id_of(label) + 1
            path_U[first], path_U[first + 1 : last] = begin, begin + 1
        return path_U


class Sums(NamedTuple):
    """Log sums over legal sequences. before_U, after_U: of the units of the text before and after each unit.

    Those after are sequences by themselves: they do not go on with an entity of that unit.
    total_N: of all units of each text.    text_U: the text of each unit.
    """

    before_U: Doubles
    after_U: Doubles
    total_N: Doubles
    text_U: Indices


def best_path(log_probs_UT: Floats) -> Indices:
    """Return the best legal sequence of tag ids of one text, int (U,).

    >>> best_path(np.log([[0.2, 0.3, 0.5], [0.2, 0.2, 0.6]])).tolist()  # I-x cannot be the first
    [1, 2]
    """
    return best_paths(log_probs_UT, np.array([len(log_probs_UT)]))


def best_paths(log_probs_UT: Floats, sizes_N: Ints) -> Indices:
    """Return the best legal sequence of tag ids of each text, one after the other, int (U,).

    The search of Viterbi (1967). Of equal sequences the one that is outside, that begins, or whose
    type comes first is taken, from the end to the start. The result is legal even where every score is
    -inf or NaN.

    sizes_N: units of each text; a text may have none.
    Raises ValueError if the shapes do not fit each other.
    """
    num_states = _check_shapes(log_probs_UT, sizes_N)
    steps = _steps(sizes_N)
    ends_U = np.zeros(len(log_probs_UT), np.intp)  # the state that the best sequence up to a unit ends in
    goes_on_US = np.zeros((len(log_probs_UT), num_states), np.bool_)  # the state is that of the unit before
    best_N1, states_NS = np.zeros((len(sizes_N), 1)), np.full((len(sizes_N), num_states), -np.inf)
    for rows in steps:
        scores_NT, here = log_probs_UT[rows].astype(np.float64), slice(len(rows))
        begun_NK, continued_NK = scores_NT[:, 1::2] + best_N1[here], scores_NT[:, 2::2] + states_NS[here, 1:]
        states_NS[here, 0] = scores_NT[:, OUTSIDE] + best_N1[here, 0]
        np.maximum(begun_NK, continued_NK, out=states_NS[here, 1:])
        goes_on_US[rows, 1:] = continued_NK > begun_NK
        ends_U[rows] = states_NS[here].argmax(axis=1)
        best_N1[here] = np.take_along_axis(states_NS[here], ends_U[rows, None], axis=1)
    return _traced(steps, ends_U, goes_on_US)


def forward_backward(log_probs_UT: Floats, sizes_N: Ints) -> Sums:
    """Return the log sums over legal sequences before and after each unit (Rabiner 1989), in log space.

    sizes_N: units of each text.
    Raises ValueError if the shapes do not fit each other.
    """
    num_states = _check_shapes(log_probs_UT, sizes_N)
    steps, num_texts = _steps(sizes_N), len(sizes_N)
    before_U, after_U = np.zeros(len(log_probs_UT)), np.zeros(len(log_probs_UT))
    total_N1, states_NS = np.zeros((num_texts, 1)), np.full((num_texts, num_states), -np.inf)
    for rows in steps:
        scores_NT, here = log_probs_UT[rows].astype(np.float64), slice(len(rows))
        before_U[rows] = total_N1[here, 0]
        states_NS[here, 0] = scores_NT[:, OUTSIDE] + total_N1[here, 0]
        states_NS[here, 1:] = np.logaddexp(
            scores_NT[:, 1::2] + total_N1[here], scores_NT[:, 2::2] + states_NS[here, 1:]
        )
        total_N1[here] = _log_sums(states_NS[here])
    fresh_N1, open_NK = np.zeros((num_texts, 1)), np.zeros((num_texts, num_states - 1))
    for rows in reversed(steps):
        scores_NT, here = log_probs_UT[rows].astype(np.float64), slice(len(rows))
        after_U[rows] = fresh_N1[here, 0]
        outside_N1, begun_NK = scores_NT[:, :1] + fresh_N1[here], scores_NT[:, 1::2] + open_NK[here]
        fresh_N1[here] = _log_sums(np.concatenate([outside_N1, begun_NK], axis=1))
        open_NK[here] = np.logaddexp(fresh_N1[here], scores_NT[:, 2::2] + open_NK[here])
    total_N = np.zeros(num_texts)
    total_N[_longest_first(sizes_N)] = total_N1[:, 0]
    return Sums(before_U, after_U, total_N, np.repeat(np.arange(num_texts), sizes_N))


def span_scores_of(
    log_probs_UT: Floats, spans: Sequence[UnitSpan], tags: TagSet, *, sizes_N: Ints | None = None
) -> Doubles:
    """Return the probability of each span that exactly it, with its label, is an entity, within 0 and 1.

    All legal sequences are weighed by exp(sum of their log_probs); a span's probability is the share of
    those that hold it. It is 0 where no legal sequence has any weight.

    sizes_N: units of each text; None is one text. A span lies within one text.
    Returns float64 (P,).

    >>> tags = TagSet(Labels(("x",)))
    >>> equal = np.zeros((2, 3))  # OO, OB, BO, BB, BI have the same weight
    >>> span_scores_of(equal, [(0, 1, "x"), (0, 2, "x")], tags).round(3).tolist()
    [0.4, 0.2]
    """
    if not spans:
        return np.zeros(0)
    sums = forward_backward(log_probs_UT, np.array([len(log_probs_UT)]) if sizes_N is None else sizes_N)
    firsts_P, lasts_P = np.array([[first, last] for first, last, _ in spans], np.intp).T
    begins_P = np.array([2 * tags.labels.id_of(label) + 1 for _, _, label in spans])
    lengths_P = lasts_P - firsts_P
    places_P = np.cumsum(lengths_P) - lengths_P  # the first unit of each span among the units of all spans
    steps = np.arange(lengths_P.sum()) - np.repeat(places_P, lengths_P)
    rows, columns = np.repeat(firsts_P, lengths_P) + steps, np.repeat(begins_P, lengths_P) + (steps > 0)
    within_P = np.add.reduceat(log_probs_UT[rows, columns].astype(np.float64), places_P)
    total_P = sums.total_N[sums.text_U[firsts_P]]
    possible_P = np.isfinite(total_P)
    log_P = sums.before_U[firsts_P] + within_P + sums.after_U[lasts_P - 1] - np.where(possible_P, total_P, 0.0)
    return np.where(possible_P, np.exp(np.minimum(log_P, 0.0)), 0.0)


# --- helpers ----------------------------------------------------------------------------------------


def _goes_on(tags: Ints) -> Mask:
    """Return which tags are I-x."""
    result: Mask = (tags > OUTSIDE) & (tags % 2 == 0)
    return result


def _check_shapes(log_probs_UT: Floats, sizes_N: Ints) -> int:
    """Return the number of states."""
    if log_probs_UT.ndim != 2 or log_probs_UT.shape[1] % 2 == 0:
        raise ValueError(f"scores are {log_probs_UT.shape}; expected (units, 2 * types + 1)")
    if np.sum(sizes_N) != len(log_probs_UT):
        raise ValueError(f"there are scores of {len(log_probs_UT)} units, texts of {np.sum(sizes_N)}")
    return int(log_probs_UT.shape[1]) // 2 + 1


def _longest_first(sizes_N: Ints) -> Indices:
    return np.argsort(-np.asarray(sizes_N), kind="stable")


def _steps(sizes_N: Ints) -> list[Indices]:
    """Return the rows of first units, of second units, ... of the texts that have one, longest text first."""
    sizes_N = np.asarray(sizes_N, np.intp)
    order_N = _longest_first(sizes_N)
    starts_N = (np.cumsum(sizes_N) - sizes_N)[order_N]
    longest = int(sizes_N.max(initial=0))
    counts = len(sizes_N) - np.searchsorted(np.sort(sizes_N), np.arange(longest), side="right")
    return [starts_N[:count] + unit for unit, count in enumerate(counts.tolist())]


def _traced(steps: list[Indices], ends_U: Indices, goes_on_US: Mask) -> Indices:
    """Return the tags of the best sequences, read from the ends of the texts to their starts."""
    path_U = np.zeros(len(ends_U), np.intp)
    num_texts = len(steps[0]) if steps else 0
    state_N, held_N = np.zeros(num_texts, np.intp), np.zeros(num_texts, np.bool_)
    for rows in reversed(steps):
        here = slice(len(rows))
        state_N[here] = np.where(held_N[here], state_N[here], ends_U[rows])
        held_N[here] = goes_on_US[rows, state_N[here]]
        path_U[rows] = np.maximum(2 * state_N[here] - 1, 0) + held_N[here]
    return path_U


def _log_sums(values_NS: Doubles) -> Doubles:
    """Return the log of the sum of exp of each row, (N, 1); -inf where all are."""
    highest_N1 = values_NS.max(axis=1, keepdims=True)
    base_N1 = np.where(np.isfinite(highest_N1), highest_N1, 0.0)
    with np.errstate(divide="ignore"):
        sums: Doubles = np.log(np.exp(values_NS - base_N1).sum(axis=1, keepdims=True)) + base_N1
    return sums
