"""What a student learns from: texts read without their labels, each once, and nothing that it is measured on."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.config import DataConfig
from fastbert.data.sources import Source
from fastbert.errors import ConfigError, DataError
from fastbert.inference.predictor import Predictor
from fastbert.training.distill_rows import LessonTables, read_material, sources_of
from tests.feedback import feedback_rows
from tests.helpers import write_csv

CONFIG = DataConfig(valid_share=0.25)
TEXTS = [row["text"] + " please" for row in feedback_rows(40)]


@pytest.fixture(scope="module")
def teacher(bundle: Path) -> Predictor:
    return Predictor.load(bundle)


def test_texts_are_divided_into_three_without_any_twice(teacher: Predictor) -> None:
    found = read_material(teacher, LessonTables([TEXTS]), CONFIG, seed=1)

    parts = [found.texts, found.valid, found.held_out]
    assert [len(part) for part in parts] == [22, 8, 10]
    assert sorted(example.text for part in parts for example in part) == sorted(TEXTS)
    assert all(example.truth is None for example in found.taught) and len(found.taught) == 40
    assert not found.valid_labelled
    assert found.notes[-1] == (
        "10 of 40 texts are held out to measure agreement, 8 to choose the weights by; both at random, seed 1"
    )


def test_the_seed_decides_who_is_held_out(teacher: Predictor) -> None:
    first, again, other = (read_material(teacher, LessonTables([TEXTS]), CONFIG, seed).held_out for seed in (1, 1, 2))

    assert first == again != other


def test_labelled_tables_are_read_with_their_labels(teacher: Predictor) -> None:
    rows = feedback_rows(12)
    found = read_material(teacher, LessonTables([TEXTS], rows[:4], rows[4:8], rows[8:]), CONFIG, seed=1)

    assert [example.truth for example in found.labelled] == [("bug",), ("praise",)] * 2
    assert (len(found.valid), found.valid_labelled, len(found.test)) == (4, True, 4)
    assert len(found.texts) + len(found.held_out) == 40
    assert found.taught == (*found.texts, *found.labelled, *found.held_out)


def test_repeated_texts_and_those_of_labelled_tables_are_left_out(teacher: Predictor) -> None:
    rows = [{"text": TEXTS[0], "label": "bug"}, {"text": TEXTS[1], "label": "praise"}]

    found = read_material(teacher, LessonTables([TEXTS, [*TEXTS[:5], "  " + TEXTS[2]]], test=rows), CONFIG, seed=1)

    assert len(found.texts) + len(found.valid) + len(found.held_out) == 38
    assert "8 texts were left out: they came before, or are in a labelled table" in found.notes


def test_files_are_read_as_predict_reads_them_and_their_labels_are_not(teacher: Predictor, tmp_path: Path) -> None:
    table = write_csv(
        tmp_path / "more.csv", ["label", "text"], [["no such label", text] for text in TEXTS[:20]] + [["", ""]]
    )
    lines = tmp_path / "lines.txt"
    lines.write_text("\n".join(TEXTS[20:]) + "\n", encoding="utf-8")

    found = read_material(teacher, LessonTables([table, lines]), CONFIG, seed=1)

    assert len(found.taught) == 40
    assert {example.where.partition(",")[0] for example in found.taught} == {"more.csv", "lines.txt"}
    assert "more.csv: 1 rows without text left out" in found.notes


@pytest.mark.parametrize(
    ("tables", "config", "error", "message"),
    [
        (LessonTables([TEXTS[:4]]), CONFIG, DataError, "There are 4 different texts to learn from"),
        (
            LessonTables([TEXTS], [{"text": "the app", "label": "bugg"}, {"text": "it", "label": "bug"}]),
            CONFIG,
            DataError,
            "'bugg' is not one of the 2 labels",
        ),
        (LessonTables([TEXTS]), DataConfig(truncation="tail"), ConfigError, "truncation is 'tail', but a student"),
        (LessonTables([TEXTS]), DataConfig(task="multi_label"), ConfigError, "task is 'multi_label', but a student"),
        (LessonTables([[("the app", "works")] * 12]), CONFIG, DataError, "there is no column 'text'"),
    ],
    ids=["few texts", "unknown label", "truncation", "task", "pairs"],
)
def test_what_cannot_be_used_is_refused(
    teacher: Predictor, tables: LessonTables, config: DataConfig, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read_material(teacher, tables, config, seed=1)


@pytest.mark.parametrize(
    ("given", "count"),
    [("a.csv", 1), (Path("a.csv"), 1), ([Path("a.csv"), Path("b.csv")], 2), (["a", "b"], 1), ([], 1)],
)
def test_only_a_list_of_paths_is_several_sources(given: Source | list[Path], count: int) -> None:
    assert len(sources_of(given)) == count
