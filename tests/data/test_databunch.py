"""From tables to splits with a task: sizes, labels, files of names, warnings and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from fastbert.config import DataConfig
from fastbert.data.databunch import DataBunch, normalize_options
from fastbert.data.examples import TextExample
from fastbert.data.tokens import Tokenizer
from fastbert.errors import ConfigError, DataError
from fastbert.tasks.classification import MultiLabel, SingleLabel
from tests.feedback import feedback_rows, make_data, tagged_rows, write_feedback
from tests.helpers import word_tokenizer, write_csv


def tiny_tokenizer() -> Tokenizer:
    return Tokenizer(word_tokenizer(), pad_id=0, max_tokens=64, input_names=["input_ids", "attention_mask"])


def texts(data: DataBunch, split: str) -> set[str]:
    return {example.text for example in data.examples(split)}


# --- splits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "sizes"), [(0.1, (36, 4)), (0.2, (32, 8)), (0.5, (20, 20))])
def test_a_share_of_the_rows_is_held_out(share: float, sizes: tuple[int, int]) -> None:
    data = DataBunch.from_files(feedback_rows(), valid_share=share)

    assert (len(data.examples("train")), len(data.examples("valid"))) == sizes


def test_held_out_rows_have_the_labels_in_proportion() -> None:
    assert make_data().label_counts()["valid"] == {"bug": 4, "praise": 4}


def test_no_row_is_lost_or_in_two_splits() -> None:
    data = make_data()

    assert texts(data, "train") | texts(data, "valid") == {row["text"] for row in feedback_rows()}
    assert not texts(data, "train") & texts(data, "valid")


def test_the_split_follows_from_the_seed() -> None:
    first, again = (DataBunch.from_files(feedback_rows(), seed=1) for _ in range(2))
    other = DataBunch.from_files(feedback_rows(), seed=2)

    assert texts(first, "valid") == texts(again, "valid") != texts(other, "valid")


def test_a_split_by_hash_keeps_rows_on_their_side_when_others_come() -> None:
    few = DataBunch.from_files(feedback_rows(30), split="hash", valid_share=0.3)
    more = DataBunch.from_files(feedback_rows(48), split="hash", valid_share=0.3)

    assert texts(few, "valid") == texts(more, "valid") & {row["text"] for row in feedback_rows(30)}


def test_equal_texts_stay_on_one_side() -> None:
    data = DataBunch.from_files(feedback_rows(20) * 3, valid_share=0.2)

    assert not texts(data, "train") & texts(data, "valid")


@pytest.mark.parametrize("split", ["stratified", "hash"])
def test_several_splits_hold_no_row_out_twice(split: str) -> None:
    data = DataBunch.from_files(feedback_rows(40), valid_share=0.2, split=split)

    anew = data.splits_anew(4, 0.2, 7)

    held = [example.where for one in anew for example in one.examples("valid")]
    assert len(anew) == 4 and len(held) == len(set(held)) == pytest.approx(32, abs=0 if split == "stratified" else 12)
    for one in anew:
        rows = [{example.where for example in one.examples(side)} for side in ("train", "valid")]
        assert not rows[0] & rows[1] and len(rows[0] | rows[1]) == 40
        assert one.examples("valid") != data.examples("valid")


def test_few_groups_are_held_out_in_fewer_splits() -> None:
    rows = [{**row, "app": f"app {index % 3}"} for index, row in enumerate(feedback_rows(42))]
    data = DataBunch.from_files(rows, text="text", label="label", group="app")

    anew = data.splits_anew(4, 0.2, 0)

    assert [len({example.group for example in one.examples("valid")}) for one in anew] == [1, 1]


def test_rows_that_cannot_be_split_anew_are_refused() -> None:
    data = DataBunch.from_files(feedback_rows(), [{"text": "the app crashes", "label": "bug"}])
    same = [example for example in data.examples("train")[:1] for _ in range(4)]

    with pytest.raises(DataError, match="cannot be split"):
        DataBunch(data.task, {"train": tuple(same), "valid": ()}).splits_anew(2, 0.2, 0)


def test_tables_that_are_given_are_not_split() -> None:
    rows = feedback_rows(48)

    data = DataBunch.from_files(rows[:30], rows[30:40], rows[40:])

    assert {split: len(part) for split, part in data.splits.items()} == {"train": 30, "valid": 10, "test": 8}


def test_a_test_table_alone_leaves_the_validation_share() -> None:
    rows = feedback_rows(48)

    data = DataBunch.from_files(rows[:40], test=rows[40:], valid_share=0.2)

    assert list(data.splits) == ["train", "valid", "test"]
    assert len(data.examples("valid")) == 8


# --- sources ------------------------------------------------------------------------------------------


def test_a_frame_and_a_file_give_the_same_examples(tmp_path: Path) -> None:
    from_file = DataBunch.from_files(write_feedback(tmp_path / "feedback.csv"))
    from_frame = DataBunch.from_files(pd.DataFrame(feedback_rows()))

    assert texts(from_file, "train") == texts(from_frame, "train")
    assert from_file.labels == from_frame.labels


def test_examples_know_where_they_come_from(tmp_path: Path) -> None:
    data = DataBunch.from_files(write_feedback(tmp_path / "feedback.csv"))

    assert data.examples("train")[0].where == "feedback.csv, row 2"


def test_one_label_column_makes_a_single_label_task() -> None:
    assert make_data().task == SingleLabel(make_data().task.labels)  # type: ignore[attr-defined]  # of Classification


def test_columns_of_flags_make_a_multi_label_task() -> None:
    data = DataBunch.from_files(tagged_rows())

    assert isinstance(data.task, MultiLabel)
    assert data.labels == ("bug", "praise", "long")


def test_flag_columns_in_another_order_mean_the_same(tmp_path: Path) -> None:
    rows = tagged_rows(20)
    valid = [{name: row[name] for name in ("long", "text", "praise", "bug")} for row in rows]

    data = DataBunch.from_files(rows, valid)

    assert [one.truth for one in data.examples("valid")] == [one.truth for one in data.examples("train")]


def test_options_may_come_as_a_configuration() -> None:
    config = DataConfig(text=("text",), labels=("label",), valid_share=0.2)

    assert len(DataBunch.from_files(feedback_rows(), config=config, valid_share=0.5).examples("valid")) == 20


@pytest.mark.parametrize("options", [{"text": "note"}, {"label": "tag"}, {"text": "note", "label": "tag"}])
def test_a_column_given_by_name_means_that_there_is_a_header(options: dict[str, object], tmp_path: Path) -> None:
    # so few rows below it tell nothing about the first one
    table = write_csv(tmp_path / "few.csv", ["note", "tag"], [["it works", "praise"], ["it is slow", "bug"]])

    assert DataBunch.from_files(table, table, **options).labels == ("bug", "praise")  # type: ignore[arg-type]


def write_kinds(path: Path, count: int) -> Path:
    """Write rows under the names feedback and kind, which only a column of labels gives away."""
    return write_csv(path, ["feedback", "kind"], [list(row.values()) for row in feedback_rows(count)])


@pytest.mark.parametrize("split", ["valid", "test"])
def test_a_short_table_has_the_header_of_the_training_table(split: str, tmp_path: Path) -> None:
    train, few = write_kinds(tmp_path / "train.csv", 40), write_kinds(tmp_path / "few.csv", 6)

    data = DataBunch.from_files(train, **{split: few})  # type: ignore[arg-type]  # valid or test

    assert len(data.examples(split)) == 6
    assert len(data.read_rows(few)) == 6


def test_a_table_has_no_header_where_the_training_table_had_none(tmp_path: Path) -> None:
    lines = [f"{row['text']}\t{row['label']}\n" for row in feedback_rows()]
    train, valid = tmp_path / "train.tsv", tmp_path / "valid.tsv"
    train.write_text("".join(lines), encoding="utf-8")
    valid.write_text("review\tbug\n" + "".join(lines[:5]), encoding="utf-8")

    assert len(DataBunch.from_files(train, valid).examples("valid")) == 6


def test_the_numbers_that_pandas_writes_above_a_frame_are_a_header(tmp_path: Path) -> None:
    table = tmp_path / "frame.csv"
    pd.DataFrame([(row["text"], row["label"]) for row in feedback_rows()]).to_csv(table, index=False)

    data = DataBunch.from_files(table, table)

    assert [len(data.examples(split)) for split in ("train", "valid")] == [40, 40]
    assert data.labels == ("bug", "praise")


# --- the label and labels options ---------------------------------------------------------------------


def test_labels_may_be_the_path_of_a_file_of_names(tmp_path: Path) -> None:
    names = tmp_path / "labels.csv"
    names.write_text("praise\nbug\n", encoding="utf-8")  # W19: there, the last newline was a label, too

    data = DataBunch.from_files(feedback_rows(), text="text", labels=str(names))

    assert data.labels == ("praise", "bug")


def test_label_and_a_file_of_names_go_together(tmp_path: Path) -> None:
    names = tmp_path / "labels.txt"
    names.write_text("praise\nbug", encoding="utf-8")
    rows = [{**row, "other": index % 5} for index, row in enumerate(feedback_rows())]

    assert DataBunch.from_files(rows, label="label", labels=names).labels == ("praise", "bug")


def test_numbers_are_positions_in_the_file_of_names(tmp_path: Path) -> None:
    names = tmp_path / "labels.txt"
    names.write_text("bug\npraise\n", encoding="utf-8")
    rows = [{"text": row["text"], "label": int(row["label"] == "praise")} for row in feedback_rows()]

    data = DataBunch.from_files(rows, labels=names)

    assert data.label_counts()["train"]["praise"] > 0


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ({"label": "tag"}, {"labels": ("tag",)}),
        ({"label": "a, b"}, {"labels": ("a, b",)}),
        ({"label": 3}, {"labels": 3}),
        ({"labels": "a,b"}, {"labels": "a,b"}),
        ({"labels": Path("names.txt")}, {"labels_file": "names.txt"}),
        ({"labels": Path("names.txt"), "label": "tag"}, {"labels_file": "names.txt", "labels": ("tag",)}),
        ({"labels": ",".join(f"label {number}" for number in range(99))}, None),
    ],
    ids=["label", "with comma", "number", "labels", "path", "both", "longer than a path"],
)
def test_options_are_normalised(given: dict[str, object], normal: dict[str, object] | None) -> None:
    assert normalize_options(given) == (normal or given)


def test_a_column_that_is_named_like_a_file_is_a_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "label").write_text("nothing to do with it", encoding="utf-8")

    assert DataBunch.from_files(feedback_rows(), label="label").labels == ("bug", "praise")


def test_one_column_and_several_at_once_are_refused() -> None:
    with pytest.raises(ConfigError, match="label and labels are both given.\n  Use label for one column"):
        DataBunch.from_files(tagged_rows(), label="bug", labels="bug,praise")


# --- labels -------------------------------------------------------------------------------------------


def test_the_order_of_labels_is_the_same_in_every_process() -> None:
    # W14: there, the order came from a set, so that it differed between runs.
    program = (
        "from fastbert import DataBunch\n"
        "rows = [{'text': f'text number {i}', 'label': f'label {i % 7}'} for i in range(42)]\n"
        "print(DataBunch.from_files(rows).labels)"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }

    assert outputs == {str(tuple(f"label {number}" for number in range(7))) + "\n"}


@pytest.mark.parametrize("split", ["valid", "test"])
def test_a_label_that_training_does_not_have_is_refused_with_its_place(split: str, tmp_path: Path) -> None:
    table = write_csv(tmp_path / f"{split}.csv", ["text", "label"], [["one more", "bug"], ["the app", "prase"]])

    with pytest.raises(DataError) as caught:
        DataBunch.from_files(feedback_rows(), **{split: table})  # type: ignore[arg-type]  # valid or test

    assert str(caught.value) == (
        f"{split}.csv, row 3: label 'prase' is not one of the 2 labels (bug, praise).\n  Did you mean 'praise'?"
    )


def test_a_label_that_the_file_of_names_does_not_have_is_refused(tmp_path: Path) -> None:
    names = tmp_path / "labels.txt"
    names.write_text("bug\npraised", encoding="utf-8")

    with pytest.raises(DataError, match=r"(?s)label 'praise' is not one of the 2 labels.*drop --labels-file"):
        DataBunch.from_files(feedback_rows(), text="text", label="label", labels_file=str(names))


# --- facts and warnings -------------------------------------------------------------------------------


def test_facts_say_how_files_were_read_and_split(tmp_path: Path) -> None:
    data = DataBunch.from_files(write_feedback(tmp_path / "feedback.csv"))

    assert data.facts == (
        "feedback.csv: comma-separated, utf-8",
        "Text: column 'text', by its name.",
        "Labels: column 'label', by its name.",
        "Task: single_label, because each cell of column 'label' is one label.",
        "valid: 4 of 40 training rows held out (stratified, seed 42)",
    )


def test_texts_in_both_splits_are_a_warning() -> None:
    data = DataBunch.from_files(feedback_rows(20), feedback_rows(4))

    assert any("4 texts occur in train and valid alike" in warning for warning in data.warnings)


def test_rows_that_are_left_out_are_a_warning_with_their_split() -> None:
    rows = [*feedback_rows(), {"text": "", "label": "bug"}]

    data = DataBunch.from_files(rows, on_bad_row="skip")

    assert "train: 1 of 41 rows of rows left out: column 'text' is empty (row 41)." in data.warnings


def test_clean_data_has_no_warning() -> None:
    rows = [
        {"text": f"{row['text']} {number}", "label": row["label"]} for number in range(20) for row in feedback_rows()
    ]

    assert DataBunch.from_files(rows).warnings == ()


# --- tokens -------------------------------------------------------------------------------------------


def test_without_a_tokenizer_nothing_is_encoded() -> None:
    with pytest.raises(ConfigError, match="The data has no tokenizer yet.\n  Make a Learner"):
        make_data().encoded("train")


def test_rows_are_encoded_once() -> None:
    data = make_data().with_tokenizer(tiny_tokenizer(), 64)

    assert data.encoded("train") is data.encoded("train")


def test_another_length_is_encoded_anew() -> None:
    data = make_data().with_tokenizer(tiny_tokenizer(), 64)
    data.encoded("train")

    shorter = data.with_tokenizer(tiny_tokenizer(), 8)
    assert data.with_tokenizer(tiny_tokenizer(), 64).encoded("train") is data.encoded("train")  # a like tokenizer
    assert (max(data.encoded("train").costs.longest_N), max(shorter.encoded("train").costs.longest_N)) == (12, 8)


def test_features_are_in_the_order_of_the_rows() -> None:
    data = make_data().with_tokenizer(tiny_tokenizer(), 64)

    assert [feature.example for feature in data.encoded("valid").features] == list(range(8))


# --- other tables by the same layout ------------------------------------------------------------------


def test_another_table_is_read_by_the_same_layout(tmp_path: Path) -> None:
    rows = [[row["label"], "x", row["text"]] for row in feedback_rows(4)]
    table = write_csv(tmp_path / "more.csv", ["label", "other", "text"], rows)

    examples = make_data().read_rows(table)

    assert [example.truth for example in examples] == [("bug",), ("praise",)] * 2


def test_another_table_may_not_have_other_labels(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "more.csv", ["text", "label"], [["the app works", "question"]])

    with pytest.raises(DataError, match="more.csv, row 2: label 'question' is not one of the 2 labels"):
        make_data().read_rows(table)


def test_data_made_by_hand_has_no_layout_to_read_by() -> None:
    examples = (TextExample("a", labels=("bug",)),)
    data = DataBunch(make_data().task, {"train": examples, "valid": examples})

    with pytest.raises(ConfigError, match="not read from a file"):
        data.read_rows(feedback_rows())


def test_validation_questions_without_any_answer_are_refused_where_the_model_always_gives_one() -> None:
    known = {"question": "Who?", "context": "Anna came.", "answer": "Anna"}

    with pytest.raises(DataError, match="None of the 1 questions has an answer, but the model always gives one"):
        DataBunch.from_files([known] * 4, valid=[{**known, "answer": ""}])
