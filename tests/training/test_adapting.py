"""Adaptation before fine-tuning, from `fastbert train --adapt` to what the bundle says of it."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

from typer.testing import CliRunner

import fastbert
from fastbert.cli import app
from fastbert.training.adapt_plan import FACTS
from fastbert.training.adapt_state import STATE, working_folder
from fastbert.training.adapting import SUFFIX
from tests.feedback import feedback_rows
from tests.training.corpora import write_corpus


def write_table(path: Path, rows: int = 40) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["text", "label"])
        writer.writeheader()
        writer.writerows({"text": row["text"], "label": row["label"]} for row in feedback_rows(rows))
    return path


def train(tmp_path: Path, encoder: str, *more: str) -> tuple[int, str]:
    arguments = ["train", str(write_table(tmp_path / "t.csv")), "--out", str(tmp_path / "m"), "--encoder", encoder]
    result = CliRunner().invoke(app, [*arguments, "--epochs", "1", "--set", "precision=fp32", *more])
    return result.exit_code, result.output + str(result.exception or "")


def flat(output: str) -> str:
    return " ".join(output.split())


def test_both_results_are_shown_and_saved_and_the_encoder_is_kept_beside(encoder: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt", num_documents=20)

    code, output = train(tmp_path, encoder, "--adapt", str(corpus), "--log", str(tmp_path / "run.jsonl"))

    assert code == 0, output
    assert "9 trainings, each about as long as the plan of the training says: 4 from each encoder" in flat(output)
    runs = [json.loads(line)["run"] for line in (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    assert runs[0] == "adaptation" and "plain encoder, split 1 of 4" in runs and "all training rows" in runs[-1]
    facts = json.loads((tmp_path / "m" / "bundle.json").read_text(encoding="utf-8"))["facts"]
    choice = facts["adaptation"]["choice"]
    assert choice["verdict"] in output and choice["verdict"] in facts["plan"]["reasons"]
    assert set(choice["per_label"]["plain"]) == {row["label"] for row in feedback_rows(40)}
    assert (f"--encoder {tmp_path / f'm{SUFFIX}'}" in "".join(output.split("\n"))) == (choice["kept"] == "plain")
    assert (tmp_path / f"m{SUFFIX}" / "config.json").is_file()
    page = (tmp_path / "m" / "report.html").read_text(encoding="utf-8")
    assert "With and without adaptation" in page
    assert "fastbert train t.csv --adapt corpus.txt" in page and f"encoder={Path(encoder).name} " in page


def test_the_text_column_of_the_table_is_that_of_the_unlabelled_one(encoder: str, tmp_path: Path) -> None:
    rows = feedback_rows(40)
    table, corpus = tmp_path / "t.jsonl", tmp_path / "u.jsonl"
    table.write_text("\n".join(json.dumps({"title": row["text"], "label": row["label"]}) for row in rows))
    corpus.write_text("\n".join(json.dumps({"title": row["text"], "review": f"{row['text']} so"}) for row in rows))
    arguments = ["train", str(table), "--text", "title", "--adapt", str(corpus), "--out", str(tmp_path / "m")]

    result = CliRunner().invoke(app, [*arguments, "--encoder", encoder, "--plan"])

    assert "Text: 'title', as in the training table." in result.output, result.output


def test_the_encoder_is_not_replaced_by_its_own_adaptation(encoder: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt", num_documents=20)
    own = shutil.copytree(encoder, tmp_path / f"m{SUFFIX}")

    code, output = train(tmp_path, str(own), "--adapt", str(corpus), "--overwrite")

    assert code != 0 and "is the encoder to adapt, and the place of the adapted one" in output


def test_a_corpus_that_cannot_be_read_is_refused_before_training(encoder: str, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("", encoding="utf-8")

    code, output = train(tmp_path, encoder, "--adapt", str(tmp_path / "empty.txt"))

    assert code != 0 and "empty.txt" in output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.txt", "t.csv"]


def test_an_encoder_that_lies_there_is_not_replaced_unasked(encoder: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt", num_documents=20)
    (tmp_path / f"m{SUFFIX}").mkdir()

    code, output = train(tmp_path, encoder, "--adapt", str(corpus))

    assert code != 0 and "exists already" in output
    assert not (tmp_path / "m").exists()


def test_the_call_from_python_takes_one_file(encoder: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt", num_documents=20)
    options: dict[str, object] = {"adapt": corpus, "encoder": encoder, "epochs": 1, "precision": "fp32"}

    model = fastbert.fit(write_table(tmp_path / "t.csv"), out=tmp_path / "m", progress=False, **options)  # type: ignore[arg-type]

    adaptation = model.bundle.facts["adaptation"]
    assert isinstance(adaptation, dict) and adaptation["encoder"] == f"m{SUFFIX}"


def test_the_rule_that_was_asked_for_is_fitted(encoder: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt", num_documents=20)
    options: dict[str, object] = {
        "adapt": corpus,
        "encoder": encoder,
        "epochs": 1,
        "precision": "fp32",
        "at_most": 2,
        "at_least": 2,
    }

    model = fastbert.fit(write_table(tmp_path / "t.csv"), out=tmp_path / "m", progress=False, **options)  # type: ignore[arg-type]

    assert len(model(["the app is great"])[0].labels) == 2


def test_a_finished_adaptation_is_used_again(encoder: str, tmp_path: Path) -> None:
    """Who interrupts fine-tuning, or trains with other options, does not adapt anew."""
    corpus = write_corpus(tmp_path / "corpus.txt", num_documents=20)
    assert train(tmp_path, encoder, "--adapt", str(corpus))[0] == 0
    weights = tmp_path / f"m{SUFFIX}" / "model.safetensors"
    before = weights.stat().st_mtime_ns

    code, output = train(tmp_path, encoder, "--adapt", str(corpus), "--overwrite", "--json")

    assert code == 0 and weights.stat().st_mtime_ns == before, output
    assert "as it was adapted to this corpus before" in output


def test_a_finished_adaptation_whose_state_was_left_is_no_interrupted_one(encoder: str, tmp_path: Path) -> None:
    """A run that was killed between placing its encoder and clearing its state; the next one has another corpus."""
    first, second = (write_corpus(tmp_path / f"{number}.txt", num_documents=number) for number in (20, 30))
    train(tmp_path, encoder, "--adapt", str(first))
    folder = tmp_path / f"m{SUFFIX}"
    state = working_folder(folder) / "epoch-00001"
    state.mkdir(parents=True)
    key = json.loads((folder / FACTS).read_text(encoding="utf-8"))["key"]
    (state / STATE).write_text(json.dumps({"key": key}), encoding="utf-8")

    code, output = train(tmp_path, encoder, "--adapt", str(second), "--overwrite")

    assert code == 0, output
    assert not working_folder(folder).exists()


def test_json_has_the_comparison(encoder: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt", num_documents=20)
    arguments = ["train", str(write_table(tmp_path / "t.csv")), "--out", str(tmp_path / "m"), "--encoder", encoder]

    result = CliRunner().invoke(app, [*arguments, "--epochs", "1", "--adapt", str(corpus), "--json"])

    assert set(json.loads(result.stdout)["adaptation"]["choice"]["scores"]) == {"plain", "adapted"}


def test_a_plan_tells_of_the_adaptation_and_checks_the_corpus(encoder: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt", num_documents=20)

    code, output = train(tmp_path, encoder, "--adapt", str(corpus), "--plan")
    assert code == 0 and "documents packed without padding" in output and f"m{SUFFIX}" in output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.txt", "t.csv"]
    code, output = train(tmp_path, encoder, "--adapt", str(tmp_path / "missing.txt"), "--plan")
    assert code != 0 and "missing.txt" in output
