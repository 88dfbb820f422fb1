"""Numbers, entities and contexts."""

from __future__ import annotations

import json
from pathlib import Path

from fastbert.config import DataConfig
from fastbert.insight.doctor.material import read_material
from fastbert.insight.doctor.truths import answer_findings, entity_findings, value_findings
from tests.insight.doctor.made import kinds, only, read, sentence

NUMBERS: dict[str, object] = {"text": "text", "labels": ("label",), "task": "regression"}


def values(*numbers: float) -> list[list[str]]:
    return [[sentence(index), str(number)] for index, number in enumerate(numbers)]


def test_a_number_far_from_the_others_is_named(tmp_path: Path) -> None:
    train = values(*(index / 10 for index in range(40)), 350.0)

    found = only(value_findings(read(tmp_path, train=train, options=NUMBERS)), "far_value")

    assert [row.place for row in found.rows] == ["train.csv, row 42"]
    assert found.rows[0].detail == "350 is far from the median 2"


def test_numbers_that_are_all_the_same_stop(tmp_path: Path) -> None:
    findings = value_findings(read(tmp_path, train=values(2.0, 2.0, 2.0), options=NUMBERS))

    assert [(one.kind, one.severity) for one in findings] == [("constant_value", "stop")]


def test_another_mean_is_noted_where_it_is_sure(tmp_path: Path) -> None:
    train = values(*(index % 10 for index in range(100)))

    moved = value_findings(
        read(tmp_path, train=train, test=values(*(5 + index % 5 for index in range(50))), options=NUMBERS)
    )
    alike = value_findings(
        read(tmp_path, train=train, test=values(*(index % 10 for index in range(50))), options=NUMBERS)
    )

    assert kinds(moved) == {"value_shift"}
    assert alike == []


def test_words_that_are_labelled_otherwise_nearly_everywhere_else(tmp_path: Path) -> None:
    file = tmp_path / "t.conll"
    file.write_text("Berlin B-LOC\nis O\n\n" * 9 + "berlin B-ORG\nis O\n", encoding="utf-8")

    found = only(entity_findings(read_material({"train": file}, DataConfig())), "entity_label")

    assert [row.detail for row in found.rows] == ["'berlin' is ORG here, LOC in most other places"]
    assert found.sentence.startswith("1 of 10 entities (10 %)")


def test_entities_that_begin_within_a_word_are_named(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    record = {"text": "Anna lives in Berlin.", "entities": [{"start": 15, "end": 20, "label": "LOC"}]}
    good = {"text": "Anna lives in Berlin.", "entities": [{"start": 14, "end": 20, "label": "LOC"}]}
    file.write_text(json.dumps(record) + "\n" + json.dumps(good) + "\n", encoding="utf-8")

    found = only(entity_findings(read_material({"train": file}, DataConfig())), "entity_edges")

    assert found.sentence.startswith("1 of 2 entities in train begin or end within a word")
    assert found.advice


def test_a_context_in_two_splits_is_a_leak(tmp_path: Path) -> None:
    files = {}
    for split, start in (("train", 0), ("test", 5)):
        paragraphs = [
            {
                "context": f"Anna lives in Berlin {number}.",
                "qas": [
                    {
                        "id": f"{split}{number}",
                        "question": f"Where, {split}?",
                        "answers": [{"text": "Berlin", "answer_start": 14}],
                    }
                ],
            }
            for number in range(start, start + 10)
        ]
        files[split] = tmp_path / f"{split}.json"
        files[split].write_text(json.dumps({"data": [{"title": "t", "paragraphs": paragraphs}]}), encoding="utf-8")

    found = only(answer_findings(read_material(files, DataConfig())), "shared_context")

    assert (found.severity, len(found.rows)) == ("stop", 5)
    assert found.rows[0].place == "test.json, question test5"


def test_other_tasks_have_none_of_these(tmp_path: Path) -> None:
    material = read(tmp_path, train=[["x y", "a"], ["y z", "b"]])

    assert value_findings(material) == entity_findings(material) == answer_findings(material) == []
