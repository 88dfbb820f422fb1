"""Sentences of tokens as examples."""

from __future__ import annotations

import pytest

from fastbert.data.examples import Entity, TaggedExample
from fastbert.data.tagged_sentences import Sentence, find_scheme, sentences_to_examples
from fastbert.data.tagging_notes import ReadOptions
from fastbert.errors import DataError
from tests.data.tagged import notes


def sentence(tokens: str, tags: str | None, row: int = 1) -> Sentence:
    words = tuple(tokens.split())
    return Sentence(words, None if tags is None else tuple(tags.split()), tuple(range(row, row + len(words))))


def test_a_sentence_is_its_tokens_between_blanks() -> None:
    examples = sentences_to_examples([sentence("fly to New York", "O O B-LOC I-LOC", 7)], notes())

    words = ((0, 3), (4, 6), (7, 10), (11, 15))
    assert examples == [TaggedExample("fly to New York", (Entity(7, 15, "LOC"),), words, "train.conll, line 7", row=7)]


def test_words_are_found_in_a_text_that_is_known() -> None:
    known = Sentence(("a", "a"), ("O", "B-X"), (1, 1), text=" a  a ")

    assert sentences_to_examples([known], notes()) == [
        TaggedExample(" a  a ", (Entity(4, 5, "X"),), ((1, 2), (4, 5)), "train.conll, line 1", row=1)
    ]


def test_a_sentence_without_tags_is_to_be_predicted() -> None:
    assert sentences_to_examples([sentence("a", None)], notes())[0].entities is None


def test_repairs_are_counted_with_their_places() -> None:
    noted = notes()
    rows = [sentence("a b", "B-P O", 1), sentence("a b", "B-P I-P", 4), sentence("a b", "O I-P", 7)]

    examples = sentences_to_examples(rows, noted)

    assert examples[2].entities == (Entity(2, 3, "P"),)
    assert noted.report(examples).warnings == (
        "train.conll: a tag that continues no entity is read as the beginning of one, once (line 8 'I-P').",
    )


def test_an_entity_that_is_not_ended_is_counted() -> None:
    noted = notes()

    examples = sentences_to_examples([sentence("a b c", "B-P O S-P")], noted)

    assert noted.report(examples).warnings == (
        "train.conll: an entity without its last tag (E-, S-) is read as ending before the next tag,"
        " once (line 1 'B-P').",
    )


def test_a_tag_without_prefix_among_others_is_an_error() -> None:
    noted = notes()
    examples = sentences_to_examples([sentence("a b", "B-P O"), sentence("c d", "O PER", 4)], noted)

    with pytest.raises(DataError) as caught:
        noted.report(examples)

    assert str(caught.value).startswith(
        "train.conll, line 5: tag 'PER' is neither O nor a prefix with a label, such as B-PER, as the other tags are.\n"
        "  Each tag is O, or a prefix and a label: B-PER on the first word"
    )


def test_parts_of_speech_are_no_entities() -> None:
    with pytest.raises(DataError) as caught:
        find_scheme([sentence("a b", "NOUN VERB")], "train.conll")

    assert str(caught.value).startswith(
        "train.conll: the tags ('NOUN', 'VERB', ...) mark no entities; expected prefixes such as B- and I-."
    )


def test_tags_that_mark_no_entities_are_not_needed_to_predict() -> None:
    noted = notes(options=ReadOptions(labels_required=False))

    examples = sentences_to_examples([sentence("a b", "NOUN VERB")], noted)

    assert examples[0].entities is None
    assert noted.report(examples).warnings == (
        "train.conll: its last column holds no tags of entities and is not used.",
    )


def test_each_file_is_read_by_its_own_scheme() -> None:
    noted = notes(name="dev.conll")

    examples = sentences_to_examples([sentence("a b c", "I-P B-P O")], noted, "IOB2")

    assert examples[0].entities == (Entity(0, 1, "P"), Entity(2, 3, "P"))
    assert noted.report(examples).warnings == (
        "dev.conll: its tags are IOB1 (entities begin with I-, and B- divides neighbours),"
        " those of the training file IOB2.",
    )


def test_plain_tags_are_said_to_be_plain() -> None:
    noted = notes()

    examples = sentences_to_examples([sentence("a b c", "P P O")], noted, "plain")

    assert examples[0].entities == (Entity(0, 3, "P"),)
    assert "no tag has a prefix" in noted.report(examples).warnings[0]


def test_a_short_file_of_plain_tags_is_read_as_the_training_file_was() -> None:
    """Nearly all of its words are entities: alone it could be parts of speech."""
    rows = [sentence("a b c", "PER PER LOC")]

    examples = sentences_to_examples(rows, notes(), "plain")

    assert examples[0].entities == (Entity(0, 3, "PER"), Entity(4, 5, "LOC"))
    with pytest.raises(DataError, match="mark no entities"):
        sentences_to_examples(rows, notes(), "IOB2")


def test_a_broken_sentence_gives_no_example_but_tells_the_scheme() -> None:
    broken = Sentence(("a",), ("B-P",), (1, 2), is_broken=True)

    examples = sentences_to_examples([broken, sentence("b c", "P O", 4), sentence("d", "B-P", 7)], notes())

    assert [example.text for example in examples] == ["d"]
