"""`fastbert check`: what is worth a look in a table before a model is trained on it, and cleaned copies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_data, print_json, say
from fastbert.errors import FastBertError, first_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastbert.data.tokens import Tokenizer
    from fastbert.insight.doctor.checkup import Checkup
    from fastbert.insight.doctor.material import Material

PARTS = ("train", "valid", "test")


def check(
    files: list[Path] = typer.Argument(
        ..., metavar="FILE...", help="Table to train on; a second file is taken for validation, a third for test."
    ),
    valid: Path | None = typer.Option(None, help="Validation table."),
    test: Path | None = typer.Option(None, help="Test table."),
    text: shared.TextColumn = None,
    label: shared.LabelColumn = None,
    labels: shared.LabelColumns = None,
    labels_file: shared.LabelsFile = None,
    no_header: shared.NoHeader = False,
    delimiter: shared.Delimiter = None,
    group: shared.GroupColumn = None,
    task: shared.TaskName = None,
    encoder: str = typer.Option("minilm", help="Encoder whose tokens are counted; none counts no tokens."),
    max_tokens: shared.MaxTokens = None,
    label_errors: str | None = typer.Option(
        None, help="Find labels that are probably wrong: quick (vectors and linear models), or full (five trainings)."
    ),
    out: Path | None = typer.Option(None, "--out", help="Folder for check.html and rows.csv, the rows to look at."),
    fix: Path | None = typer.Option(None, "--fix", help="Folder for cleaned copies and changes.csv."),
    drop_conflicts: bool = typer.Option(
        False, "--drop-conflicts", help="Leave texts with different truths out of the copies."
    ),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace files in the folder of --fix."),
    strict: bool = typer.Option(False, "--strict", help="End with exit code 1 if anything is to stop training."),
    as_json: shared.AsJson = False,
) -> None:
    """Look for duplicates, leaks, conflicting and misspelt labels, odd texts and telling words before training.

    Nothing is changed; --fix writes cleaned copies, never the original.
    """
    from fastbert.cli.options import collect
    from fastbert.insight.doctor import check_page
    from fastbert.insight.doctor.checkup import check_material
    from fastbert.insight.doctor.cleaning import check_fixable
    from fastbert.insight.doctor.copies import check_target
    from fastbert.insight.doctor.material import read_material

    check_mode(label_errors)
    by_split = name_splits(files, valid, test)
    if out is not None:
        check_page.check_out(out)
    if fix is not None:
        check_target(fix, by_split, overwrite=overwrite)
    named = {
        "text": text, "label": label, "labels": labels, "labels_file": labels_file, "delimiter": delimiter,
        "header": False if no_header else None, "group": group, "task": task, "max_tokens": max_tokens,
    }  # fmt: skip
    config = collect(None, [], named)[0]
    on_step = _silent if as_json else _say_step
    on_step("how the files are written")
    material = read_material(by_split, config)
    if fix is not None:
        check_fixable(material)
    check_judged(label_errors, material)
    tokenizer, limit, notes = open_tokenizer(encoder, max_tokens, on_step)
    found = check_material(material, tokenizer=tokenizer, max_tokens=limit, on_check=on_step, notes=notes)
    found, failure = _with_label_errors(found, label_errors, encoder, on_step)
    written = _write(found, out) if out is not None else {}
    fixed = _fix(found.material, fix, drop_conflicts=drop_conflicts) if fix is not None else {}
    _show(found, written, fixed, as_json=as_json)
    if failure is not None:
        raise failure
    if strict and found.count("stop"):
        raise typer.Exit(1)


def check_mode(label_errors: str | None) -> None:
    """Raise ConfigError for a way of looking for label errors that there is none of."""
    if label_errors is not None:
        from fastbert.insight import label_error_finding

        label_error_finding.check_mode(label_errors)


def check_judged(label_errors: str | None, material: Material) -> None:
    """Raise UsageError, before the checks, where label errors are asked for and cannot be found."""
    if label_errors is not None:
        from fastbert.insight import label_error_finding

        label_error_finding.check_judged(material)


def _with_label_errors(
    found: Checkup, mode: str | None, encoder: str, on_step: Callable[[str], None]
) -> tuple[Checkup, Exception | None]:
    """Return the checkup with the rows whose labels are probably wrong, where somebody asks; and why they are missing.

    Whatever fails here, hours into a training or without a disk, what the other checks found is still to be shown.
    """
    if mode is None:
        return found, None
    from fastbert.insight.label_error_finding import label_error_finding

    on_step(f"label errors ({mode})")
    try:
        return found.with_findings([label_error_finding(found.material, mode, encoder)]), None
    except Exception as error:
        reason = error.message if isinstance(error, FastBertError) else first_line(error)
        return found.with_note(f"Label errors were not found, since it failed: {reason}"), error


def _say_step(name: str) -> None:
    say(f"checking {name}")


def _silent(name: str) -> None:
    """Say nothing."""


def name_splits(files: Sequence[Path], valid: Path | None, test: Path | None) -> dict[str, Path]:
    """Return the files by split. Raises ConfigError for more than three, or a split that is named twice."""
    from fastbert.errors import ConfigError

    if len(files) > len(PARTS):
        raise ConfigError(
            f"{len(files)} files are given; expected at most three: train, valid and test.",
            "Check one data set at a time, or join its files.",
        )
    by_split = dict(zip(PARTS, files, strict=False))
    for split, path in (("valid", valid), ("test", test)):
        if path is not None:
            if split in by_split:
                raise ConfigError(f"--{split} is {path}, but {by_split[split]} is taken for it.", "Name it once.")
            by_split[split] = path
    return {split: by_split[split] for split in PARTS if split in by_split}


def open_tokenizer(
    encoder: str, max_tokens: int | None, on_step: Callable[[str], None]
) -> tuple[Tokenizer | None, int | None, tuple[str, ...]]:
    """Return the tokenizer of an encoder, the longest input, and a sentence where lengths cannot be measured."""
    from fastbert.errors import EncoderError, MissingExtraError, missing_extra

    if encoder == "none":
        return None, None, ("Tokens were not counted, as --encoder none says.",)
    on_step(f"which encoder reads it ({encoder})")
    try:
        from fastbert.models.loading import open_encoder

        opened = open_encoder(encoder)
    except (MissingExtraError, ModuleNotFoundError) as error:
        reason = missing_extra(error, "Counting tokens") if isinstance(error, ModuleNotFoundError) else error
        if reason is None or encoder != "minilm":
            raise
        return None, None, (f"Tokens were not counted: {reason.message} {reason.hint}",)
    limit = opened.default_max_tokens if max_tokens is None else max_tokens
    try:
        opened.tokenizer.check_room(limit)
    except EncoderError as error:
        raise EncoderError(error.message, "Give another --max-tokens or --encoder.") from error
    return opened.tokenizer, limit, ()


def _write(found: Checkup, folder: Path) -> dict[str, str]:
    """Write the page and the rows; return their places."""
    from fastbert.insight.doctor import check_page

    return {"page": str(check_page.write_checkup(found, folder)), "rows": str(folder / check_page.ROWS)}


def _fix(material: object, folder: Path, *, drop_conflicts: bool) -> dict[str, object]:
    """Write the cleaned copies; return their places and counts for JSON and for people."""
    from fastbert.insight.doctor.cleaning import plan_cleaning
    from fastbert.insight.doctor.copies import CHANGES, write_copies
    from fastbert.insight.doctor.material import Material

    assert isinstance(material, Material)
    cleaning = plan_cleaning(material, drop_conflicts=drop_conflicts)
    notes = [*write_copies(cleaning, folder), *cleaning.warnings]
    kept = {split: len(clean.kept) for split, clean in cleaning.parts.items()}
    counts = {
        action: sum(change.action == action for change in cleaning.changes) for action in ("dropped", "text", "label")
    }
    return {"fixed": str(folder), "changes": str(folder / CHANGES), "kept": kept, "changed": counts, "fix_notes": notes}


def _show(found: Checkup, written: dict[str, str], fixed: dict[str, object], *, as_json: bool) -> None:
    """Print what was found, and where it was written."""
    if as_json:
        print_json({**found.to_json(), **written, **fixed})
        return
    from fastbert.insight.doctor.view import checkup_view

    print_data(checkup_view(found))
    _say_places(written, fixed)


def _say_places(written: dict[str, str], fixed: dict[str, object]) -> None:
    say()
    for name, place in written.items():
        say(f"{name:<9}{place}")
    if fixed:
        kept, changed = fixed["kept"], fixed["changed"]
        assert isinstance(kept, dict) and isinstance(changed, dict)
        say(f"copies   {fixed['fixed']} ({', '.join(f'{split} {count:,} rows' for split, count in kept.items())})")
        say(
            f"changes  {fixed['changes']}: {changed['dropped']:,} rows dropped, {changed['text']:,} texts and "
            f"{changed['label']:,} labels written anew"
        )
        notes = fixed["fix_notes"]
        assert isinstance(notes, list)
        for note in notes:
            say(f"note: {note}")
