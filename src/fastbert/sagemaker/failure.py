"""Why a job failed, for people: the cause, what to do, and then where in the code it happened.

SageMaker shows the first 1024 characters of the failure file. No text of a user is in it: of errors that FastBert did
not raise on purpose only the kind is told, never the message. Quoted parts of texts, tokens and answers, and quoted
cells of several words, are left out.
"""

from __future__ import annotations

import contextlib
import re
import traceback
from collections.abc import Iterable
from pathlib import Path

from fastbert.errors import FastBertError, missing_extra

SHOWN = 1024  # characters, by SageMaker
CAUSE, HINT = 680, 320  # of them
CELL_WORDS = 3  # quoted, from which on they may be a user's text
HIDDEN = "'…'"
# behind a space or a bracket, so that no apostrophe begins it; as `repr` quotes
_QUOTED = re.compile(r"""(\b(?:token|answer|where|covers|text is) )?(?<![\w`])('[^'\n]*'|"[^"\n]*")(?!\w)""")
_SWITCHES = {"no_header": "header = false", "no_baseline": "baseline = false"}  # without a value on the command line
_SETTING = re.compile(r"`--([a-z][a-z-]*)[ =]([^`\s]+)`")
_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")


def explain(error: BaseException, options: Iterable[str] = ()) -> tuple[str, str, int]:
    """Return the cause of a failure, what to do, and the exit code.

    options: names of hyperparameters, so called in the messages that name an option of the command line.
    """
    known = missing_extra(error, "Training") if isinstance(error, ModuleNotFoundError) else error
    if isinstance(known, FastBertError):
        hint = known.hint or "Correct it and start the job again."
        return _said(known.message, options), _said(hint, options), known.exit_code
    kind = type(error).__name__
    if isinstance(error, MemoryError) or kind == "OutOfMemoryError":
        return (
            "There was not enough memory for the training.",
            "Lower batch_tokens (4096, 2048), or max_tokens, or take a larger instance type.",
            1,
        )
    if isinstance(error, OSError) and error.strerror:
        where = f" ({Path(error.filename).name})" if isinstance(error.filename, str | Path) else ""
        return f"A file could not be read or written{where}: {error.strerror}.", _advice_for(error), 1
    return (
        f"FastBert failed with an unexpected {kind}{_place(error)}.",
        "This is most likely a mistake of FastBert: please report it with what follows. It holds no text of yours.",
        1,
    )


def failure_text(error: BaseException, options: Iterable[str] = ()) -> str:
    """Return the content of the failure file: cause, hint, and after them the frames of the traceback."""
    cause, hint, _ = explain(error, options)
    return f"{_cut(cause, CAUSE)}\n{_cut(hint, HINT)}\n\n{frames(error)}"


def write_failure(file: Path, error: BaseException, options: Iterable[str] = ()) -> None:
    """Write the failure file; a disk that does not let it must not hide the error itself."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(failure_text(error, options), encoding="utf-8")


def frames(error: BaseException) -> str:
    """Return where an error and those before it were raised, without their messages, which may quote data."""
    parts = []
    found: BaseException | None = error
    while found is not None:
        parts.append("".join([*traceback.format_tb(found.__traceback__), f"{type(found).__name__}\n"]))
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    return "\nwhich led to:\n".join(reversed(parts))


def _said(text: str, options: Iterable[str]) -> str:
    """Return a message without cells of several words, and with the names of hyperparameters for those of options."""
    names = set(options)

    def name_of(match: re.Match[str]) -> str:
        name, value = match[1].replace("-", "_"), match[2] if match.re is _SETTING else ""
        if name in _SWITCHES:
            return f"hyperparameter {_SWITCHES[name]}"
        return f"hyperparameter {name}" + (f" = {value}" if value else "") if name in names else match[0]

    def cell_of(match: re.Match[str]) -> str:
        of_a_text, quoted = match[1] or "", match[2]
        return of_a_text + (HIDDEN if of_a_text or len(quoted.split()) >= CELL_WORDS else quoted)

    shown = _QUOTED.sub(cell_of, text)
    return _OPTION.sub(name_of, _SETTING.sub(name_of, shown))


def _advice_for(error: OSError) -> str:
    if error.errno in (28, 122):  # no space, quota
        return "Raise VolumeSizeInGB of the job."
    return "Check that the volumes of the container can be read and written."


def _place(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return f" at {Path(last[0].filename).name}, line {last[0].lineno}" if last else ""


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
