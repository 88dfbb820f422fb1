"""Characters that are not what somebody wrote: UTF-8 that was read as cp1252, control characters, lost characters.

Finds them and puts right what can be put right for certain. Knows nothing of rows.
"""

from __future__ import annotations

import re
import unicodedata

LOST = "\ufffd"
# No tab, line feed or return; the zero-width joiners are part of emoji and of Indian and Persian words.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\u200b\u2028\u2029\u202a-\u202e\u2060\ufeff]")
# What cp1252 makes of the bytes 0x80 to 0xBF; the five that it does not define stay as they are (as browsers read it).
_TRAILING = "".join(
    bytes([byte]).decode("cp1252") if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(byte)
    for byte in range(0x80, 0xC0)
)
_TAIL = f"[\x80-\xbf{re.escape(_TRAILING)}]"
# Lead bytes of what people write: Latin, Greek and Cyrillic letters, signs, scripts of Asia, emoji.
_SEQUENCE = re.compile(f"[\xc2-\xc5\xce-\xd1]{_TAIL}|[\xe0-\xef]{_TAIL}{{2}}|[\xf0]{_TAIL}{{3}}")
# Categories of signs that leave no mark on paper: blanks, control and format characters.
_UNSEEN = frozenset(["Cc", "Cf", "Zl", "Zp", "Zs"])
_ROUNDS = 3  # text may have been read wrongly more than once


def find_mojibake(text: str) -> list[str]:
    r"""Return the places in a text that are UTF-8 read as cp1252.

    >>> find_mojibake("cafÃ© and donâ€™t"), find_mojibake("café, garçon, São Paulo, Ångström, 5 €")
    (['Ã©', 'â€™'], [])
    """
    found = [places for places in _SEQUENCE.findall(text) if _decoded(places) is not None]
    return [] if all(_may_be_meant(places) for places in found) else found


def repair_mojibake(text: str) -> str:
    """Return a text with these places as they were written.

    >>> repair_mojibake("cafÃ©, donâ€™t"), repair_mojibake("cafÃƒÂ©"), repair_mojibake("café")
    ('café, don’t', 'café', 'café')
    """
    for _ in range(_ROUNDS):
        if text.isascii() or not find_mojibake(text):
            break
        text = _SEQUENCE.sub(lambda match: _decoded(match[0]) or match[0], text)
    return text


def repair(text: str) -> str:
    r"""Return a text without control characters, mojibake, and white space at its ends.

    Control characters 0x80 to 0x9F are signs of cp1252 that were read as latin-1.

    >>> repair(" na\u200bÃ¯ve\x07 "), repair("so\x96so")
    ('naïve', 'so–so')
    """
    return CONTROL.sub(_replacement, repair_mojibake(text)).strip()


def is_blank(text: str) -> bool:
    r"""Return True for a text in which nothing is left to see once it is put right.

    >>> is_blank("\u200b \u200d"), is_blank("\x85"), is_blank("\u200b!")
    (True, True, False)
    """
    if text[:1].isascii() and text[:1].isalnum():  # nearly every text, and no repair takes such a sign away
        return False
    return all(unicodedata.category(sign) in _UNSEEN for sign in repair(text))


def _replacement(match: re.Match[str]) -> str:
    sign = match[0]
    if not "\x80" <= sign <= "\x9f":
        return ""
    return bytes([ord(sign)]).decode("cp1252", "ignore")


def _may_be_meant(places: str) -> bool:
    """Return True for a capital letter before a quotation mark, which alone proves nothing."""
    return len(places) == 2 and places[0] not in "ÂÃ" and places[1] in "‘’“”‚„‹›«»…"


def _decoded(places: str) -> str | None:
    """Return the one character that the bytes of a place are, None if they are none."""
    data = bytes(ord(sign) if ord(sign) < 256 else sign.encode("cp1252")[0] for sign in places)
    try:
        found = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if CONTROL.match(found) and found != "\ufeff" and found != "\u200b" else found
