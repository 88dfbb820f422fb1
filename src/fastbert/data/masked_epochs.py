"""The training examples of one epoch of a corpus: sequences with special tokens and fresh masks.

A pure function of (tokens, options, seed, epoch), whether made when they are needed or written to disk before.
Knows nothing of models or files.

Axes: T tokens of all sequences, N sequences, M masked tokens, W sequences of a batch, L tokens of its longest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastbert.data.batches import Costs
from fastbert.data.chunking import chunk_documents
from fastbert.data.corpus_tokens import CorpusTokens
from fastbert.data.frames import Frames, Laid
from fastbert.data.masking import Masked, Masking, mask_tokens
from fastbert.data.next_sentence import make_pairs
from fastbert.errors import ConfigError

VERSION = 2  # of how examples are made
BLOCK = 8192  # sequences that are masked at a time
IGNORED = -100  # label of a token that is not predicted, as torch's losses have it
LEAST_TOKENS = 8  # of a sequence: shorter ones hold hardly a masked token
Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class ExampleOptions:
    """What examples are like. max_tokens: of a sequence, special ones included.

    next_sentence: make pairs of spans and predict whether the second follows, else pack whole documents.
    """

    max_tokens: int
    masking: Masking
    next_sentence: bool = False

    def key(self, tokens: CorpusTokens, frames: Frames, *, seed: int) -> str:
        """Return a hash of all that the examples of a corpus depend on but the epoch."""
        masking = self.masking
        settings = [VERSION, self.max_tokens, self.next_sentence, seed, tokens.fingerprint, frames.special_ids.tolist()]
        settings += [masking.rate, masking.whole_word, masking.mask_id]
        digest = hashlib.blake2b(json.dumps(settings).encode(), digest_size=20)
        digest.update(masking.ordinary_V.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class MaskedEpoch:
    """Sequences one behind the other, as the encoder reads them.

    ids_T: token ids, masked, int32.    types_T: token type ids, uint8, None where all are 0.
    lengths_N: tokens of each sequence.    places_M: where in ids_T something is predicted, ascending.
    targets_M: the tokens that were there.    next_N: 0 where the second text follows the first, else 1; None without
        pairs.    num_cut: tokens cut from pairs that were too long.
    """

    ids_T: npt.NDArray[np.int32]
    types_T: npt.NDArray[np.uint8] | None
    lengths_N: npt.NDArray[np.int64]
    places_M: npt.NDArray[np.int64]
    targets_M: npt.NDArray[np.int32]
    next_N: npt.NDArray[np.int64] | None = None
    num_cut: int = 0

    def __len__(self) -> int:
        return len(self.lengths_N)

    @property
    def random_share(self) -> float | None:
        """Return how many of the pairs are of texts that do not follow each other, from 0 to 1; None without pairs."""
        return None if self.next_N is None else float(self.next_N.mean())

    def labels_T(self) -> npt.NDArray[np.int64]:
        """Return the token to predict at each place, -100 where none is."""
        labels_T = np.full(len(self.ids_T), IGNORED, np.int64)
        labels_T[self.places_M] = self.targets_M
        return labels_T

    @property
    def costs(self) -> Costs:
        """Return what each sequence costs the encoder."""
        return Costs.single(self.lengths_N.astype(np.intp))

    def batch(self, rows: npt.NDArray[np.intp], pad_id: int) -> Mapping[str, Array]:
        """Return some of the sequences as padded arrays.

        input_ids, token_type_ids, attention_mask: int64 (W, L).    places: int64, where something is predicted, in the
        flattened (W * L), by sequence and place.    targets: int64, what.    next: int64 (W), only for pairs.
        """
        starts_N = np.cumsum(self.lengths_N) - self.lengths_N
        starts_W, lengths_W = starts_N[rows], self.lengths_N[rows]
        longest = int(lengths_W.max())
        mask_WL = np.arange(longest) < lengths_W[:, None]
        places_WL = (starts_W[:, None] + np.arange(longest)) * mask_WL
        begins_W, ends_W = np.searchsorted(self.places_M, [starts_W, starts_W + lengths_W])
        counts_W = ends_W - begins_W
        within_M = np.arange(int(counts_W.sum())) - np.repeat(np.cumsum(counts_W) - counts_W, counts_W)
        chosen_M = np.repeat(begins_W, counts_W) + within_M
        shift_W = np.arange(len(rows)) * longest - starts_W
        batch: dict[str, Array] = {
            "input_ids": np.where(mask_WL, self.ids_T[places_WL], pad_id).astype(np.int64),
            "attention_mask": mask_WL.astype(np.int64),
            "token_type_ids": np.zeros_like(places_WL),
            "places": self.places_M[chosen_M] + np.repeat(shift_W, counts_W),
            "targets": self.targets_M[chosen_M].astype(np.int64),
        }
        if self.types_T is not None:
            batch["token_type_ids"] = np.where(mask_WL, self.types_T[places_WL], 0).astype(np.int64)
        if self.next_N is not None:
            batch["next"] = self.next_N[rows]
        return batch


def epoch_examples(
    tokens: CorpusTokens, frames: Frames, options: ExampleOptions, *, seed: int, epoch: int
) -> MaskedEpoch:
    """Return the examples of one epoch: the order of the documents, the pairs and the masks are drawn anew.

    Raises ConfigError if max_tokens leaves no room for text, DataError for pairs of a corpus without documents.
    """
    room = options.max_tokens - frames.num_special_of(pair=options.next_sentence)
    if room < LEAST_TOKENS:
        raise ConfigError(
            f"max_tokens is {options.max_tokens}: with special tokens there is room for {max(room, 0)} of the text.",
            "128 is usual.",
        )
    rng = np.random.default_rng([seed, epoch])
    next_N, num_cut = None, 0
    if options.next_sentence:
        pairs = make_pairs(tokens, room, seed=seed, epoch=epoch)
        next_N, num_cut = pairs.is_random_N, pairs.num_cut
        first_T, second_T = _spans(pairs.first_start_N, pairs.first_N), _spans(pairs.second_start_N, pairs.second_N)
        laid = frames.lay_places(first_T, pairs.first_N, second_T, pairs.second_N)
    else:
        chunks = chunk_documents(tokens, room, separator=frames.separator, rng=rng)
        laid = frames.lay_places(chunks.places_T, chunks.lengths_N)
    masked = _masked(laid, tokens, frames, options.masking, rng)
    return MaskedEpoch(masked.ids_T, laid.types_T, laid.lengths_N, masked.places_M, masked.targets_M, next_N, num_cut)


def _spans(starts_N: npt.NDArray[np.int64], sizes_N: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the places of all spans, one behind the other."""
    ends_N = np.cumsum(sizes_N)
    return np.repeat(starts_N - (ends_N - sizes_N), sizes_N) + np.arange(int(sizes_N.sum()))


