"""Sentences of tokens and tags as examples: the common end of all formats that come in tokens.

Knows nothing of files or columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from fastbert.data.examples import Entity, Range, TaggedExample
from fastbert.data.row_problems import excerpt
from fastbert.data.tag_schemes import Scheme, SchemeFinding, Tag, decode_tags, detect_scheme
from fastbert.data.tagging_notes import TaggingNotes
from fastbert.errors import DataError

PREFIX_HINT = (
    "Each tag is O, or a prefix and a label: B-PER on the first word of an entity, I-PER on the next ones."
    " If the tags stand in another column, name it with --label."
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """The tokens of one sentence. tags: None where the file has none.    rows: the place of each token.

    text: the sentence as it is written, where that is known; tokens stand in it in order.
    is_broken: it cannot be read and gives no example; its tags still tell the scheme of the file.
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...] | None
    rows: tuple[int, ...]
    group: str | None = None
    text: str | None = None
    is_broken: bool = False


def find_scheme(sentences: Sequence[Sentence], name: str, *, plain: bool = False) -> SchemeFinding:
    """Return the scheme of the tags of a file. Raises DataError if they are none that mark entities.

    plain: see `detect_scheme`.
    """
    finding = detect_scheme((sentence.tags for sentence in sentences if sentence.tags is not None), plain=plain)
    if finding is None:
        seen = sorted({tag for sentence in sentences[:1000] for tag in sentence.tags or ()})[:3]
        shown = ", ".join(map(excerpt, seen))
        raise DataError(
            f"{name}: the tags ({shown}, ...) mark no entities; expected prefixes such as B- and I-.", PREFIX_HINT
        )
    return finding


def sentences_to_examples(
    sentences: Sequence[Sentence], notes: TaggingNotes, expected: str | None = None
) -> list[TaggedExample]:
    """Return the examples of sentences; those that cannot be read are left out and noted.

    expected: scheme of the training file. Each file is read by its own; another one is only mentioned.
    """
    finding = _scheme_of_file(sentences, notes, expected)
    examples: list[TaggedExample] = []
    for sentence in sentences:
        if sentence.is_broken:
            continue
        text, words = _text_of(sentence)
        where = notes.at(sentence.rows[0])
        if sentence.tags is None or finding is None:
            examples.append(TaggedExample(text, None, words, where, sentence.group, row=sentence.rows[0]))
            continue
        tags = _read_tags(sentence, finding, notes)
        if tags is not None:
            entities = _entities(sentence, tags, words, finding.scheme, notes)
            examples.append(TaggedExample(text, entities, words, where, sentence.group, row=sentence.rows[0]))
    return examples


def _scheme_of_file(sentences: Sequence[Sentence], notes: TaggingNotes, expected: str | None) -> SchemeFinding | None:
    tagged = [sentence for sentence in sentences if sentence.tags is not None]
    if not tagged or notes.options.texts_only:
        return None
    plain = expected == "plain"
    known = notes.options.labels_required or detect_scheme((one.tags or () for one in tagged), plain=plain) is not None
    if not known:
        notes.say(f"{notes.name}: its last column holds no tags of entities and is not used.")
        return None
    finding = find_scheme(tagged, notes.name, plain=plain)
    marked = any(tag != "O" for sentence in tagged for tag in sentence.tags or ())
    if marked and expected in get_args(Scheme) and finding.scheme != expected:
        notes.say(
            f"{notes.name}: its tags are {finding.scheme} ({finding.reason}), those of the training file {expected}."
        )
    elif finding.scheme == "plain":
        notes.say(f"{notes.name}: {finding.reason}.")
    return finding


def _read_tags(sentence: Sentence, finding: SchemeFinding, notes: TaggingNotes) -> list[Tag] | None:
    read = [finding.read(tag) for tag in sentence.tags or ()]
    tags = [tag for tag in read if tag is not None]
    if len(tags) == len(read):
        return tags
    index = read.index(None)
    wrong = excerpt((sentence.tags or ())[index])
    what = f"tag {wrong} is neither O nor a prefix with a label, such as B-PER, as the other tags are"
    notes.bad(sentence.rows[index], "a tag is neither O nor a prefix with a label", PREFIX_HINT, what=what)
    return None


def _entities(
    sentence: Sentence, tags: list[Tag], words: tuple[Range, ...], scheme: Scheme, notes: TaggingNotes
) -> tuple[Entity, ...]:
    decoded = decode_tags(tags, scheme)
    for index, what in decoded.repairs:
        place = f"{notes.unit} {sentence.rows[index]} {excerpt((sentence.tags or ())[index])}"
        notes.changed(_REPAIRS[what], place)
    for start, _, label in decoded.spans:
        notes.check_label(sentence.rows[start], label)
    return tuple(Entity(words[start][0], words[end - 1][1], label) for start, end, label in decoded.spans)


_REPAIRS = {
    "continues nothing": "a tag that continues no entity is read as the beginning of one",
    "is not ended": "an entity without its last tag (E-, S-) is read as ending before the next tag",
}


def _text_of(sentence: Sentence) -> tuple[str, tuple[Range, ...]]:
    """Return the text and where its tokens are: between single blanks unless the text is known."""
    words: list[Range] = []
    if sentence.text is None:
        position = 0
        for token in sentence.tokens:
            words.append((position, position + len(token)))
            position += len(token) + 1
        return " ".join(sentence.tokens), tuple(words)
    end = 0
    for token in sentence.tokens:
        start = sentence.text.index(token, end)
        end = start + len(token)
        words.append((start, end))
    return sentence.text, tuple(words)
