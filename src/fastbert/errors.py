"""The errors that FastBert raises on purpose. Catch `FastBertError` to catch them all.

    FastBertError
    ├── UsageError            exit code 2: the caller can put it right
    │   ├── ConfigError       an option has a wrong name, type or value
    │   ├── DataError         a table, a row, a cell or a label is not usable
    │   ├── BundleError       a folder is no bundle, is damaged or too new
    │   ├── EncoderError      an encoder cannot be found or does not fit
    │   └── MissingExtraError an optional package is not installed
    ├── TrainingError         exit code 1: work had begun and cannot go on
    ├── ExportError           exit code 1: no export of the model is good enough
    └── ServerError           a server does not answer, or refuses: exit code 2 where the caller can put it right

Every message says what happened and where, what was expected, and what to do.
This module knows nothing of how errors are shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FastBertError(Exception):
    """Base of all errors raised on purpose.

    message: what happened, where, and what was expected.
    hint: what to do about it; shown on a line of its own.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n  {self.hint}"


class UsageError(FastBertError):
    """Wrong use or bad input, found before any work was started."""

    exit_code = 2


class ConfigError(UsageError):
    """An option has an unknown name, or a value of the wrong type or range."""


class DataError(UsageError):
    """A table, row, cell or label cannot be used."""


class BundleError(UsageError):
    """A folder is not a bundle, is damaged, or was written by a newer version."""


class EncoderError(UsageError):
    """An encoder cannot be found, opened, or does not fit the task."""


class MissingExtraError(UsageError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed.",
            f'Install it with `pip install "fastbert-nlp[{extra}]"`.',
        )


class TrainingError(FastBertError):
    """Training had begun and cannot go on (divergence, a full disk, a lost file)."""


class ExportError(FastBertError):
    """No exported model answers nearly enough like the model itself."""


class ServerError(FastBertError):
    """A server that was asked does not answer, or refuses to.

    status: of HTTP, None where there was no answer.    code: the server's name of the problem, for programs.
    field: of the request, such as "thresholds".    request_id: by which the server's log names the request.
    What the server did not say is "".
    """

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        status: int | None = None,
        code: str = "",
        field: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message, hint)
        self.status, self.code, self.field, self.request_id = status, code, field, request_id
        self.exit_code = 2 if status is not None and 400 <= status < 500 and status not in (408, 429) else 1


# package -> the extra that brings it, for what is imported at the top of a module
_EXTRAS = {
    **dict.fromkeys(["torch", "transformers", "safetensors", "sklearn"], "train"),
    **dict.fromkeys(["onnx", "onnxruntime"], "onnx"),
    **dict.fromkeys(["openvino", "nncf"], "openvino"),
    "httpx2": "client",
}


def missing_extra(error: ModuleNotFoundError, purpose: str) -> MissingExtraError | None:
    """Return the error that names the extra to install, or None if no extra brings the module.

    >>> str(missing_extra(ModuleNotFoundError(name="torch"), "Training")).splitlines()[0]
    'Training needs the package torch, which is not installed.'
    """
    package = (error.name or "").split(".")[0]
    return MissingExtraError(package, _EXTRAS[package], purpose) if package in _EXTRAS else None


def first_line(error: BaseException) -> str:
    r"""Return the first line of an error of another library, at most 200 characters; the rest is its own traceback.

    >>> first_line(ValueError("no such operator\n  in a graph"))
    'no such operator'
    """
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return the sentence "Did you mean 'x'?" for the closest known name, if any is close.

    >>> did_you_mean("postive", ["negative", "positive"])
    "Did you mean 'positive'?"
    """
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return f"Did you mean '{by_folded[close[0]]}'?" if close else None