def _masked(laid: Laid, tokens: CorpusTokens, frames: Frames, masking: Masking, rng: np.random.Generator) -> Masked:
    """Mask the sequences, a block of them after another: what masking holds of a token is many times the token."""
    parts, begin = [], 0
    for start in range(0, max(1, len(laid.lengths_N)), BLOCK):
        lengths_B = laid.lengths_N[start : start + BLOCK]
        end = begin + int(lengths_B.sum())
        ids_T, continues_T = _look_up(laid.places_T[begin:end], tokens, frames)
        part = mask_tokens(ids_T, continues_T, lengths_B, masking, rng)
        parts.append(Masked(part.ids_T, part.places_M + begin, part.targets_M))
        begin = end
    names = ("ids_T", "places_M", "targets_M")
    return Masked(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _look_up(
    places_T: npt.NDArray[np.int64], tokens: CorpusTokens, frames: Frames
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Return the ids at the places of sequences, and which continue the word of the token before.

    A word of which a span has only the end begins there.
    """
    is_text_T = places_T >= 0
    inside_T = np.where(is_text_T, places_T, 0)
    special_T = frames.special_ids[np.where(is_text_T, 0, -1 - places_T)] if len(frames.special_ids) else 0
    ids_T = np.where(is_text_T, tokens.ids_T[inside_T], special_T).astype(np.int32)
    continues_T = tokens.continues_T[inside_T] & is_text_T
    continues_T[1:] &= places_T[1:] == places_T[:-1] + 1
    return ids_T, continues_T
