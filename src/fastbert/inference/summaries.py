"""Extractive summaries: the sentences of a text that say most of it, in their order.

Each sentence has a vector. Sentences near the mean of them all are chosen one after another, less so the more they
repeat what is chosen already: maximal marginal relevance (Carbonell and Goldstein 1998, "The Use of MMR,
Diversity-Based Reranking for Reordering Documents and Producing Summaries", SIGIR), with the centroid of the text as
the query (Radev et al. 2004, "Centroid-based summarization of multiple documents"). Knows nothing of how vectors are
made.

Axes: S sentences of one text, D width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import cast

import numpy as np

from fastbert.data.sentences import split_sentences
from fastbert.errors import ConfigError, DataError
from fastbert.inference.vector_files import Embeds, Vectors, embed_all

SENTENCES = 3
RELEVANCE = 0.7  # what a sentence says of the whole counts more than that it is new; chosen, not measured


@dataclass(frozen=True)
class ExtractiveSummarizer:
    """Summarises texts by their own sentences.

    sentences: how many; a text with no more is its own summary.
    relevance: lambda of maximal marginal relevance: 1 looks at nearness to the whole alone, 0 at being new alone.

    >>> from fastbert.inference.embedder import Embedder                     # doctest: +SKIP
    >>> summarize = ExtractiveSummarizer(Embedder.open("minilm"))            # doctest: +SKIP
    >>> summarize(["A long text. It has many sentences. ..."])               # doctest: +SKIP
    ['It has many sentences. ...']
    """

    embed: Embeds
    sentences: int = SENTENCES
    relevance: float = RELEVANCE

    def __post_init__(self) -> None:
        check_summary(self.sentences, self.relevance)

    def __call__(self, texts: Sequence[str]) -> list[str]:
        """Return the summary of each text, in order: chosen sentences as they are written, a blank between two."""
        texts = texts_to_summarize(texts)
        places = [split_sentences(text) for text in texts]
        long = [at for at, found in enumerate(places) if len(found) > self.sentences]
        pieces = [[texts[at][start:end] for start, end in places[at]] for at in long]
        vectors_SD, _ = embed_all([piece for found in pieces for piece in found], self.embed)
        summaries = [text.strip() for text in texts]
        ends = [0, *accumulate(map(len, pieces))]
        for at, found, (start, end) in zip(long, pieces, pairwise(ends), strict=True):
            chosen = choose_sentences(vectors_SD[start:end], self.sentences, self.relevance)
            summaries[at] = " ".join(found[place] for place in chosen)
        return summaries


def texts_to_summarize(texts: Iterable[object]) -> list[str]:
    """Return texts as a list. Raises DataError for a single one, and for what is none."""
    if isinstance(texts, str):
        raise DataError("A summariser is called with a list of texts; a single text was given.", "Write [text].")
    found = list(texts)
    for row, text in enumerate(found):
        if not isinstance(text, str):
            raise DataError(f"Item {row} is {type(text).__name__}; expected a text.")
    return cast("list[str]", found)


def check_summary(sentences: int, relevance: float = RELEVANCE) -> None:
    """Raise ConfigError for a number of sentences or a relevance that is out of range."""
    if sentences < 1:
        raise ConfigError(f"sentences is {sentences}; expected at least 1.", f"{SENTENCES} is usual.")
    if not 0 <= relevance <= 1:
        raise ConfigError(f"relevance is {relevance:g}; expected a number from 0 to 1.", f"{RELEVANCE:g} is usual.")


def choose_sentences(vectors_SD: Vectors, count: int, relevance: float) -> list[int]:
    """Return the places of the chosen sentences, in the order of the text; all if there are no more than count.

    Each is the one of the highest lambda * cos(sentence, centroid) - (1 - lambda) * max cos(sentence, a chosen one);
    of equal ones the first.
    """
    lengths_S1 = np.linalg.norm(vectors_SD, axis=1, keepdims=True)
    unit_SD = vectors_SD / np.maximum(lengths_S1, 1e-12)
    centroid_D = unit_SD.mean(axis=0)
    near_S = unit_SD @ (centroid_D / max(float(np.linalg.norm(centroid_D)), 1e-12))
    repeats_S = np.zeros(len(unit_SD), np.float32)  # nothing is repeated before anything is chosen
    chosen: list[int] = []
    for _ in range(min(count, len(unit_SD))):
        value_S = relevance * near_S - (1 - relevance) * repeats_S
        value_S[chosen] = -np.inf
        best = int(np.argmax(value_S))
        similar_S = unit_SD @ unit_SD[best]
        repeats_S = np.maximum(repeats_S, similar_S) if chosen else similar_S
        chosen.append(best)
    return sorted(chosen)


def lead(text: str, sentences: int = SENTENCES) -> str:
    """Return the first sentences of a text: the baseline that a summary of news has to beat.

    >>> lead("One. Two. Three.", 2)
    'One. Two.'
    """
    return " ".join(text[start:end] for start, end in split_sentences(text)[:sentences])
