"""Records of a text and its labelled spans, as annotation tools export them.

    doccano         {"text": ..., "label": [[0, 5, "PER"]]}, also under "labels" or "entities", and with objects
                    of "start_offset", "end_offset" and "label"
    Prodigy         {"text": ..., "spans": [{"start": 0, "end": 5, "label": "PER"}], "answer": "accept"}
    Label Studio    {"data": {"text": ...}, "annotations": [{"result": [{"value": {...}, "type": "labels"}]}]}, and
                    its minimal form {"text": ..., "label": [{"start": 0, "end": 5, "labels": ["PER"]}]}
    spaCy           ["...", {"entities": [[0, 5, "PER"]]}]

They differ in where text and spans stand and in what the parts of a span are called. Knows nothing of files, nor of
whether a span lies in its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fastbert.data.columns import listed
from fastbert.data.row_problems import excerpt
from fastbert.data.spans import RawSpan, SpanRecord
from fastbert.data.tagging_notes import TaggingNotes
from fastbert.errors import DataError, did_you_mean

TEXT_KEYS = ("text", "data", "sentence", "content")
SPAN_KEYS = ("spans", "entities", "ents", "label", "labels", "annotations")
STUDIO_KEYS = ("annotations", "completions")
REGION_KINDS = ("labels", "hypertextlabels")  # of Label Studio: parts of a text
START_KEYS, END_KEYS = ("start", "start_offset", "begin"), ("end", "end_offset")
LABEL_KEYS = ("label", "labels", "tag", "type")
TEXTLESS = "the record has no text"
SPAN_HINT = (
    'A span is [start, end, "LABEL"], or an object with start, end and label; a text without any has an empty list.'
)


@dataclass(frozen=True)
class SpanKeys:
    """Where text and spans stand. text: None in the pairs of spaCy.    certain: a span was seen."""

    text: str | None
    spans: str
    reason: str
    certain: bool


class UnclearText(DataError):
    """Records surely hold spans, but in which of their texts is not clear."""


class Unreadable(Exception):
    """A record cannot be read. The message says why, `reason` in the same words for all of a kind."""

    def __init__(self, reason: str, what: str | None = None) -> None:
        super().__init__(what or reason)
        self.reason = reason


class LeftOut(Exception):
    """A record is rightly left out. The message says why."""


def detect_keys(values: Iterable[object], text: str | None = None, tag: str | None = None) -> SpanKeys | None:
    """Return where texts and spans stand in the records, None if they hold none.

    text, tag: keys that the user names.
    Raises UnclearText if spans were seen, but none says in which text it is.
    """
    possible: SpanKeys | None = None
    unclear: UnclearText | None = None
    for value in values:
        try:
            found = _keys_of(value, text, tag)
        except UnclearText as error:
            unclear = unclear or error
            continue
        if found is not None and found.certain:
            return found
        possible = possible or found
    if possible is None and unclear is not None:
        raise unclear
    return possible


def read_records(
    values: Iterable[tuple[int, object]], text: str | None, tag: str, notes: TaggingNotes
) -> list[SpanRecord]:
    """Return the records of numbered values; those that cannot be read are left out and noted.

    text, tag: keys of text and spans.
    """
    records: list[SpanRecord] = []
    for number, value in values:
        try:
            found_text, spans = _read(value, text, tag, notes, number)
        except Unreadable as problem:
            if problem.reason == TEXTLESS and not notes.options.labels_required:
                notes.left_out(
                    number, TEXTLESS
                )  # one of many texts to predict; the answers of the others name their row
                continue
            notes.bad(number, problem.reason, SPAN_HINT, what=str(problem))
        except LeftOut as reason:
            notes.left_out(number, str(reason))
        else:
            records.append(SpanRecord(number, found_text, spans, f"{notes.unit} {number}"))
    return records


def _keys_of(value: object, text: str | None, tag: str | None) -> SpanKeys | None:
    if _is_pair(value):
        reason = 'Spans: pairs of a text and {"entities": [...]}, as for spaCy.'
        return SpanKeys(None, "entities", reason, True)
    if not isinstance(value, Mapping):
        return None
    if isinstance(value.get("data"), Mapping):
        return _studio_keys(value, text, tag)
    text_key = text or next((key for key in TEXT_KEYS if isinstance(value.get(key), str)), None)
    if text_key is None:
        return _keys_by_content(value, tag)
    if not isinstance(value.get(text_key), str):
        return None
    empty: SpanKeys | None = None
    for key in (tag,) if tag is not None else SPAN_KEYS:
        spans = value.get(key)
        if isinstance(spans, list | tuple) and all(map(_is_span, spans)):
            certain = any(map(_has_offsets, spans))
            found = SpanKeys(text_key, key, f"Spans: key {excerpt(key)} holds {_shape(spans)}.", certain)
            if spans:
                return found
            if tag is not None or key in ("spans", "entities"):
                empty = empty or found  # another key may have what was marked
    return empty or (_keys_by_content(value, tag) if text is None else None)


def _studio_keys(value: Mapping[str, object], text: str | None, tag: str | None) -> SpanKeys | None:
    """Return the keys of a task of Label Studio, which has no annotations if it is new."""
    studio = next((key for key in STUDIO_KEYS if isinstance(value.get(key), list)), STUDIO_KEYS[0])
    if tag not in (None, studio):
        return None
    results, data = _results(value.get(studio)), value["data"]
    assert isinstance(data, Mapping)
    regions = [result for result in results if _region(result) is not None]
    key = _studio_text_key(data, regions) if text is None else text
    if key in data:
        return SpanKeys(key, studio, "Spans: an export of Label Studio.", bool(regions))
    if not regions:
        return None  # another record may say more
    keys = [name for name in data if isinstance(data[name], str)]
    if text is not None:
        what = f"The data of a record has no key {excerpt(text)}; its texts are {listed(keys)}."
        raise UnclearText(what, did_you_mean(text, keys) or "Name one of them with --text.")
    if len(keys) > 1:
        what = f"The data of a record holds the texts {listed(keys)}; in which the spans are is not clear."
        raise UnclearText(what, "Name its key with --text.")
    return None


def _keys_by_content(value: Mapping[str, object], tag: str | None) -> SpanKeys | None:
    """Return the keys of a record whose spans bring their own text, which one text alone holds."""
    for key in (tag,) if tag is not None else value:
        spans = value.get(key)
        if not isinstance(spans, list | tuple) or not spans:
            continue
        told = _told([span for span in spans if isinstance(span, Mapping) and _first(span, LABEL_KEYS) is not None])
        texts = _keys_of_texts(value, told)
        if len(told) == len(spans) and all(map(_has_offsets, spans)) and len(texts) == 1:
            return SpanKeys(texts[0], key, f"Spans: key {excerpt(key)} holds {_shape(spans)}.", True)
    return None


def _told(spans: Iterable[Mapping[str, object]]) -> list[str]:
    """Return the texts that spans say they cover."""
    return [told for span in spans if isinstance(told := span.get("text"), str)]


def _keys_of_texts(data: Mapping[str, object], told: Iterable[str]) -> list[str]:
    """Return the keys of the texts in which all these texts stand."""
    return [key for key, text in data.items() if isinstance(text, str) and all(part in text for part in told)]


def _is_pair(value: object) -> bool:
    """Return True for the training form of spaCy 2."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return False
    text, annotation = value
    return isinstance(text, str) and isinstance(annotation, Mapping) and "entities" in annotation


