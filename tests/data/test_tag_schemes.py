"""Tags and entities: every scheme is recognised and read, wrong sequences as conlleval reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.examples import Entity, TaggedExample
from fastbert.data.tag_schemes import (
    Scheme,
    Tag,
    decode_tags,
    detect_scheme,
    entities_to_tags,
    is_tag,
    split_tag,
    tags_to_entities,
)
from tests.data.tagged import sentences, tags_of, word_ranges

LONE = "continues nothing"


def decoded(tags: str, scheme: Scheme = "IOB2") -> tuple[list[tuple[int, int, str]], list[tuple[int, str]]]:
    return decode_tags([split_tag(tag) for tag in tags.split()], scheme)


@pytest.mark.parametrize(
    ("tag", "read"),
    [
        ("O", ("O", "")),
        ("B-PER", ("B", "PER")),
        ("B_PER", ("B", "PER")),
        ("M-PER", ("I", "PER")),
        ("L-PER", ("E", "PER")),
        ("U-PER", ("S", "PER")),
        ("W-work-of-art", ("S", "work-of-art")),
        ("I", ("I", "")),
        ("NOUN", ("", "NOUN")),
        ("B-", ("", "B-")),
        ("", ("", "")),
    ],
)
def test_a_tag_is_a_role_and_a_label(tag: str, read: tuple[str, str]) -> None:
    assert split_tag(tag) == Tag(*read)


def test_only_o_and_a_prefix_with_a_label_are_surely_tags() -> None:
    assert [is_tag(value) for value in ("O", "B-PER", "B", "NOUN", "")] == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("tags", "scheme", "reason"),
    [
        ("B-PER I-PER O", "IOB2", "entities begin with B-"),
        ("B-PER I-PER O B-PER O I-LOC", "IOB2", "most entities begin with B-"),
        ("I-PER I-PER B-PER O I-LOC", "IOB1", "entities begin with I-, and B- divides neighbours"),
        ("I-PER O I-PER O B-LOC", "IOB1", "entities begin with I-, and B- is rare"),
        ("I-PER I-PER O", "IOB1", "there are only I- tags"),
        ("B-PER E-PER O S-LOC", "BIOES", "there are tags with E- and S-"),
        ("B-PER L-PER O", "BIOES", "there are tags with L-"),
        ("B-PER M-PER E-PER W-LOC", "BIOES", "there are tags with E- and M- and W-"),
        ("O O", "IOB2", "no word is in an entity"),
        (
            "PER PER O LOC",
            "plain",
            "no tag has a prefix such as B- or I-; neighbours with the same tag are read as one entity",
        ),
        (
            "B I O B",
            "IOB2",
            "entities begin with B-, and as they are letters alone, each entity has the label ENTITY",
        ),
    ],
)
def test_the_scheme_is_found_with_its_reason(tags: str, scheme: str, reason: str) -> None:
    finding = detect_scheme([tags.split()])

    assert finding is not None
    assert (finding.scheme, finding.reason) == (scheme, reason)


def test_the_scheme_is_that_of_all_sentences() -> None:
    finding = detect_scheme([["I-PER", "O"], *[["B-PER", "I-PER"]] * 3])

    assert finding is not None
    assert finding.scheme == "IOB2"


@pytest.mark.parametrize(
    "tags", ["NOUN VERB NOUN", "N V O N V N V N V", "PER-B PER-I O O", "b-per i-per O O", "B:PER I:PER O O"]
)
def test_what_marks_no_entities_has_no_scheme(tags: str) -> None:
    assert detect_scheme([tags.split()]) is None


@pytest.mark.parametrize(
    ("tags", "scheme", "spans", "repairs"),
    [
        ("B-P I-P B-P O", "IOB2", [(0, 2, "P"), (2, 3, "P")], []),
        ("I-P O", "IOB2", [(0, 1, "P")], [(0, "continues nothing")]),
        ("B-P I-L", "IOB2", [(0, 1, "P"), (1, 2, "L")], [(1, "continues nothing")]),
        ("I-P I-L B-L I-P", "IOB1", [(0, 1, "P"), (1, 2, "L"), (2, 3, "L"), (3, 4, "P")], []),
        ("B-P I-P E-P S-L", "BIOES", [(0, 3, "P"), (3, 4, "L")], []),
        ("B-P O", "BIOES", [(0, 1, "P")], [(0, "is not ended")]),
        ("E-P I-P", "BIOES", [(0, 1, "P"), (1, 2, "P")], [(0, LONE), (1, LONE), (1, "is not ended")]),
        ("B-P S-P", "BIOES", [(0, 1, "P"), (1, 2, "P")], [(0, "is not ended")]),
    ],
)  # fmt: skip
def test_wrong_sequences_are_read_as_conlleval_reads_them(
    tags: str, scheme: Scheme, spans: list[tuple[int, int, str]], repairs: list[tuple[int, str]]
) -> None:
    """Start and end of a chunk as in `conlleval.pl` of CoNLL-2000, worked out by hand."""
    assert decoded(tags, scheme) == (spans, repairs)


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "BIOES"])
@given(example=sentences())
def test_entities_survive_the_way_through_tags(scheme: Scheme, example: TaggedExample) -> None:
    tags = tags_of(example, scheme)

    assert tuple(tags_to_entities(example.words or (), tags, scheme)) == example.entities


@given(example=sentences(adjacent=False))
def test_plain_tags_keep_entities_that_do_not_touch_their_like(example: TaggedExample) -> None:
    assert tuple(tags_to_entities(example.words or (), tags_of(example, "plain"), "plain")) == example.entities


@given(tags=st.lists(st.sampled_from(["O", "B-P", "I-P", "E-P", "S-P", "B-L", "I-L", "E-L", "S-L"]), max_size=12))
def test_any_tags_give_entities_that_do_not_overlap(tags: list[str]) -> None:
    words = word_ranges(["x"] * len(tags))

    entities = tags_to_entities(words, tags, "BIOES")

    assert all(one.end <= other.start for one, other in zip(entities, entities[1:], strict=False))
    assert sum((entity.end - entity.start + 1) // 2 for entity in entities) == len(tags) - tags.count("O")


@given(example=sentences())
def test_the_scheme_of_written_tags_reads_the_same_entities(example: TaggedExample) -> None:
    tags = tags_of(example, "IOB1")
    finding = detect_scheme([tags])

    assert finding is not None
    assert tuple(tags_to_entities(example.words or (), tags, finding.scheme)) == example.entities


def test_an_entity_that_cuts_a_word_has_no_tags() -> None:
    with pytest.raises(ValueError, match=r"entity 0-2 \(PER\) does not begin and end with words"):
        entities_to_tags([(0, 5)], [Entity(0, 2, "PER")])


def test_a_tag_of_no_scheme_gives_no_entities() -> None:
    with pytest.raises(ValueError, match="tag 'NOUN' has no prefix and label"):
        tags_to_entities([(0, 5)], ["NOUN"])
