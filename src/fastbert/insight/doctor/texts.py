"""What looks odd about single texts, whatever the task: too little in them, markup, wrong characters, boilerplate.

Knows nothing of labels. The language of a text is known by its script alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from statistics import median

from fastbert.data.examples import Example
from fastbert.insight.doctor.findings import Finding, FlaggedRow, Severity, by_share, share_phrase
from fastbert.insight.doctor.material import Material
from fastbert.insight.doctor.spelling import CONTROL, LOST, find_mojibake, repair_mojibake

# Choices of ours, of severity only.
ODD_LOOK = 0.02
MARKUP_LOOK = 0.5  # below that it is noise that an encoder reads over
SCRIPT_SHARE = 0.9  # of the texts, for a script to be the usual one
LONG_FACTOR, LONG_CHARACTERS = 20, 5000  # of the median, and at least
COMMON_SHARE = 0.5  # of the texts of a split, that begin or end alike
COMMON_WORDS = 3
_ENTITIES = (
    "amp|lt|gt|quot|apos|nbsp|copy|reg|hellip|[lr][sd]quo|[nm]dash|bull|euro|pound|[a-z](?:uml|acute|grave|circ)"
)
_TAGS = "a|abbr|b|blockquote|body|br|code|div|em|font|h[1-6]|head|hr|html|i|img|li|ol|p|pre|script|span|strong|style"
MARKUP = re.compile(
    rf"</?(?:{_TAGS}|sub|sup|table|tbody|td|th|tr|u|ul)\b[^<>]{{0,300}}>|&(?:{_ENTITIES}|#x?[0-9a-f]{{2,6}});",
    re.IGNORECASE,
)
LINK = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
_KINDS: tuple[tuple[str, str, str], ...] = (
    ("one_character", "hold a single character", "Check that they are texts; remove them if not."),
    ("no_letters", "hold no letter: digits, links or signs alone", "Remove them unless they are to be told apart."),
    ("markup", "hold HTML tags or entities", "Strip them from your texts, the later ones too."),
    ("mojibake", "hold UTF-8 that was read as another encoding, such as 'Ã©'", "Read the source as UTF-8{fix}."),
    ("lost_characters", f"hold the sign for lost characters ({LOST})", "They are lost here: go back to the source."),
    ("control_characters", "hold control or invisible characters", "Remove them{fix}."),
)


def text_findings(material: Material) -> list[Finding]:
    """Return what there is to say of the texts."""
    rows: dict[str, list[FlaggedRow]] = {kind: [] for kind, _, _ in _KINDS}
    for part, index, example in material.examples():
        for kind, detail in dict(reversed(list(_oddities(example)))).items():  # one of each: a pair may have two
            rows[kind].append(part.flag(index, detail))
    total = material.num_examples
    findings = [
        Finding(
            kind,
            _severity(kind, len(rows[kind]), total),
            f"{share_phrase(len(rows[kind]), total)} {what}.",
            advice.format(fix=material.if_fixable(" (--fix puts them right)")),
            rows[kind],
        )
        for kind, what, advice in _KINDS
        if rows[kind]
    ]
    return [*findings, *_other_scripts(material), *_very_long(material), *_alike(material)]


def _severity(kind: str, count: int, total: int) -> Severity:
    return by_share(count, total, look=MARKUP_LOOK if kind == "markup" else ODD_LOOK)


def _oddities(example: Example) -> Iterator[tuple[str, str]]:
    texts = [example.text] if example.pair is None else [example.text, example.pair]
    for text in texts:
        solid = "".join(text.split())
        if len(solid) == 1:
            yield "one_character", repr(solid)
        elif not any(map(str.isalpha, LINK.sub("", text))):
            yield "no_letters", ""
        if "<" in text or "&" in text:
            found = MARKUP.search(text)
            if found:
                yield "markup", found[0][:40]
        if not text.isascii():
            wrong = find_mojibake(text)
            if wrong:
                yield "mojibake", " ".join(wrong[:5])
            if LOST in text:
                yield "lost_characters", f"{text.count(LOST)} of them"
        control = CONTROL.findall(repair_mojibake(text))  # bytes of a character that was read wrongly are none
        if control:
            yield "control_characters", ", ".join(dict.fromkeys(f"U+{ord(sign):04X}" for sign in control[:5]))


# --- all texts against each other -------------------------------------------------------------------


def _other_scripts(material: Material) -> list[Finding]:
    """Report texts in another script than nearly all others."""
    members = [(part, index, script_of(example.text)) for part, index, example in material.examples()]
    counts = Counter(script for _, _, script in members if script)
    usual, count = counts.most_common(1)[0] if counts else ("", 0)
    total = sum(counts.values())
    if count == total or count < SCRIPT_SHARE * total:
        return []
    rows = [part.flag(index, script) for part, index, script in members if script not in ("", usual)]
    return [
        Finding(
            "other_script",
            by_share(len(rows), total, look=ODD_LOOK),
            f"{share_phrase(len(rows), total)} are not written in the {usual.capitalize()} script, as the others are.",
            "If they are of another language, the encoder must know it; remove them where it need not.",
            rows,
        )
    ]


def script_of(text: str) -> str:
    """Return the script of most letters of a text, as Unicode names it; "" if it has no letter.

    >>> script_of("Guten Tag"), script_of("добрый день"), script_of("123")
    ('LATIN', 'CYRILLIC', '')
    """
    if text.isascii():
        return "LATIN" if any(map(str.isalpha, text)) else ""
    counts = Counter(_script(sign) for sign in text if sign.isalpha())
    return counts.most_common(1)[0][0] if counts else ""


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "OTHER").split()[0]
    return "LATIN" if name in ("FEMININE", "MASCULINE", "MICRO", "FULLWIDTH", "MATHEMATICAL") else name


def _very_long(material: Material) -> list[Finding]:
    lengths = [len(example.text) for _, _, example in material.examples()]
    limit = max(LONG_FACTOR * median(lengths), LONG_CHARACTERS) if lengths else 0
    rows = [
        part.flag(index, f"{len(example.text):,} characters")
        for part, index, example in material.examples()
        if len(example.text) > limit
    ]
    if not rows:
        return []
    return [
        Finding(
            "very_long",
            "note",
            f"{share_phrase(len(rows), len(lengths))} are longer than {limit:,.0f} characters; half of all have at "
            f"most {median(lengths):,.0f}.",
            "Check that nothing ran together there, such as rows whose quotes are not closed.",
            rows,
        )
    ]


def _alike(material: Material) -> list[Finding]:
    """Report splits in which most texts begin, or end, with the same words."""
    findings = []
    for split, part in material.parts.items():
        words = [example.text.split() for example in part.examples]
        for kind, where, sequences in (
            ("same_beginning", "begin", words),
            ("same_end", "end", [sequence[::-1] for sequence in words]),
        ):
            common, count = common_words(sequences)
            if common:
                shown = " ".join(common if kind == "same_beginning" else common[::-1])
                findings.append(
                    Finding(
                        kind,
                        "note",
                        f"{share_phrase(count, len(part))} of {split} {where} with the same {len(common)} words: "
                        f"'{shown[:80]}{'...' if len(shown) > 80 else ''}'.",
                        "They say nothing and take room: cut them off, in later texts too.",
                    )
                )
    return findings


def common_words(sequences: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], int]:
    """Return the longest beginning of COMMON_WORDS words or more that most texts share, and how many share it.

    >>> common_words([["dear", "support", "team", "a"], ["dear", "support", "team", "b"], ["x"]])
    (('dear', 'support', 'team'), 2)
    """
    least = max(COMMON_SHARE * len(sequences), 2)
    beginnings = Counter(tuple(sequence[:COMMON_WORDS]) for sequence in sequences if len(sequence) >= COMMON_WORDS)
    begun, count = beginnings.most_common(1)[0] if beginnings else ((), 0)
    if count < least:
        return (), 0
    common = list(begun)
    left = [sequence for sequence in sequences if tuple(sequence[:COMMON_WORDS]) == begun]
    while True:  # word by word: a disclaimer below every mail has hundreds
        longer = [sequence for sequence in left if len(sequence) > len(common)]
        words = Counter(sequence[len(common)] for sequence in longer)
        word, found = words.most_common(1)[0] if words else ("", 0)
        if found < least:
            return tuple(common), count
        left = [sequence for sequence in longer if sequence[len(common)] == word]
        common.append(word)
        count = found