def _is_span(value: object) -> bool:
    """Return True for what is meant as a span, be it right or wrong."""
    if isinstance(value, Mapping):
        return any(key in value for key in START_KEYS) and any(key in value for key in END_KEYS)
    if not isinstance(value, list | tuple) or len(value) != 3:
        return False
    return isinstance(value[2], str) and not isinstance(value[0], list | Mapping) and not _is_label_triple(value)


def _has_offsets(value: object) -> bool:
    """Return True for a span whose offsets are numbers."""
    if isinstance(value, Mapping):
        return all(_is_whole(_first(value, keys)) for keys in (START_KEYS, END_KEYS))
    return isinstance(value, list | tuple) and all(map(_is_whole, value[:2]))


def _is_whole(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _is_label_triple(value: Sequence[object]) -> bool:
    return all(isinstance(part, str) and not part.strip().isdigit() for part in value)


def _shape(spans: Sequence[object]) -> str:
    if not spans:
        return "lists of spans"
    first = spans[0]
    return (
        f"objects with {listed([str(key) for key in first], 4)}"
        if isinstance(first, Mapping)
        else '[start, end, "LABEL"]'
    )


def _read(
    value: object, text: str | None, tag: str, notes: TaggingNotes, number: int
) -> tuple[str, tuple[RawSpan, ...] | None]:
    required = notes.options.labels_required
    if isinstance(value, str) and not required:
        return _checked_text(value), None
    if text is None:
        return _read_pair(value, notes)
    if not isinstance(value, Mapping):
        raise Unreadable("the record is no object")
    answer = value.get("answer")
    refused = answer in ("reject", "ignore")
    if required and refused:
        raise LeftOut(f"its answer is '{answer}'")
    if tag in STUDIO_KEYS and isinstance(value.get("data"), Mapping):
        return _read_studio(value, text, tag, notes, number)
    found = _checked_text(value.get(text))
    if notes.options.texts_only:
        return found, None
    if value.get(tag) is None and ("annotation_id" in value or answer == "accept"):
        return found, ()  # Label Studio's minimal export and Prodigy leave the key out where nothing is marked
    if value.get(tag) is None or refused:
        if required:
            raise Unreadable(f"the record has no key {excerpt(tag)}")
        return found, None
    return found, _read_spans(value[tag])


def _read_pair(value: object, notes: TaggingNotes) -> tuple[str, tuple[RawSpan, ...] | None]:
    if not _is_pair(value) or not isinstance(value, list | tuple):
        raise Unreadable("the record is no pair of a text and its entities")
    return _checked_text(value[0]), None if notes.options.texts_only else _read_spans(value[1]["entities"])


def _checked_text(value: object) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise Unreadable(TEXTLESS)
    if not isinstance(value, str):
        raise Unreadable("the text is no text", f"the text is {excerpt(value)}, expected a text")
    _check_encodable(value, "the text")
    return value


def _check_encodable(value: str, what: str) -> None:
    """Raise Unreadable for half of a surrogate pair, which JSON can hold but nothing can print or save."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        reason = f"{what} holds half of a surrogate pair"
        raise Unreadable(reason, f"{reason} at character {error.start}") from error


def _read_spans(values: object) -> tuple[RawSpan, ...]:
    if not isinstance(values, list | tuple):
        raise Unreadable("the spans are no list", f"the spans are {excerpt(values)}, expected a list")
    return tuple(span for value in values for span in _spans_of(value))


def _spans_of(value: object) -> list[RawSpan]:
    """Return a span, or several on one place where it has several labels."""
    if isinstance(value, Mapping):
        start, end = _first(value, START_KEYS), _first(value, END_KEYS)
        labels, told = _first(value, LABEL_KEYS), value.get("text")
    elif isinstance(value, list | tuple) and len(value) == 3:
        start, end, labels = value
        told = None
    else:
        raise Unreadable("a span is not written as one", f"{excerpt(value)} is no span")
    given = labels if isinstance(labels, list | tuple) else [labels]
    names = [name.strip() for name in given if isinstance(name, str) and name.strip()]
    if not names or len(names) < len(given):
        raise Unreadable("a span has no label", f"span {excerpt(value)} has no label")
    for name in names:
        _check_encodable(name, "the label of a span")
    first, last = _offset(start, "start"), _offset(end, "end")
    return [RawSpan(first, last, name, told if isinstance(told, str) else None) for name in names]


def _first(value: Mapping[str, object], keys: Sequence[str]) -> object:
    return next((value[key] for key in keys if value.get(key) is not None), None)


def _offset(value: object, name: str) -> int:
    if isinstance(value, float) and _is_whole(value):
        return int(value)  # pandas writes a column of numbers with gaps so
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unreadable(
            f"the {name} of a span is no whole number", f"{name} of a span is {excerpt(value)}, expected a whole number"
        )
    return value


def _read_studio(
    record: Mapping[str, object], text: str, tag: str, notes: TaggingNotes, number: int
) -> tuple[str, tuple[RawSpan, ...] | None]:
    data = record["data"]
    found = _checked_text(data.get(text) if isinstance(data, Mapping) else None)
    if notes.options.texts_only:
        return found, None
    all_annotations = record.get(tag)
    listed_ones = all_annotations if isinstance(all_annotations, list) else []
    annotations = [one for one in listed_ones if isinstance(one, Mapping) and not one.get("was_cancelled")]
    if not annotations:
        if notes.options.labels_required:
            raise LeftOut("it was not annotated")
        return found, None
    if len(annotations) > 1:
        notes.changed("of several annotations of one text only the first is read", f"row {number}")
    results = _results(annotations[:1])
    regions = [_region(result) for result in results]
    if any(region is None and _is_placed(result) for region, result in zip(regions, results, strict=True)):
        notes.changed("regions of a kind that is not read are left out", f"row {number}")
    return found, _read_spans([region for region in regions if region is not None])


def _results(annotations: object) -> list[Mapping[str, object]]:
    if not isinstance(annotations, list):
        return []
    lists = [one.get("result") for one in annotations if isinstance(one, Mapping)]
    return [result for items in lists if isinstance(items, list) for result in items if isinstance(result, Mapping)]


def _region(result: Mapping[str, object]) -> Mapping[str, object] | None:
    """Return start, end, labels and text of a labelled part of a text, None for another result.

    In a text with markup start and end are paths; its characters are `globalOffsets`.
    """
    value, kind = result.get("value"), str(result.get("type", "labels"))
    if not isinstance(value, Mapping) or kind not in REGION_KINDS or kind not in value:
        return None
    places = value.get("globalOffsets")
    return {**value, **(places if isinstance(places, Mapping) else {}), "labels": value[kind]}


def _is_placed(result: Mapping[str, object]) -> bool:
    value = result.get("value")
    return isinstance(value, Mapping) and "start" in value and "end" in value


def _studio_text_key(data: Mapping[str, object], regions: Sequence[Mapping[str, object]]) -> str | None:
    """Return the key of the text in which the regions are, None if that is not clear.

    Their own texts tell it, else the usual name, else the name of what was labelled.
    """
    told = _told(value for region in regions if isinstance(value := region["value"], Mapping))
    texts = _keys_of_texts(data, told) or _keys_of_texts(data, ())
    if len(texts) == 1:
        return texts[0]
    named = {region.get("to_name") for region in regions}
    return next((key for key in texts if key == "text" or named == {key}), None)
