"""`fastbert inspect`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from fastbert.data.databunch import DataBunch
from tests.cli.conftest import Run
from tests.feedback import feedback_rows, make_learner, tagged_rows


def test_a_bundle_shows_what_it_holds(run: Run, bundle: Path) -> None:
    outcome = run("inspect", bundle)

    assert (outcome.code, outcome.err) == (0, "")
    assert "outputs     bug, praise" in outcome.out
    assert "decision    The label with the highest score is the answer." in outcome.out
    assert "max tokens  64" in outcome.out
    assert "all checksums verified" in outcome.out
    assert "f1_macro" in outcome.out


def test_json_is_one_object_with_the_documented_keys(run: Run, bundle: Path) -> None:
    values = run("inspect", bundle, "--json").json

    assert {
        "bundle", "format", "fastbert", "task", "decisions", "max_tokens", "scores", "facts", "size_bytes", "verified",
    } <= set(values)  # fmt: skip
    assert values["verified"] is True
    assert values["size_bytes"] == sum(path.stat().st_size for path in bundle.iterdir())


def test_a_multi_label_bundle_shows_its_threshold(run: Run, encoder: str, tmp_path: Path) -> None:
    learner = make_learner(encoder, DataBunch.from_files(tagged_rows(), valid_share=0.2)).fit()

    outcome = run("inspect", learner.save(tmp_path / "model"))

    assert f"Every label whose score is at least {learner.decisions.threshold:g}" in outcome.out


def test_no_text_of_a_row_is_shown(run: Run, bundle: Path) -> None:
    written = run("inspect", bundle).out + run("inspect", bundle, "--json").out

    assert not [row["text"] for row in feedback_rows() if row["text"] in written]


def test_a_changed_file_is_noticed(run: Run, bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(bundle, copy)
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    (copy / "config.json").write_text(json.dumps(config | {"hidden_size": 64}), encoding="utf-8")

    outcome = run("inspect", copy)

    assert (outcome.code, outcome.out) == (2, "")
    assert f"error: {copy / 'config.json'} was changed after it was saved" in outcome.err
    assert "hint: " in outcome.err
