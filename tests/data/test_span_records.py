"""Records of annotation tools: each is known by its keys, and gives the same spans."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from fastbert.data.examples import TaggedExample
from fastbert.data.span_records import UnclearText, detect_keys, read_records
from fastbert.data.spans import RawSpan, SpanRecord
from fastbert.data.tagging_notes import ReadOptions
from fastbert.errors import DataError
from tests.data.tagged import notes

TEXT = "Fly to Berlin"
VALUE = {"start": 7, "end": 13, "text": "Berlin", "labels": ["LOC"]}
STUDIO = {"data": {"text": TEXT}, "annotations": [{"result": [{"value": VALUE, "type": "labels"}]}]}
DOCCANO = {"text": TEXT, "label": [[7, 13, "LOC"]]}


def read(*values: object, required: bool = True, skip: bool = False) -> list[SpanRecord]:
    """Return the records of values, by the keys that are found in them."""
    keys = detect_keys(values)
    assert keys is not None
    noted = notes(unit="row", name="a.jsonl", options=ReadOptions(labels_required=required, skip=skip))
    records = read_records(enumerate(values, start=1), keys.text, keys.spans, noted)
    noted.report([TaggedExample("a")])
    return records


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (DOCCANO, "Spans: key 'label' holds [start, end, \"LABEL\"]."),
        ({"data": TEXT, "labels": [[7, 13, "LOC"]]}, "Spans: key 'labels' holds [start, end, \"LABEL\"]."),
        ({"text": TEXT, "entities": [(7, 13, "LOC")]}, "Spans: key 'entities' holds [start, end, \"LABEL\"]."),
        (
            {"text": TEXT, "entities": [{"id": 1, "start_offset": 7, "end_offset": 13, "label": "LOC"}]},
            "Spans: key 'entities' holds objects with 'id', 'start_offset', 'end_offset', 'label'.",
        ),
        (
            {"text": TEXT, "spans": [{"start": 7, "end": 13, "label": "LOC"}], "tokens": [{"start": 0, "end": 3}]},
            "Spans: key 'spans' holds objects with 'start', 'end', 'label'.",
        ),
        ({"text": TEXT, "ner": [VALUE]}, "Spans: key 'ner' holds objects with 'start', 'end', 'text', 'labels'."),
        ({"text": TEXT, "label": [VALUE]}, "Spans: key 'label' holds objects with 'start', 'end', 'text', 'labels'."),
        (STUDIO, "Spans: an export of Label Studio."),
        ({**STUDIO, "data": {"ner": TEXT}}, "Spans: an export of Label Studio."),
        ((TEXT, {"entities": [(7, 13, "LOC")]}), 'Spans: pairs of a text and {"entities": [...]}, as for spaCy.'),
    ],
)
def test_every_tool_gives_the_same_span(value: Mapping[str, object], reason: str) -> None:
    keys = detect_keys([value])

    (record,) = read(value)

    assert keys is not None
    assert (keys.reason, keys.certain) == (reason, True)
    assert [(span.start, span.end, span.label) for span in record.spans or ()] == [(7, 13, "LOC")]
    assert (record.text, record.place) == (TEXT, "row 1")


def test_the_text_of_a_span_is_kept() -> None:
    assert read(STUDIO)[0].spans == (RawSpan(7, 13, "LOC", "Berlin"),)


@pytest.mark.parametrize(
    "value",
    [
        {"text": "a", "label": "x"},
        {"text": "a", "label": ["x", "y", "z"]},
        {"text": "a", "label": [["a", "b", "c"]]},
        {"text": "a", "label": []},
        {"data": [{"title": "a", "paragraphs": []}]},
        {"data": {"text": "a"}, "annotations": [{"result": [{"value": {"choices": ["x"]}, "type": "choices"}]}]},
        ["a", "b"],
        "text",
        3,
    ],
)
def test_other_records_are_surely_none_with_spans(value: object) -> None:
    keys = detect_keys([value])

    assert keys is None or not keys.certain


def test_spans_are_found_behind_records_without_any() -> None:
    keys = detect_keys([{"text": "a", "label": []}, DOCCANO])

    assert keys is not None
    assert keys.spans == "label"


def test_keys_may_be_named() -> None:
    keys = detect_keys([{"text": "b", "body": "a", "marks": [[0, 1, "X"]]}], "body", "marks")

    assert keys is not None
    assert (keys.text, keys.spans) == ("body", "marks")


@pytest.mark.parametrize("answer", ["reject", "ignore"])
def test_refused_records_are_left_out_and_counted(answer: str) -> None:
    spans = [{"start": 0, "end": 1, "label": "X"}]
    values = [{"text": "a", "spans": spans, "answer": "accept"}, {"text": "b", "spans": spans, "answer": answer}]
    noted = notes()

    records = read_records(enumerate(values, start=1), "text", "spans", noted)

    assert [record.text for record in records] == ["a"]
    assert noted.report([TaggedExample("a")]).skipped[0].describe() == f"its answer is '{answer}' (row 2)"


def test_texts_that_were_not_annotated_are_left_out() -> None:
    cancelled = {"data": {"text": "b"}, "annotations": [{"was_cancelled": True, "result": []}]}

    assert [record.row for record in read(STUDIO, {"data": {"text": "a"}, "annotations": []}, cancelled)] == [1]


def test_only_the_first_of_several_annotations_is_read_and_that_is_said() -> None:
    noted = notes(unit="row", name="a.json")
    twice = {"data": {"text": TEXT}, "annotations": [{"result": []}, {"result": [{"value": VALUE}]}]}

    assert read_records([(1, twice)], "text", "annotations", noted)[0].spans == ()
    assert "of several annotations of one text only the first is read" in noted.report([TaggedExample("a")]).warnings[0]


def test_regions_of_a_text_with_markup_stand_at_their_global_offsets() -> None:
    value = {
        "start": "/div[1]/text()[1]",
        "end": "/div[1]/text()[1]",
        "startOffset": 1,
        "endOffset": 2,
        "globalOffsets": {"start": 7, "end": 13},
        "text": "Berlin",
        "hypertextlabels": ["LOC"],
    }
    region = {"value": value, "type": "hypertextlabels"}

    assert read({**STUDIO, "annotations": [{"result": [region]}]})[0].spans == (RawSpan(7, 13, "LOC", "Berlin"),)


def test_regions_that_are_not_read_are_noted() -> None:
    """Without a word their text was learned as one without entities."""
    other = {"value": {"start": 0, "end": 3, "paragraphlabels": ["LOC"]}, "type": "paragraphlabels"}
    choice = {"value": {"choices": ["good"]}, "type": "choices"}
    known = {"value": VALUE, "type": "labels"}
    noted = notes(unit="row", name="tasks.json")
    values = [{**STUDIO, "annotations": [{"result": results}]} for results in ([other, known], [choice, known])]

    records = read_records(enumerate(values, start=1), "text", "annotations", noted)

    assert [len(record.spans or ()) for record in records] == [1, 1]
    (warning,) = noted.report([TaggedExample("a")]).warnings
    assert (
        "regions of a kind that is not read are left out" in warning and "row 1" in warning and "row 2" not in warning
    )


def studio(data: dict[str, object], **region: object) -> dict[str, object]:
    """Return a task of Label Studio with one region."""
    return {"data": data, "annotations": [{"result": [{"type": "labels", "value": VALUE, **region}]}]}


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (studio({"title": "Trains", "review": TEXT}), "review"),
        (studio({"text": "Trains", "review": TEXT}), "review"),
        (studio({"text": TEXT, "review": TEXT}), "text"),
        (studio({"title": TEXT, "review": TEXT}, to_name="review"), "review"),
        (studio({"title": "Rome", "review": "Trains"}, to_name="review"), "review"),
        (studio({"review": "x\\nBerlin", "id": 3}), "review"),
        ({"title": "Trains", "review": TEXT, "ner": [VALUE], "annotation_id": 3}, "review"),
    ],
)
def test_the_text_is_that_in_which_the_spans_are(value: Mapping[str, object], key: str) -> None:
    found = detect_keys([{"data": {"title": "a", "review": "b"}, "annotations": []}, value])

    assert found is not None
    assert (found.text, found.certain) == (key, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            None,
            "The data of a record holds the texts 'title', 'review'; in which the spans are is not clear."
            "\n  Name its key with --text.",
        ),
        (
            "reveiw",
            "The data of a record has no key 'reveiw'; its texts are 'title', 'review'.\n  Did you mean 'review'?",
        ),
    ],
)
def test_it_is_asked_where_no_text_is_clearly_meant(text: str | None, message: str) -> None:
    with pytest.raises(UnclearText) as caught:
        detect_keys([studio({"title": TEXT, "review": TEXT})], text)

    assert str(caught.value) == message


def test_spans_that_stand_in_several_texts_or_in_none_are_no_spans_of_a_record() -> None:
    assert detect_keys([{"a": TEXT, "b": TEXT, "ner": [VALUE]}]) is None
    assert detect_keys([{"a": "x", "ner": [VALUE]}, {"a": TEXT, "ner": []}]) is None
    assert detect_keys([{"a": TEXT, "tokens": [{"start": 7, "end": 13, "text": "Berlin"}]}]) is None


def test_a_span_with_several_labels_is_several_spans() -> None:
    value = {"text": TEXT, "label": [{"start": 0, "end": 3, "labels": ["A", "B"]}]}

    assert [span.label for span in read(value)[0].spans or ()] == ["A", "B"]


def test_the_minimal_export_leaves_the_key_out_where_nothing_is_marked() -> None:
    assert read({"text": TEXT, "label": [VALUE]}, {"text": "a", "annotation_id": 2})[1].spans == ()


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ({"text": "a"}, "the record has no key 'label'"),
        ({"text": "a", "label": None}, "the record has no key 'label'"),
        ({"text": "a", "label": "x"}, "the spans are 'x', expected a list"),
        ({"text": " ", "label": []}, "the record has no text"),
        ({"text": 3, "label": []}, "the text is '3', expected a text"),
        ({"text": "a\ud83d", "label": []}, "the text holds half of a surrogate pair at character 1"),
        (
            {"text": "a", "label": [[0, 1, "x\ud83d"]]},
            "the label of a span holds half of a surrogate pair at character 1",
        ),
        ({"text": "a", "label": [["0", 1, "X"]]}, "start of a span is '0', expected a whole number"),
        ({"text": "a", "label": [[0, 1.5, "X"]]}, "end of a span is '1.5', expected a whole number"),
        ({"text": "a", "label": [[True, 1, "X"]]}, "start of a span is 'True', expected a whole number"),
        ({"text": "a", "label": [{"start": 0, "label": "X"}]}, "end of a span is 'None', expected a whole number"),
        ({"text": "a", "label": [[0, 1]]}, "'[0, 1]' is no span"),
        ({"text": "a", "label": [[0, 1, None]]}, "span '[0, 1, None]' has no label"),
        ("text", "the record is no object"),
        (None, "the record is no object"),
    ],
)
def test_a_bad_record_is_reported(value: object, what: str) -> None:
    with pytest.raises(DataError) as caught:
        read(DOCCANO, value)

    assert str(caught.value).splitlines()[0] == f"a.jsonl, row 2: {what}."


def test_a_bad_pair_is_reported() -> None:
    with pytest.raises(DataError, match="row 2: the record is no pair of a text and its entities"):
        read(("a", {"entities": []}), {"text": "a"})


def test_bad_records_are_left_out_if_the_user_says_so() -> None:
    assert [record.row for record in read(DOCCANO, {"text": ""}, {"text": "a", "label": []}, skip=True)] == [1, 3]


def test_an_empty_list_does_not_hide_the_spans_of_another_key() -> None:
    assert read({"text": TEXT, "entities": [], "spans": [], "label": [[7, 13, "LOC"]]})[0].spans == (
        RawSpan(7, 13, "LOC"),
    )


def test_an_accepted_text_without_spans_has_none() -> None:
    """Prodigy leaves the key out where the annotator marked nothing."""
    spans = [{"start": 7, "end": 13, "label": "LOC"}]
    records = read({"text": TEXT, "spans": spans, "answer": "accept"}, {"text": "a", "answer": "accept"})

    assert [record.spans for record in records] == [(RawSpan(7, 13, "LOC"),), ()]


def test_whole_numbers_may_be_written_with_a_point() -> None:
    record = {"text": TEXT, "label": [[7.0, 13.0, "LOC"]]}
    keys = detect_keys([record])

    assert keys is not None and keys.certain
    assert read(record)[0].spans == (RawSpan(7, 13, "LOC"),)


def test_a_text_to_predict_may_be_empty() -> None:
    noted = notes(unit="row", name="a.jsonl", options=ReadOptions(labels_required=False))

    records = read_records(enumerate([{"text": " "}, {"text": "a"}, {"text": None}], start=1), "text", "label", noted)

    assert [record.row for record in records] == [2]
    assert noted.report([TaggedExample("a")]).sentences() == [
        "2 of 3 rows of a.jsonl left out: the record has no text (rows 1, 3)."
    ]


def test_texts_to_predict_need_no_spans() -> None:
    records = read(DOCCANO, {"text": "a"}, "b", required=False)

    assert [(record.text, record.spans) for record in records[1:]] == [("a", None), ("b", None)]
