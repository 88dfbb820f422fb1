"""All checks together."""

from __future__ import annotations

import json
from pathlib import Path

from fastbert.insight.doctor.checkup import CHECKS, check_material
from fastbert.insight.doctor.findings import Finding
from tests.insight.doctor.made import read, read_splits, sentence
from tests.insight.doctor.test_lengths import tokenizer


def clean() -> dict[str, list[list[str]]]:
    rows = [[sentence(number), "ab"[(number * 7 // 3) % 2]] for number in range(160)]
    return {"train": rows[:100], "test": rows[100:]}


def test_clean_data_gives_no_finding(tmp_path: Path) -> None:
    assert list(check_material(read_splits(tmp_path, clean())).findings) == []


def test_every_check_is_announced_in_its_order(tmp_path: Path) -> None:
    seen: list[str] = []

    check_material(read_splits(tmp_path, clean()), tokenizer=tokenizer(), on_check=seen.append)

    assert seen == [*CHECKS, "lengths"]


def test_json_holds_counts_and_no_text(tmp_path: Path) -> None:
    material = read(tmp_path, train=[["secret words", "a"], ["secret  words", "a"], ["other words", "b"]])

    values = check_material(material, tokenizer=tokenizer(), max_tokens=16, notes=["said"]).to_json()

    assert "secret" not in json.dumps(values)
    assert values["files"] == {
        "train": {"file": str(tmp_path / "train.csv"), "format": "comma-separated, utf-8", "rows": 3}
    }
    assert (values["label_counts"], values["max_tokens"], values["notes"]) == (
        {"train": {"a": 2, "b": 1}},
        16,
        ["said"],
    )
    assert values["tokens"] == {"train": {"median": 4, "percentile_95": 4, "longest": 4, "over_limit": 0}}


def test_findings_that_were_made_elsewhere_take_their_place(tmp_path: Path) -> None:
    checkup = check_material(read(tmp_path, train=[["one text", "a"], ["one  text", "a"], ["two", "b"]]))

    more = checkup.with_findings([Finding("label_error", "stop", "One label is wrong.", "Look.")])

    assert more.findings[0].kind == "label_error"
    assert (more.count("stop"), checkup.count("stop")) == (1, 0)
    assert len(more.findings) == len(checkup.findings) + 1
