"""What `benchmarks/tagging.py` takes for sentences and concludes from measurements; nothing is trained here."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import tagged, tagging


def test_both_layouts_become_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTBERT_DATA", str(tmp_path))
    for folder in ("snips/train", "snips/test"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "seq.in").write_text("fly to rome\nhello\n", encoding="utf-8")
        (tmp_path / folder / "seq.out").write_text("O O B-city\nO\n", encoding="utf-8")
    (tmp_path / "wnut17").mkdir()
    for name in tagged.WNUT.values():
        (tmp_path / "wnut17" / name).write_text("fly\tO\nto\tO\nrome\tB-city\n\t\nhello\tO\n\n", encoding="utf-8")

    for name in ("wnut17", "snips"):
        found = tagged.load(name)
        assert [words for words, _ in found.test] == [("fly", "to", "rome"), ("hello",)]
        assert found.tags == ("O", "B-city", "I-city")


def test_words_become_one_text_with_their_characters() -> None:
    example = tagging.as_example(("fly", "to", "Zoë"))

    assert [example.text[start:end] for start, end in example.words or ()] == ["fly", "to", "Zoë"]


def test_scores_are_strict() -> None:
    sentences: list[tagged.Sentence] = [(("new", "york"), ("B-city", "I-city"))]

    assert tagged.scores(sentences, [["B-city", "O"]])["f1"] == 0.0
    assert tagged.scores(sentences, [["B-city", "I-city"]])["f1"] == 1.0


def test_the_table_gives_mean_spread_and_seeds() -> None:
    lines = [
        {"dataset": "wnut17", "system": "fastbert", "batch": 16, "seed": seed, "scores": {"f1": score}}
        for seed, score in enumerate((0.4, 0.5))
    ]

    assert "| wnut17 | 0.450 ± 0.071 (2) | - | - | - |" in tagging.table(lines)
