"""`fastbert predict --url`: the same rows and columns as by a model in a folder, answered by a server."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fastbert.bundle import read_bundle
from fastbert.export.exporting import export_bundle
from fastbert.serving.settings import Settings
from tests.bundles import tiny_bundle
from tests.cli.conftest import Run
from tests.feedback import feedback_rows
from tests.helpers import write_csv
from tests.serving.asking import Asker, serving

KEY = "0123456789abcdef"


@pytest.fixture(scope="module")
def server(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """Serve the trained bundle, and one that knows nothing of tables."""
    bare = tiny_bundle(tmp_path_factory.mktemp("served") / "bare")
    export_bundle(bare, "onnx")
    with serving({"feedback": bundle, "bare": bare}, port=True) as served:
        yield served


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Write a table with a column before and one behind the text, and an empty text in the third row."""
    rows = [[f"id{number}", row["text"], row["label"]] for number, row in enumerate(feedback_rows(100))]
    rows[2][1] = ""
    return write_csv(tmp_path / "new.csv", ["id", "text", "note"], rows)


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_rows_and_columns_are_those_of_a_model_in_a_folder(run: Run, server: Asker, bundle: Path, table: Path) -> None:
    there, here = run("predict", "--url", server.address, table), run("predict", bundle, table)

    assert there.code == 0, there.err
    rows, expected = read(there.out), read(here.out)
    scores = [name for name in expected[0] if name.startswith("score:")]
    assert list(rows[0]) == list(expected[0])
    others = [name for name in rows[0] if name not in scores]
    assert [[row[name] for name in others] for row in rows] == [[row[name] for name in others] for row in expected]
    found, wanted = ([[float(row[name] or 0) for name in scores] for row in one] for one in (rows, expected))
    np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_the_server_and_the_version_of_the_model_are_told(
    run: Run, server: Asker, bundle: Path, table: Path, tmp_path: Path
) -> None:
    outcome = run("predict", "--url", server.address, table, "--out", tmp_path / "out.csv")

    first, note, last = outcome.err.splitlines()
    assert first == f"server   {server.address}, model feedback {read_bundle(bundle).seal[:12]}"
    assert note == "note: 1 of 100 rows have no text; they are kept without an answer"
    assert last.startswith(f"100 rows written to {tmp_path / 'out.csv'}; ")
    assert last.endswith(" texts/s")


def test_texts_come_through_a_pipe(run: Run, server: Asker) -> None:
    outcome = run("predict", "--url", server.address, "-", stdin=b"the app is great\nthe app is slow\n")

    assert [row["text"] for row in read(outcome.out)] == ["the app is great", "the app is slow"]


def test_another_model_is_asked_by_name(run: Run, server: Asker, table: Path) -> None:
    outcome = run("predict", "--url", server.address, "--model", "bare", "--text", "text", table)

    assert "score:question" in read(outcome.out)[0]


def test_json_is_that_of_a_model_in_a_folder(run: Run, server: Asker, bundle: Path, table: Path) -> None:
    there = run("predict", "--url", server.address, table, "--json").json["predictions"]
    here = run("predict", bundle, table, "--json").json["predictions"]

    assert isinstance(there, list) and isinstance(here, list)
    assert [row["prediction"] and row["prediction"]["labels"] for row in there] == [
        row["prediction"] and row["prediction"]["labels"] for row in here
    ]


def test_the_key_comes_from_the_environment(
    run: Run, bundle: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving([bundle], Settings(access_log=False, api_keys=(KEY,)), port=True) as guarded:
        monkeypatch.setenv("FASTBERT_API_KEY", KEY)
        known = run("predict", "--url", guarded.address, table)
        monkeypatch.setenv("FASTBERT_API_KEY", "another-" + KEY)
        unknown = run("predict", "--url", guarded.address, table)

    assert (known.code, unknown.code, unknown.out) == (0, 2, "")
    assert "hint: Set the environment variable FASTBERT_API_KEY to a key of this server." in unknown.err
    assert KEY not in unknown.err


def test_a_row_that_the_server_refuses_is_named(run: Run, server: Asker, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"

    outcome = run("predict", "--url", server.address, "--text", "text,note", table, "--out", out)

    assert (outcome.code, out.exists()) == (2, False)
    assert "answered 422: row 2: The model 'feedback' reads a single text." in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--url", "{url}"], "Missing argument"),
        (["--url", "{url}", "model", "{table}"], "2 inputs are given; expected TABLE alone, for --url names the serv"),
        (["{table}"], "1 inputs are given; expected BUNDLE and TABLE."),
        (["a", "b", "c"], "3 inputs are given; expected BUNDLE and TABLE."),
        (["model", "{table}", "--model", "m"], "--model names a model of a server, but there is no --url."),
        (["--url", "{url}", "{table}", "--backend", "onnx"], "hint: The server chooses it: fastbert serve --backend."),
        (["--url", "{url}", "{table}", "--model", "feedbak"], "hint: Did you mean 'feedback'?"),
        (["--url", "localhost", "{table}"], "error: 'localhost' is no address of a server."),
        (["--url", "{url}", "gone.csv"], "gone.csv"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: list[str], message: str, run: Run, server: Asker, table: Path) -> None:
    outcome = run("predict", *(one.format(url=server.address, table=table) for one in arguments))

    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


PROGRAM = """
import sys
hidden = {"torch", "transformers", "onnxruntime", "openvino", "msgspec", "uvicorn", *sys.argv.pop(1).split()}
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hide())
from fastbert.cli import main
main()
"""


def run_without(hidden: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", PROGRAM, hidden, "predict", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_the_light_core_and_the_client_are_enough(server: Asker, table: Path) -> None:
    done = run_without("", "--url", server.address, table)

    assert (done.returncode, len(read(done.stdout))) == (0, 100), done.stderr


def test_without_the_client_its_extra_is_named(table: Path) -> None:
    done = run_without("httpx2", "--url", "http://localhost:1", table)

    assert done.returncode == 2
    assert 'hint: Install it with `pip install "fastbert-nlp[client]"`.' in done.stderr
