"""`fastbert explain`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from fastbert.cli.explain import _backend
from fastbert.labels import Labels
from fastbert.tasks.answering import Answering
from fastbert.tasks.tagging import Tagging
from tests.bundles import tiny_bundle
from tests.cli.conftest import Run
from tests.exported import exported_bundle
from tests.feedback import feedback_rows, write_feedback
from tests.helpers import write_csv
from tests.test_core_only import PROGRAM

TEXT = "the page is slow and the app works"


def explanations(values: dict[str, object]) -> list[dict[str, Any]]:
    """Return the explanations of a JSON object."""
    return cast("list[dict[str, Any]]", values["explanations"])


def test_a_text_is_explained_on_standard_output(run: Run, bundle: Path) -> None:
    outcome = run("explain", bundle, TEXT)

    assert outcome.code == 0
    assert outcome.out.startswith("answer: ")
    assert "integrated gradients, " in outcome.out and "\x1b" not in outcome.out
    assert outcome.err.startswith("plan     1 texts, 8 words, 1 outputs; integrated gradients, at least 32 passes")


def test_json_is_one_object_with_a_value_for_each_word(run: Run, bundle: Path) -> None:
    values = run("explain", bundle, TEXT, "--json", "--check", "--method", "occlusion", "--label", "praise").json

    (one,) = explanations(values)
    assert [word["text"] for word in one["words"]] == TEXT.split()
    assert one["attributions"][0]["name"] == "praise"
    assert len(one["attributions"][0]["values"]) == 8
    assert len(one["attributions"][0]["check"]["random"]) == 20


def test_rows_of_a_table_and_the_nearest_training_rows(run: Run, bundle: Path, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "rows.csv")
    page = tmp_path / "page.html"

    values = run(
        *("explain", bundle, "--table", table, "--rows", 2, "--train", table, "--nearest", 3),
        *("--html", page, "--json", "--method", "occlusion"),
    ).json

    found = explanations(values)
    assert (len(found), values["html"]) == (2, str(page))
    assert found[0]["similar"][0]["text"] == found[0]["text"]
    assert found[0]["similar"][0]["similarity"] == pytest.approx(1.0)
    assert len(found[0]["similar"]) == len(found[0]["other"]) == 3
    assert all(row["truth"] not in found[0]["prediction"]["labels"] for row in found[0]["other"])
    assert "Nearest training rows" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("named", [True, False])
def test_the_training_table_is_read_by_the_named_column_or_as_it_was(
    named: bool, run: Run, bundle: Path, tmp_path: Path
) -> None:
    rows = [[row["text"], row["label"]] for row in feedback_rows(8)]
    train = write_csv(tmp_path / "train.csv", ["body" if named else "text", "label"], rows)
    table = write_csv(tmp_path / "rows.csv", ["body"], [["the app is slow"]])

    values = run(
        *("explain", bundle, "--table", table, "--text", "body", "--train", train, "--nearest", 2),
        *("--json", "--method", "occlusion"),
    ).json

    assert len(explanations(values)[0]["similar"]) == 2


def test_lines_come_from_standard_input(run: Run, bundle: Path) -> None:
    values = run("explain", bundle, "-", "--json", stdin=b"the app is slow\ni love it\n").json

    assert [one["text"] for one in explanations(values)] == ["the app is slow", "i love it"]


def test_questions_and_contexts_are_given_two_by_two(run: Run, tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model", task=Answering())

    values = run("explain", folder, "who is it ?", "anna is in berlin .", "--json").json

    (one,) = explanations(values)
    assert {word["source"] for word in one["words"]} == {"text", "pair"}
    assert one["attributions"][0]["unit"] == "logits"
    assert one["attributions"][0]["name"] == one["prediction"]["answer"]


def test_each_entity_has_its_own_values(run: Run, tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model", task=Tagging(Labels(("place",))))

    values = run("explain", folder, "anna is in berlin and paris .", "--json").json

    (one,) = explanations(values)
    assert len(one["attributions"]) == len(one["prediction"]["entities"]) > 0


def test_an_export_is_explained_where_there_is_no_torch(tmp_path: Path) -> None:
    folder = exported_bundle(tmp_path / "model")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", PROGRAM, "explain", str(folder), TEXT, "--json", "--check"]

    done = subprocess.run(command, env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    (one,) = json.loads(done.stdout)["explanations"]
    assert one["attributions"][0]["method"] == "occlusion"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "There is no text to explain.\nhint: Write fastbert explain MODEL"),
        (["a", "--table", "{table}"], "Texts and --table are both given."),
        (["{table}"], "'{table}' is a file, not a text.\nhint: To explain the rows of a table, use --table {table}."),
        (["a", "--label", "bugs"], "'bugs' is not one of the 2 labels of this model.\nhint: Did you mean 'bug'?"),
        (["a", "--method", "lime"], "method is 'lime'"),
        (["a", "--rows", "0"], "--rows is 0; expected 1 or more."),
        (["a", "--rows", "3"], "--rows is given, but the texts are on the command line and no table is read."),
        (["a", "--text", "body"], "--text is given, but the texts are on the command line and no table is read."),
        (["a", "--no-header"], "--no-header is given, but the texts are on the command line"),
        (["a", "--train", "{table}", "--rows", "3"], "--rows is given, but the texts are on the command line"),
        (["--table", "{table}", "--nearest", "3"], "--nearest is given, but there are no training rows to show."),
        (["a", "--html", "page.txt"], "page.txt: a page is written as .html; this ending is '.txt'."),
        (["--table", "{table}", "--train", "{table}", "--html", "{table}.gone/x.html"], "The folder of"),
        (["a", "--train", "gone.csv"], "gone.csv"),
        (["-"], "there is no text in the first 10 rows"),
    ],
)
def test_wrong_use_is_refused_before_work(
    arguments: list[str], message: str, run: Run, bundle: Path, tmp_path: Path
) -> None:
    table = str(write_feedback(tmp_path / "rows.csv"))

    outcome = run("explain", bundle, *(one.format(table=table) for one in arguments), stdin=b" \n")

    assert outcome.code == 2
    assert message.format(table=table) in outcome.err
    assert "plan" not in outcome.err and outcome.out == ""


def test_the_table_is_not_written_over(run: Run, bundle: Path, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "rows.html", ["text"], [["the app is slow"]])

    outcome = run("explain", bundle, "--table", table, "--html", table)

    assert outcome.err == f"error: {table} is the input itself.\nhint: Give --html another name.\n"


def test_an_odd_number_of_texts_is_no_list_of_pairs(run: Run, tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model", task=Answering())

    outcome = run("explain", folder, "who is it ?")

    assert "This model reads pairs of texts; 1 texts are not pairs." in outcome.err


@pytest.mark.parametrize(
    ("head", "method", "backend"),
    [
        (None, "auto", "torch"),
        ("my:Head", "auto", "auto"),
        (None, "occlusion", "auto"),
        ("my:Head", "gradients", "torch"),
    ],
)
def test_torch_is_explained_unless_it_cannot_be_opened(
    head: str | None, method: str, backend: str, tmp_path: Path
) -> None:
    manifest = exported_bundle(tmp_path / "model") / "bundle.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "head": head}))

    assert _backend(manifest.parent, "auto", method) == backend
    assert _backend(manifest.parent, "onnx", method) == "onnx"
