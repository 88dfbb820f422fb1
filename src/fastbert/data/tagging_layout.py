"""How a file of tagged text is written: which format, which columns or keys, which scheme of tags.

Knows nothing of how that is detected (`tagging_detection`) nor of examples (`tagging`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, Literal, cast, get_args

from fastbert.data.conll import TOKEN_NAMES, plain_name
from fastbert.data.header import ExpectedHeader, Header
from fastbert.data.row_problems import excerpt
from fastbert.errors import DataError

TaggingFormat = Literal["conll", "parallel", "spans", "brat", "token_table"]


@dataclass(frozen=True)
class TaggingLayout:
    """How tagged text is written, and the reasons for it.

    text: column of the tokens (a name or a number), key of the text, or file of the tokens.
    tag: column of the tags, key of the spans, or file of the tags.
    sentence: column of the sentence id of a table of tokens.
    scheme: IOB1, IOB2, BIOES or plain, None for spans.
    reasons: sentences that say what was detected and why.
    named: text or tag of CoNLL are columns that the user named; else they are found anew in another file.
    """

    format: TaggingFormat
    text: str | None
    tag: str | None
    sentence: str | None
    scheme: str | None
    reasons: tuple[str, ...] = ()
    named: bool = False
    kind: ClassVar[str] = "tagging"
    task: ClassVar[str] = "tagging"
    group: ClassVar[None] = None  # documents are known by the file itself

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Return where the running text stands in a table of texts to tag: as in the training file, or `text`."""
        rows_are_texts = self.format == "token_table" and self.sentence is None
        is_text = self.format == "spans" or (rows_are_texts and plain_name(self.text or "") not in TOKEN_NAMES)
        return (self.text if is_text and self.text is not None else "text",)

    def header_of_another(self, given: bool | None, *, lone_texts: bool = False) -> Header:
        """Return how to know the header of a table of texts to tag; arguments as of `Layout.header_of_another`."""
        return bool(given) if given is not None else ExpectedHeader(self.text_columns, lone_texts)

    def to_json(self) -> dict[str, object]:
        """Return a dict of plain JSON values."""
        values: dict[str, object] = {item.name: getattr(self, item.name) for item in fields(self)}
        return {"kind": self.kind, **values, "reasons": list(self.reasons)}

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> TaggingLayout:
        """Return the layout that `to_json` described. Raises DataError if it is damaged."""
        kind, reasons = values.get("format"), values.get("reasons", [])
        if kind not in get_args(TaggingFormat):
            raise _damaged("format", kind, "one of " + ", ".join(get_args(TaggingFormat)))
        if not isinstance(reasons, list) or not all(isinstance(reason, str) for reason in reasons):
            raise _damaged("reasons", reasons, "a list of texts")
        parts = {name: values.get(name) for name in ("text", "tag", "sentence", "scheme")}
        for name, value in parts.items():
            if value is not None and not isinstance(value, str):
                raise _damaged(name, value, "a text or null")
        named = values.get("named", False)
        if not isinstance(named, bool):
            raise _damaged("named", named, "true or false")
        columns = cast(dict[str, str | None], parts)
        return cls(cast(TaggingFormat, kind), **columns, reasons=tuple(reasons), named=named)


def _damaged(name: str, value: object, expected: str) -> DataError:
    return DataError(
        f"The layout has {name} {excerpt(value)}; expected {expected}.", "It was damaged; detect it again."
    )
