"""Which tokens of a sequence are hidden, and what stands there instead: the masked language model of BERT.

Of the tokens chosen, 80 % become the mask token, 10 % a random one and 10 % stay (Devlin et al. 2019, arXiv
1810.04805, section 3.1). Works on all sequences of an epoch at once; what is drawn depends on the generator alone.
Knows nothing of documents or of special tokens round them.

Axes: T tokens of all sequences, N sequences, U units (tokens, or whole words), M masked tokens, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from fastbert.data.tokens import Tokenizer
from fastbert.errors import ConfigError, EncoderError

Ids = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MASK_SHARE, RANDOM_SHARE = 0.8, 0.1  # Devlin et al. 2019; the rest is kept
MOST_PIECES = 8  # of a word that is hidden whole; a longer one is a phrase in writing without spaces, or an address
MASK_TOKENS = ("[MASK]", "<mask>")  # others are known by their letters, such as <|mask|>


@dataclass(frozen=True, eq=False)
class Masking:
    """How tokens are masked. rate: share of the tokens that are predicted, special ones not counted.

    whole_word: mask all tokens of a word, or none.    mask_id: the token that hides.
    ordinary_V: ids from which a random token is drawn, which are also those that may be predicted.
    """

    rate: float
    whole_word: bool
    mask_id: int
    ordinary_V: Ids

    @classmethod
    def of(cls, tokenizer: Tokenizer, rate: float = 0.15, whole_word: bool | None = None) -> Self:
        """Return the masking for an encoder's tokenizer.

        whole_word: None for what its authors do: whole words for WordPiece, tokens for the others.
        Raises ConfigError for a rate that is not above 0 and below 1, EncoderError without a mask token, or where
        whole words are asked of a tokenizer that does not part a text into words.
        """
        if not 0 < rate < 1:
            raise ConfigError(f"mask_rate is {rate}; it must be above 0 and below 1.", "0.15 is usual.")
        backend = tokenizer.backend
        special = {token.content for token in backend.get_added_tokens_decoder().values() if token.special}
        unknown = getattr(backend.model, "unk_token", None)
        special |= {unknown} if isinstance(unknown, str) else set()
        named = sorted(token for token in special if "".join(filter(str.isalpha, token)).casefold() == "mask")
        found = (backend.token_to_id(token) for token in (*MASK_TOKENS, *named))
        mask = next((index for index in found if index is not None), None)
        if mask is None:
            raise EncoderError(
                f"The tokenizer of the encoder has no mask token ({' or '.join(MASK_TOKENS)}).",
                "Choose an encoder that was pretrained by masking, such as one of the BERT or RoBERTa families.",
            )
        if whole_word and not _parts_words(tokenizer):
            raise EncoderError(
                "The tokenizer of the encoder does not part a text into words: whole words cannot be masked.",
                "Leave --whole-word out.",
            )
        ordinary = sorted(index for token, index in backend.get_vocab().items() if token not in special)
        is_wordpiece = type(backend.model).__name__ == "WordPiece"
        return cls(rate, is_wordpiece if whole_word is None else whole_word, mask, np.array(ordinary, np.int32))

    def describe(self) -> str:
        """Return one phrase for the plan."""
        return f"{100 * self.rate:g} % of the tokens masked, {'whole words' if self.whole_word else 'token by token'}"


def _parts_words(tokenizer: Tokenizer) -> bool:
    """Return False for one that takes a whole line as one word, as Gemma's does."""
    words = tokenizer.backend.encode("one two three", add_special_tokens=False).word_ids
    return len(words) < 2 or len(set(words)) > 1


@dataclass(frozen=True)
class Masked:
    """ids_T: the tokens, masked.    places_M: where in them something is predicted, ascending.    targets_M: what."""

    ids_T: Ids
    places_M: Places
    targets_M: Ids


def mask_tokens(
    ids_T: Ids, continues_T: Flags, lengths_N: Places, masking: Masking, rng: np.random.Generator
) -> Masked:
    """Mask the tokens of sequences that lie one behind the other.

    ids_T: tokens, special ones among them, which are never masked.    continues_T: True where a token continues the
    word before it.    lengths_N: tokens of each sequence.
    A word of more than MOST_PIECES tokens is masked token by token.
    In each sequence units are taken in random order until the rate is reached; the one in which it is reached is taken
    with the probability with which the expected number of masked tokens is the rate exactly.

    >>> ids = np.arange(100, dtype=np.int32)
    >>> all_words = np.zeros(100, np.bool_)
    >>> masking = Masking(0.15, True, 99, ids[:99])
    >>> len(mask_tokens(ids, all_words, np.array([100]), masking, np.random.default_rng(0)).places_M) in (14, 15)
    True
    """
    owner_T = np.repeat(np.arange(len(lengths_N)), lengths_N)
    ordinary_V = np.zeros(max(int(masking.ordinary_V.max()), int(ids_T.max(initial=0))) + 1, np.bool_)
    ordinary_V[masking.ordinary_V] = True
    free_T = ordinary_V[ids_T]
    joined_T = np.zeros(len(ids_T), np.bool_)  # with the token before it
    if masking.whole_word:
        joined_T[1:] = continues_T[1:] & free_T[1:] & free_T[:-1] & (owner_T[1:] == owner_T[:-1])
        joined_T &= _of_short_words(joined_T)
    free_places = np.flatnonzero(free_T)
    unit_of_F = np.cumsum(~joined_T[free_places]) - 1
    sizes_U = np.bincount(unit_of_F)
    owner_U = owner_T[free_places[~joined_T[free_places]]]
    chosen_U = _choose(sizes_U, owner_U, len(lengths_N), masking.rate, rng)
    places_M = free_places[chosen_U[unit_of_F]]
    targets_M = ids_T[places_M]
    draw_M = rng.random(len(places_M))
    random_M = masking.ordinary_V[rng.integers(len(masking.ordinary_V), size=len(places_M))]
    instead_M = np.where(draw_M < MASK_SHARE + RANDOM_SHARE, random_M, targets_M)
    masked_T = ids_T.copy()
    masked_T[places_M] = np.where(draw_M < MASK_SHARE, np.int32(masking.mask_id), instead_M)
    return Masked(masked_T, places_M, targets_M)


def _of_short_words(joined_T: Flags) -> Flags:
    """Return for each token whether its word has no more than MOST_PIECES tokens."""
    word_T = np.cumsum(~joined_T)
    return np.asarray(np.bincount(word_T)[word_T] <= MOST_PIECES)


def _choose(
    sizes_U: npt.NDArray[np.intp], owner_U: Places, num_sequences: int, rate: float, rng: np.random.Generator
) -> Flags:
    """Return which units are masked. owner_U: the sequence of each unit, ascending."""
    budgets_N = rate * np.bincount(owner_U, sizes_U, num_sequences)
    order = np.lexsort((rng.random(len(sizes_U)), owner_U))  # shuffled within each sequence
    sizes, owners = sizes_U[order], owner_U[order]
    before = np.cumsum(sizes) - sizes
    units_N = np.bincount(owners, minlength=num_sequences)
    firsts_N = np.cumsum(units_N) - units_N
    before -= np.repeat(before[firsts_N[units_N > 0]], units_N[units_N > 0])
    chosen_U = np.zeros(len(sizes_U), np.bool_)
    chosen_U[order] = rng.random(len(sizes)) < (budgets_N[owners] - before) / sizes
    return chosen_U
