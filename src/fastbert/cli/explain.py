"""`fastbert explain`: which words of a text an answer rests on, checked, and the training rows nearest to it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_json, say, say_backend

if TYPE_CHECKING:
    from fastbert.config import DataConfig
    from fastbert.data.examples import Example
    from fastbert.inference.predictor import Predictor
    from fastbert.insight.explanation import Explanation

T = TypeVar("T")
ROWS, NEAREST = 10, 5


def explain(
    bundle: Path = typer.Argument(..., metavar="BUNDLE", help="Folder of a model."),
    texts: list[str] | None = typer.Argument(
        None, metavar="[TEXT]...", help="Texts, for a model of pairs two by two; or - for standard input."
    ),
    table: Path | None = typer.Option(None, help="Explain the first rows of this table."),
    rows: int | None = typer.Option(None, help="How many rows of the table, or of standard input; 10 if not given."),
    text: str | None = typer.Option(None, help="Text column(s) of the tables, if not those of the training table."),
    label: str | None = typer.Option(None, help="Label to explain, instead of those that were decided."),
    method: str = typer.Option("auto", help="auto, gradients (torch and captum), or occlusion (any backend)."),
    check: bool = typer.Option(False, "--check", help="Hold the words against random ones: do they carry the answer?"),
    train: Path | None = typer.Option(None, help="Training table: show its rows that are nearest to each text."),
    nearest: int | None = typer.Option(None, help="How many training rows to show; 5 if not given."),
    html: Path | None = typer.Option(None, help="Write a page to this file; it holds the texts."),
    backend: str = typer.Option("auto", help="auto, torch, onnx, openvino, or an export by name."),
    no_header: shared.NoHeader = False,
    as_json: shared.AsJson = False,
) -> None:
    """Show which words of each TEXT the answer of the model in BUNDLE rests on."""
    from fastbert.cli.options import collect
    from fastbert.inference.predictor import Predictor
    from fastbert.insight.explain import ORDERS, Explainer

    _check_options(method, rows, nearest)
    _check_use(texts or [], table, train, {"--rows": rows, "--text": text, "--no-header": no_header or None}, nearest)
    if html is not None:
        _check_page(html, *(one for one in (table, train) if one is not None))
    config = collect(None, [], {"text": text, "header": False if no_header else None})[0]
    predictor = Predictor.load(bundle, _backend(bundle, backend, method))
    say_backend(predictor)
    explainer = Explainer(predictor, method, check_orders=ORDERS if check else 0)  # type: ignore[arg-type]  # checked
    examples = _examples(predictor, texts or [], table, config, rows or ROWS)
    known = None if train is None else _training_rows(predictor, train, config)
    work = explainer.prepare(examples, label)
    say(f"plan     {work.describe()}")
    found = list(_shown_progress(explainer.run(work), len(examples)))
    if known is not None:
        say(f"reading {len(known):,} training rows")
        found = _beside(bundle, known, found, nearest or NEAREST)
    _show(found, bundle, html, as_json=as_json)


def _check_options(method: str, rows: int | None, nearest: int | None) -> None:
    from typing import get_args

    from fastbert.errors import ConfigError
    from fastbert.insight.explain import Method
    from fastbert.option_values import chosen_of

    chosen_of("method", method, get_args(Method))
    for name, value in (("--rows", rows), ("--nearest", nearest)):
        if value is not None and value < 1:
            raise ConfigError(f"{name} is {value}; expected 1 or more.")


def _check_use(
    texts: Sequence[str],
    table: Path | None,
    train: Path | None,
    reading: Mapping[str, object],
    nearest: int | None,
) -> None:
    """Refuse options that would change nothing. reading: those that say how a table is read, None where not given."""
    from fastbert.errors import ConfigError

    if nearest is not None and train is None:
        raise ConfigError(
            "--nearest is given, but there are no training rows to show.", "Name their table with --train."
        )
    if table is not None or list(texts) == ["-"] or not texts:  # without any text that is what is said
        return
    for name, value in reading.items():
        if value is not None and (train is None or name == "--rows"):
            raise ConfigError(
                f"{name} is given, but the texts are on the command line and no table is read.",
                f"Leave out {name}, or name a table with --table.",
            )


def _check_page(html: Path, *sources: Path) -> None:
    from fastbert.errors import DataError
    from fastbert.inference.writers import check_place

    if html.suffix.lower() not in (".html", ".htm"):
        raise DataError(f"{html}: a page is written as .html; this ending is '{html.suffix}'.")
    try:
        check_place(html, *sources)
    except DataError as error:
        raise DataError(error.message, None if error.hint is None else error.hint.replace("--out", "--html")) from error


def _backend(bundle: Path, backend: str, method: str) -> str:
    """Return the backend to open: for "auto" torch where gradients can be taken, else the fastest export."""
    from fastbert.bundle import read_bundle

    if backend != "auto" or method == "occlusion":
        return backend
    opened = read_bundle(bundle, verify=False)
    if opened.exports and (opened.head is not None or not all(map(_is_installed, ("torch", "transformers", "captum")))):
        return "auto" if method == "auto" else "torch"
    return "torch"


def _is_installed(name: str) -> bool:
    import importlib.util

    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # of a finder that refuses it
        return False


def _examples(
    predictor: Predictor, texts: Sequence[str], table: Path | None, config: DataConfig, rows: int
) -> Sequence[Example]:
    from itertools import islice

    from fastbert.errors import ConfigError, DataError
    from fastbert.inference.evaluation import saved_layout
    from fastbert.inference.predictor import TextInput, as_examples
    from fastbert.inference.tables import open_texts

    if (table is None) == (not texts):
        raise ConfigError(
            "Texts and --table are both given." if texts else "There is no text to explain.",
            'Write fastbert explain MODEL "your text", - for standard input, or --table FILE.',
        )
    if table is not None or texts == ["-"]:
        opened = open_texts(table or "-", saved_layout(predictor), config, stream=None if table else sys.stdin.buffer)
        for sentence in opened.notes:
            say(f"note: {sentence}")
        found = [example for _, example in islice(opened.items, rows) if example is not None]
        if not found:
            raise DataError(f"{table or 'standard input'}: there is no text in the first {rows} rows.")
        return found
    for one in texts:
        if len(one) < 256 and Path(one).is_file():
            raise ConfigError(f"'{one}' is a file, not a text.", f"To explain the rows of a table, use --table {one}.")
    if not predictor.bundle.reads_pairs:
        return as_examples(list(texts))
    if len(texts) % 2:
        raise DataError(
            f"This model reads pairs of texts; {len(texts)} texts are not pairs.", "Give two texts for each pair."
        )
    pairs: list[TextInput] = list(zip(texts[::2], texts[1::2], strict=True))
    return as_examples(pairs)


def _training_rows(predictor: Predictor, train: Path, config: DataConfig) -> Sequence[Example]:
    """Read the training table by the columns that are named or, where it has none such, as the training read it."""
    from fastbert.config import DataConfig
    from fastbert.errors import DataError
    from fastbert.inference.evaluation import read_examples

    try:
        examples, notes = read_examples(predictor, train, config)
    except DataError:
        if config == DataConfig():
            raise
        examples, notes = read_examples(predictor, train, DataConfig())
    for sentence in notes:
        say(f"note: {sentence}")
    return examples


def _beside(bundle: Path, known: Sequence[Example], found: Sequence[Explanation], nearest: int) -> list[Explanation]:
    from fastbert.inference.embedder import Embedder
    from fastbert.insight.neighbours import TrainingRows

    return TrainingRows.of(known, lambda: Embedder.open(bundle)).beside(found, nearest)


def _shown_progress(items: Iterable[T], count: int) -> Iterator[T]:
    """Yield items, and say on a terminal how many there were."""
    live = sys.stderr.isatty()
    for number, item in enumerate(items, start=1):
        if live:
            print(f"\rexplained {number} of {count}", end="\n" if number == count else "", file=sys.stderr, flush=True)
        yield item


def _show(found: Sequence[Explanation], bundle: Path, html: Path | None, *, as_json: bool) -> None:
    from fastbert.insight.explanation_page import page_title, write_page
    from fastbert.insight.explanation_text import explanation_text

    if html is not None:
        write_page(found, page_title(bundle.resolve().name, len(found)), html)
        say(f"written to {html}; it holds the texts")
    if as_json:
        values = {"explanations": [one.to_json() for one in found]}
        print_json(values if html is None else {**values, "html": str(html)})
    elif html is None:
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        print("\n\n\n".join(explanation_text(one, colour=colour) for one in found))
