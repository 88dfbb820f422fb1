"""A vocabulary learned from a corpus: WordPiece as BERT has it, or byte-level BPE.

The trainers are those of the `tokenizers` library. Knows nothing of encoders.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from fastbert.data.corpus import Corpus
from fastbert.errors import ConfigError, DataError

VocabularyKind = Literal["wordpiece", "bpe"]
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")  # in the order of BERT's vocabularies: padding is 0
RARE_MARKS = 0.015  # of the letters: English has hardly any; French, Vietnamese and Hindi several times as many
MOST_CHARACTERS = 1000  # of a word
MIN_FREQUENCY = 2  # a piece that is seen once is not learned
BYTES = 256
MOST_ENTRIES = 1_000_000  # the trainers ask for memory for all of them at once
ALPHABET_SHARE = 4  # one part in so many is for characters at most, and as much for their continuations


def train_vocabulary(
    corpus: Corpus, size: int, *, kind: VocabularyKind = "wordpiece", lowercase: bool = True
) -> tokenizers.Tokenizer:
    """Return a tokenizer whose vocabulary of at most size entries was learned from a corpus.

    kind: "wordpiece", split at spaces and punctuation; "bpe" over bytes, which knows every character.
    lowercase: fold case, for WordPiece alone, and strip accents as BERT uncased does where they are as rare as in
        English; elsewhere they are vowels (Hindi, Thai), tones (Vietnamese) or letters of their own.
    It frames one text as [CLS] text [SEP] and two as [CLS] text [SEP] pair [SEP], with type 1 for the pair.
    Raises ConfigError for a size that is too small or large, DataError if the corpus gives hardly a token.
    """
    if kind not in get_args(VocabularyKind):
        raise ConfigError(f"vocabulary is '{kind}'; expected wordpiece or bpe.")
    least = len(SPECIAL_TOKENS) + (BYTES if kind == "bpe" else 1)
    if size < least:
        raise ConfigError(f"vocab_size is {size}; {kind} needs at least {least}.", "8,000 to 30,000 are usual.")
    if size > MOST_ENTRIES:
        raise ConfigError(f"vocab_size is {size:,}; it may be {MOST_ENTRIES:,} at most.", "8,000 to 30,000 are usual.")
    lines = [_whole(line) for document in corpus.documents for line in document]
    tokenizer = _wordpiece(lines, size, lowercase=lowercase) if kind == "wordpiece" else _byte_level(lines, size)
    if tokenizer.get_vocab_size() <= least:
        raise DataError("The corpus is too small to learn a vocabulary from.", "Give more text.")
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    ids = {token: tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]")}
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=list(ids.items())
    )
    return tokenizer


def _wordpiece(lines: list[str], size: int, *, lowercase: bool) -> tokenizers.Tokenizer:
    """Return WordPiece with the frequent characters, as beginnings and as continuations, and pieces of them.

    Where pieces do not fill it, as in writing without spaces, of which BERT makes a word of each character, more
    characters do. The trainer meets continuations in the order of a hash map, which is another one each time. They are
    therefore given to it beforehand, as special tokens, which they no longer are in the tokenizer that is returned.
    """
    tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(
        lowercase=lowercase, strip_accents=lowercase and _rare_marks(lines)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(tokenizer.normalizer.normalize_str(line))
    frequent = sorted(counts, key=lambda character: (-counts[character], character))
    solid = [one for one in frequent if not one.isspace() and counts[one] >= MIN_FREQUENCY]
    room = max(1, (size - len(SPECIAL_TOKENS)) // ALPHABET_SHARE)
    alphabet, others = sorted(solid[:room]), solid[room:]
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        min_frequency=MIN_FREQUENCY,
        special_tokens=[*SPECIAL_TOKENS, *_continuations(tokenizer, alphabet)],
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    tokenizer.train_from_iterator(lines, trainer)
    vocabulary = tokenizer.get_vocab()
    more = [piece for one in others for piece in (one, *_continuations(tokenizer, [one]))]
    for piece in more[: size - len(vocabulary)]:
        vocabulary[piece] = len(vocabulary)
    # In writing without spaces a word is a phrase; one of more than the usual 100 characters would be unknown.
    model = models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=MOST_CHARACTERS)
    learned = tokenizers.Tokenizer(model)
    learned.normalizer, learned.pre_tokenizer = tokenizer.normalizer, tokenizer.pre_tokenizer
    learned.decoder = decoders.WordPiece()
    return learned


def _rare_marks(lines: Iterable[str]) -> bool:
    """Return whether hardly a letter has a mark that would be stripped."""
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(line)
    letters = marks = 0
    for character, count in counts.items():
        kinds = [unicodedata.category(one) for one in unicodedata.normalize("NFD", character)]
        letters += count * any(kind.startswith("L") for kind in kinds)
        marks += count * kinds.count("Mn")
    return marks < RARE_MARKS * letters


def _continuations(tokenizer: tokenizers.Tokenizer, characters: Sequence[str]) -> list[str]:
    """Return "##x" for each character that can stand inside a word; signs and ideographs are words of their own."""

    def joins(character: str) -> bool:
        inside = tokenizer.normalizer.normalize_str(f"a{character}a")
        return len(tokenizer.pre_tokenizer.pre_tokenize_str(inside)) == 1

    return [f"##{character}" for character in characters if joins(character)]


def _byte_level(lines: list[str], size: int) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=MIN_FREQUENCY,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


def _whole(line: str) -> str:
    """Return a line as Unicode text: half of a surrogate pair becomes "?"."""
    return line if line.isascii() else line.encode("utf-8", "replace").decode()
