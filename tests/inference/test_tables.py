"""Rows in, rows with answers out: which column is read, in which order, and how much is held."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from fastbert.config import DataConfig
from fastbert.data.databunch import DataBunch
from fastbert.data.examples import Example, TextExample
from fastbert.data.table import Row
from fastbert.data.tagging import TaggingLayout
from fastbert.errors import DataError
from fastbert.inference import tables
from fastbert.inference.evaluation import saved_layout
from fastbert.inference.predictor import Predictor
from fastbert.inference.tables import TextRows, open_texts, predict_rows
from fastbert.tasks.base import Prediction
from tests.feedback import feedback_rows, make_learner, write_feedback
from tests.helpers import write_csv


class Answers:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.predictions: list[Prediction | None] = []

    def write(self, row: Row, prediction: Prediction | None) -> None:
        self.rows.append(row)
        self.predictions.append(prediction)


@pytest.fixture
def model(bundle: Path) -> Predictor:
    return Predictor.load(bundle)


def without_layout(model: Predictor) -> Predictor:
    """Return a model that was not trained on a table."""
    return Predictor(dataclasses.replace(model.bundle, facts={}), model.tokenizer, model.backend)


def answered(model: Predictor, source: Path | Sequence[object], **options: object) -> Answers:
    answers = Answers()
    predict_rows(model, open_texts(source, saved_layout(model), DataConfig().changed(**options)), answers)
    return answers


def test_the_text_column_is_that_of_the_training_table(model: Predictor, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "new.csv", ["id", "note", "text"], [[7, "bad", "the app is great"]])

    answers = answered(model, table)

    assert [one.text for one in answers.predictions if one is not None] == ["the app is great"]


def test_another_column_can_be_named(model: Predictor, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "new.csv", ["text", "note"], [["one", "the app is great"]])

    answers = answered(model, table, text="note")

    assert [one.text for one in answers.predictions if one is not None] == ["the app is great"]


def test_a_column_can_be_given_by_its_number(model: Predictor, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "new.csv", ["1", "the app is great"], [["2", "the app is slow"]])

    answers = answered(model, table, text="1", header=False)

    assert [one.text for one in answers.predictions if one is not None] == ["the app is great", "the app is slow"]


def test_a_number_finds_a_column_that_has_a_name(model: Predictor, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "new.csv", ["id", "text"], [[number, f"the app {number}"] for number in range(9)])

    answers = answered(model, table, text="1", header=True)

    assert [row.cells[1] for row in answers.rows] == [one.text if one else None for one in answers.predictions]


def test_a_model_of_numbered_columns_takes_the_first_row_as_data(encoder: str, tmp_path: Path) -> None:
    table = tmp_path / "raw.tsv"
    table.write_text("".join(f"{row['label']}\t{row['text']}\n" for row in feedback_rows()), encoding="utf-8")
    data = DataBunch.from_files(table, header=False, text="1", labels="0")
    numbered = Predictor.load(make_learner(encoder, data).save(tmp_path / "model"))
    new = tmp_path / "new.tsv"
    new.write_text("label\ttext\nbug\tthe app is slow\n", encoding="utf-8")

    assert [row.cells[1] for row in answered(numbered, new).rows] == ["text", "the app is slow"]


def test_the_only_column_needs_no_name(model: Predictor) -> None:
    answers = answered(model, ["the app is great", "the app is slow"])

    assert [one.text for one in answers.predictions if one is not None] == ["the app is great", "the app is slow"]


def test_two_columns_are_read_as_pairs(model: Predictor, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "new.csv", ["one", "two"], [["the app", "is great"]])

    answers = answered(without_layout(model), table, text="one,two")

    assert [(one.text, one.pair) for one in answers.predictions if one is not None] == [("the app", "is great")]


def test_a_table_may_come_through_a_pipe(model: Predictor) -> None:
    stream = io.BytesIO(b"id,text\n1,the app is great\n2,the app is slow\n")
    answers = Answers()

    predict_rows(model, open_texts("-", saved_layout(model), DataConfig(), stream=stream), answers)

    assert [row.cells[0] for row in answers.rows] == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("texd", "new.csv: there is no column 'texd'; the columns are id, text.\n  Did you mean 'text'?"),
        ("9", "new.csv: there is no column '9'; the columns are id, text.\n  Name the text column with --text."),
        ("²", "new.csv: there is no column '²'; the columns are id, text.\n  Name the text column with --text."),
    ],
)
def test_a_column_that_is_not_there_is_refused(name: str, message: str, model: Predictor, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "new.csv", ["id", "text"], [[1, "the app"]])

    with pytest.raises(DataError) as caught:
        open_texts(table, saved_layout(model), DataConfig().changed(text=name))

    assert str(caught.value) == message


def test_a_model_without_a_layout_needs_the_name_of_the_column(model: Predictor, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "new.csv", ["id", "text"], [[1, "the app"]])

    with pytest.raises(
        DataError, match="2 columns, and the model does not say.*\n  Name it with --text: one of id, text."
    ):
        open_texts(table, None, DataConfig())


def test_a_model_without_a_layout_reads_a_single_column(model: Predictor) -> None:
    assert len(answered(without_layout(model), ["the app is great"]).rows) == 1


# --- rows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_answers_are_in_the_order_of_the_rows(
    chunk: int, model: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "CHUNK", chunk)
    table = write_feedback(tmp_path / "new.csv", 10)

    answers = answered(model, table)

    assert [row.number for row in answers.rows] == list(range(2, 12))
    assert [row.cells[0] for row in answers.rows] == [one.text if one else None for one in answers.predictions]


@pytest.mark.parametrize("text", ["", "   ", None, 3])
def test_a_row_without_text_is_kept_and_counted(text: object, model: Predictor) -> None:
    answers = Answers()
    rows = [{"text": "the app"}, {"text": text}, {"text": "the page"}]

    counts = predict_rows(model, open_texts(rows, saved_layout(model), DataConfig()), answers)

    assert counts == (3, 1)
    assert [one is None for one in answers.predictions] == [False, True, False]


def test_a_pair_without_its_second_text_has_no_answer(model: Predictor) -> None:
    rows = [{"one": "the app", "two": ""}, {"one": "the app", "two": "is great"}]

    answers = answered(without_layout(model), rows, text="one,two")

    assert [one is None for one in answers.predictions] == [True, False]


def test_a_table_without_any_text_is_answered_without_the_model(model: Predictor) -> None:
    assert answered(model, [{"text": ""}, {"text": ""}]).predictions == [None, None]


def test_no_more_than_a_chunk_of_rows_is_held(model: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "CHUNK", 4)
    read: list[int] = []
    ahead: list[int] = []

    class Watch(Answers):
        def write(self, row: Row, prediction: Prediction | None) -> None:
            ahead.append(len(read) - row.number)

    def rows() -> Iterator[tuple[Row, Example | None]]:
        for number in range(10):
            read.append(number)
            yield Row(number, ("the app",)), TextExample("the app")

    predict_rows(model, TextRows(("text",), rows()), Watch())

    assert max(ahead) == 4


def test_a_bad_row_is_reported_before_any_answer(model: Predictor, tmp_path: Path) -> None:
    table = tmp_path / "new.csv"
    table.write_text("id,text\n1,the app\n2,one,two many\n", encoding="utf-8")

    with pytest.raises(DataError, match="new.csv, row 3: 3 cells found, the header has 2"):
        open_texts(table, saved_layout(model), DataConfig())


# --- files in a format of tagged text ---------------------------------------------------------------


def tagger(model: Predictor, layout: TaggingLayout) -> Predictor:
    """Return a model as if it was trained on a file of tagged text."""
    facts: dict[str, object] = {"plan": {"layout": layout.to_json()}}
    return Predictor(dataclasses.replace(model.bundle, facts=facts), model.tokenizer, model.backend)


def test_texts_of_documents_know_their_place_in_them(model: Predictor, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.txt").write_text("Intro\n\nMaria went\n", encoding="utf-8")
    brat = tagger(model, TaggingLayout("brat", None, None, None, None))

    texts = open_texts(tmp_path, saved_layout(brat), DataConfig())

    assert texts.columns == ("text", "document", "line", "offset")
    assert [row.cells for row, _ in texts.items] == [("Intro", "sub/b", 1, 0), ("Maria went", "sub/b", 3, 7)]


def test_texts_of_files_know_their_line_or_row(model: Predictor, tmp_path: Path) -> None:
    spans = tagger(model, TaggingLayout("spans", "text", "label", None, None))
    conll = tmp_path / "new.conll"
    conll.write_text("Maria B-PER\nwent O\n\nhome O\n", encoding="utf-8")
    pairs: list[object] = [("Maria", {"entities": []}), ("Anna", {"entities": []})]

    lines, rows = (
        open_texts(conll, saved_layout(spans), DataConfig()),
        open_texts(pairs, saved_layout(spans), DataConfig()),
    )

    assert lines.columns == ("text", "line")
    assert [row.cells for row, _ in lines.items] == [("Maria went", 1), ("home", 4)]
    assert rows.columns == ("text", "row")
    assert [row.cells for row, _ in rows.items] == [("Maria", 1), ("Anna", 2)]


def test_what_is_noticed_in_texts_to_predict_is_kept(model: Predictor, tmp_path: Path) -> None:
    brat = tagger(model, TaggingLayout("brat", None, None, None, None))
    for name, text in (("a", "Maria"), ("b", " ")):
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")

    assert open_texts(tmp_path, saved_layout(brat), DataConfig()).notes == (
        f"{tmp_path.name} is read as BRAT, texts with annotations beside.",
        f"1 of 2 rows of {tmp_path.name} left out: the text is empty (row 2).",
    )


# --- headers ------------------------------------------------------------------------------------------


@pytest.fixture
def kinds(encoder: str, tmp_path: Path) -> Predictor:
    """Return a model whose training table had the header feedback,kind."""
    rows = [list(row.values()) for row in feedback_rows()]
    data = DataBunch.from_files(write_csv(tmp_path / "train.csv", ["feedback", "kind"], rows))
    return Predictor.load(make_learner(encoder, data).save(tmp_path / "kinds"))


@pytest.mark.parametrize("name", ["feedback", "review"])
def test_the_header_of_a_single_column_is_no_text(name: str, kinds: Predictor, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "new.csv", [name], [["it is slow"], ["it is fast"], ["it works"]])

    assert len(answered(kinds, table).rows) == 3


def test_a_few_rows_have_the_header_of_the_training_table(kinds: Predictor, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "new.csv", ["kind", "feedback"], [["bug", "it is slow"]])

    assert [one.text for one in answered(kinds, table).predictions if one is not None] == ["it is slow"]


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (b"review\nI love it\n", ["review", "I love it"]),
        (b"question\n", ["question"]),
        (b"feedback\nI love it\n", ["I love it"]),
    ],
)
def test_piped_lines_have_a_header_only_if_it_is_the_trained_one(
    content: bytes, texts: list[str], kinds: Predictor
) -> None:
    answers = Answers()

    predict_rows(kinds, open_texts("-", saved_layout(kinds), DataConfig(), stream=io.BytesIO(content)), answers)

    assert [one.text for one in answers.predictions if one is not None] == texts
