"""What is said of files and of rows that are no examples."""

from __future__ import annotations

from pathlib import Path

from fastbert.config import DataConfig
from fastbert.insight.doctor.material import read_material
from fastbert.insight.doctor.reading_notes import reading_findings
from tests.insight.doctor.made import kinds, only, read, sentence


def test_rows_that_training_stops_at_are_named(tmp_path: Path) -> None:
    material = read(tmp_path, train=[["one text", "a"], [" ", "a"], ["two text", ""], ["three text", "b"]])

    findings = reading_findings(material)

    assert {(one.kind, one.severity) for one in findings} == {("no_text", "stop"), ("no_label", "stop")}
    assert only(findings, "no_text").sentence == "1 of 4 rows (25 %) of train have no text."
    assert [(row.place, row.text) for row in only(findings, "no_label").rows] == [("train.csv, row 4", "two text")]


def test_a_text_of_invisible_characters_is_no_text(tmp_path: Path) -> None:
    material = read(tmp_path, train=[["one text", "a"], ["\u200b\u2060", "a"], ["", "a"], ["three text", "b"]])

    found = only(reading_findings(material), "no_text")

    assert found.sentence == "2 of 4 rows (50 %) of train have no text."
    assert [(row.row, row.detail) for row in found.rows] == [("3", "invisible characters alone"), ("4", "")]
    assert "From texts of invisible characters it learns as if they said something: --fix drops" in found.advice


def test_a_sound_table_is_silent(tmp_path: Path) -> None:
    assert reading_findings(read(tmp_path, train=[["one text", "a"], ["two text", "b"]])) == []


def test_few_rows_to_measure_on_are_noted(tmp_path: Path) -> None:
    rows = [[sentence(number), "ab"[number % 2]] for number in range(60)]

    assert kinds(reading_findings(read(tmp_path, train=rows, test=rows[:49]))) == {"few_rows"}
    assert reading_findings(read(tmp_path, train=rows, test=rows[:50])) == []


def test_lines_of_another_encoding_stop_and_another_encoding_is_noted(tmp_path: Path) -> None:
    mixed, latin = tmp_path / "mixed.csv", tmp_path / "latin.csv"
    lines = ["text,label", *(f"sch\u00f6n {number},a" for number in range(9)), "caf\u00e9,b"]
    mixed.write_bytes("\n".join(lines[:-1]).encode() + b"\n" + lines[-1].encode("latin-1") + b"\n")
    latin.write_bytes("\n".join(lines).encode("latin-1") + b"\n")
    config = DataConfig().changed(text="text", labels=("label",))

    damaged = only(reading_findings(read_material({"train": mixed}, config)), "undecodable")
    other = only(reading_findings(read_material({"train": latin}, config)), "encoding")

    assert (damaged.severity, damaged.sentence) == ("stop", "1 line of train are not UTF-8, though the rest is.")
    assert damaged.rows[0].place == "mixed.csv, line 11"
    assert other.sentence == "latin.csv is not UTF-8; it is read as latin-1."


def test_tagged_text_that_cannot_be_read_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text(
        '{"text": "Anna sings", "entities": [{"start": 0, "end": 4, "label": "PER"}]}\n'
        '{"text": "Anna", "entities": [{"start": 0, "end": 40, "label": "PER"}]}\n',
        encoding="utf-8",
    )

    found = only(reading_findings(read_material({"train": file}, DataConfig())), "unreadable")

    assert found.severity == "stop" and "t.jsonl" in found.sentence
