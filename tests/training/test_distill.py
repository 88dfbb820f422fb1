"""A student is trained on its teacher's answers alone, is an ordinary bundle, and says whose student it is."""

from __future__ import annotations

import json
import math
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner

import fastbert
from fastbert.cli import app
from fastbert.config import DataConfig, DecisionConfig, TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.decisions.calibration import Calibration
from fastbert.decisions.rules import Decisions
from fastbert.errors import BundleError, ConfigError
from fastbert.inference.evaluation import evaluate_table
from fastbert.inference.predictor import Predictor
from fastbert.insight.repeating import repeat_command
from fastbert.insight.run_facts import read_facts
from fastbert.tasks.base import Task
from fastbert.tasks.classification import SingleLabel
from fastbert.tasks.distilled import TaughtText, Teaching
from fastbert.tasks.regression import Regression
from fastbert.tasks.tagging import Tagging
from fastbert.training.distill import Distilled, Distilling
from fastbert.training.distill_rows import LessonTables
from tests.feedback import feedback_rows, make_learner, tagged_rows

ROWS = feedback_rows(24)
TEXTS = [row["text"] + " please" for row in feedback_rows(40)]
QUICK: dict[str, Any] = {"epochs": 2, "lr": 1e-3, "batch_size": 8, "precision": "fp32", "average": 1}


@pytest.fixture(scope="module")
def teacher(bundle: Path) -> Predictor:
    return Predictor.load(bundle)


def prepare(teacher: Predictor, encoder: str, tables: LessonTables | None = None, **options: Any) -> Distilling:  # noqa: ANN401
    config = TrainConfig().changed(**{**QUICK, "encoder": encoder, **options.pop("train", {})})
    return Distilling.prepare(
        teacher, tables or LessonTables([TEXTS]), config=config, data=DataConfig(valid_share=0.2), **options
    )


def stars(rows: list[dict[str, str]]) -> list[dict[str, object]]:
    return [
        {"text": row["text"], "stars": 1.0 + (row["label"] == "praise") * 3 + len(row["text"]) / 50} for row in rows
    ]


@dataclass(frozen=True)
class Lesson:
    """A whole distillation, which tests only read. seen: what it showed."""

    teacher: Predictor
    done: Distilled
    seen: tuple[str, ...]


@pytest.fixture(scope="module")
def lesson(teacher: Predictor, encoder: str, tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    """Return a distillation of a calibrated teacher, with 8 labelled rows to learn from and 16 to test."""
    calibrated = teacher.with_decisions(Decisions(calibration=Calibration("temperature", (0.1, 0.1), (0.0, 0.0))))
    ready = prepare(calibrated, encoder, LessonTables([TEXTS], ROWS[:8], test=ROWS[8:]), teaching=Teaching(3.0, 0.25))
    seen: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fastbert.training.distill.CHUNK", 20)
        folder = tmp_path_factory.mktemp("students") / "small"
        done = ready.run(folder, on_view=lambda view: seen.append(repr(view)))
    return Lesson(calibrated, done, tuple(seen))


# --- the result -----------------------------------------------------------------------------------------


def test_a_student_agrees_with_its_teacher_more_than_before_it_learned(
    teacher: Predictor, encoder: str, tmp_path: Path
) -> None:
    ready = prepare(teacher, encoder, train={"epochs": 8, "lr": 3e-3})
    before = ready.draft.predict(TEXTS)

    after = ready.run(tmp_path / "small").learner.predict(TEXTS)

    theirs = teacher.with_decisions(Decisions())(TEXTS)
    apart = [
        sum(abs(one.scores["bug"] - other.scores["bug"]) for one, other in zip(theirs, said, strict=True))
        for said in (before, after)
    ]
    assert apart[1] < apart[0] / 2


def test_a_student_is_an_ordinary_bundle_that_reads_tables_as_its_teacher_did(lesson: Lesson) -> None:
    student = Predictor.load(lesson.done.folder)

    assert type(student.task) is SingleLabel and student.task == lesson.teacher.task
    scores = evaluate_table(student, ROWS[8:], DataConfig()).scores
    assert scores == pytest.approx(student.bundle.scores["test"])


def test_a_student_is_held_against_a_linear_model_of_the_same_rows(lesson: Lesson) -> None:
    baseline: Any = lesson.done.baseline

    assert baseline == Predictor.load(lesson.done.folder).bundle.facts["baseline"] == lesson.done.to_json()["baseline"]
    assert (baseline["trained_rows"], baseline["split"]) == (34, "test")
    assert "Against a linear model" in str(lesson.done.view())
    assert "a linear model on words" in str(lesson.done.view())


@pytest.mark.parametrize(("test", "baseline"), [(None, True), (ROWS[8:], False)])
def test_without_labelled_rows_or_if_not_wanted_there_is_no_linear_model(
    test: list[dict[str, str]] | None, baseline: bool, teacher: Predictor, encoder: str, tmp_path: Path
) -> None:
    ready = prepare(teacher, encoder, LessonTables([TEXTS], test=test), train={"epochs": 1})

    done = ready.run(tmp_path / "small", baseline=baseline)

    assert done.baseline == {} and "baseline" not in done.to_json()


def test_the_bundle_says_whose_student_it_is_and_how_good(lesson: Lesson) -> None:
    facts: Any = Predictor.load(lesson.done.folder).bundle.facts["distillation"]

    assert (facts["teacher"], facts["temperature"], facts["label_weight"]) == ("model", 3.0, 0.25)
    assert facts["rows"] == {"texts": 26, "labelled": 8, "held_out": 8, "valid": 6}
    assert facts["chosen_by"] == "teacher"
    assert 0 <= facts["agreement"]["low"] <= facts["agreement"]["share"] <= facts["agreement"]["high"] <= 1
    assert facts["agreement"]["share"] == facts["agreement"]["scores"]["accuracy"]
    assert facts["truth"]["test"]["student"] == pytest.approx(lesson.done.learner.evaluate("test"))
    examples, said = lesson.done.learner.data.examples("test"), lesson.teacher([row["text"] for row in ROWS[8:]])
    assert facts["truth"]["test"]["teacher"] == pytest.approx(lesson.teacher.task.score(said, examples))
    assert [cost["name"] for cost in facts["costs"]] == ["teacher", "student"]
    assert all(cost["num_parameters"] > 0 and cost["texts_per_second"] > 0 for cost in facts["costs"])


def test_the_card_names_the_teacher_but_no_place_and_no_text(lesson: Lesson) -> None:
    folder = lesson.done.folder
    card = (folder / "README.md").read_text(encoding="utf-8")

    assert "Distilled from the model 'model'" in card and "Train it again" not in card
    assert str(folder.parent) not in card and str(lesson.teacher.bundle.folder) not in card
    assert TEXTS[0] not in card + (folder / "bundle.json").read_text(encoding="utf-8")


def test_the_command_that_distills_again_is_read_by_the_command_line(
    bundle: Path, encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / bundle.name).symlink_to(bundle)
    (tmp_path / Path(encoder).name).symlink_to(encoder)
    tables = LessonTables([tmp_path / "texts.txt"])
    done = prepare(Predictor.load(bundle), encoder, tables).run(tmp_path / "small")
    facts = read_facts(Predictor.load(done.folder).bundle.facts)

    words = shlex.split(repeat_command(facts, "again"))
    result = CliRunner().invoke(app, [*words[1:], "--plan", "--json"])

    assert words[:5] == ["fastbert", "distill", "model", "--unlabelled", "texts.txt"]
    assert result.exit_code == 0, result.output
    again = json.loads(result.stdout)["options"]
    assert {**again, "encoder": ""} == {**facts.options, "encoder": ""}


def test_outputs_are_taken_before_calibration(lesson: Lesson) -> None:
    row = cast("TaughtText", lesson.done.learner.data.examples("train")[0])
    (plain,) = lesson.teacher.with_decisions(Decisions())([row.text])
    (calibrated,) = lesson.teacher([row.text])

    assert row.outputs == pytest.approx([math.log(score) for score in plain.scores.values()])
    assert plain.scores != calibrated.scores


def test_labelled_validation_rows_choose_where_they_are_given(teacher: Predictor, encoder: str, tmp_path: Path) -> None:
    done = prepare(teacher, encoder, LessonTables([TEXTS], valid=feedback_rows(10))).run(tmp_path / "small")

    assert done.facts["chosen_by"] == "labels" and done.facts["label_weight"] is None
    assert [example.truth for example in done.learner.data.examples("valid")] == [("bug",), ("praise",)] * 5
    truth: Any = done.facts["truth"]
    assert truth["valid"]["student"] == pytest.approx(Predictor.load(done.folder).bundle.scores["valid"])


def test_several_labels_can_be_distilled(encoder: str, tmp_path: Path) -> None:
    folder = make_learner(encoder, DataBunch.from_files(tagged_rows(), valid_share=0.2)).fit().save(tmp_path / "large")

    model = fastbert.distill(
        folder,
        TEXTS,
        out=tmp_path / "small",
        train=tagged_rows(8),
        encoder=encoder,
        label_weight=0.3,
        progress=False,
        **QUICK,
    )

    assert (model.task.name, model.labels) == ("multi_label", ("bug", "praise", "long"))


def test_numbers_can_be_distilled(encoder: str, tmp_path: Path) -> None:
    rows = stars(feedback_rows())
    folder = make_learner(encoder, DataBunch.from_files(rows, valid_share=0.2)).fit().save(tmp_path / "large")

    model = fastbert.distill(
        folder, TEXTS, out=tmp_path / "small", test=rows[:10], encoder=encoder, progress=False, **QUICK
    )

    assert type(model.task) is Regression and model.task == Predictor.load(folder).task
    facts: Any = model.bundle.facts["distillation"]
    assert facts["temperature"] is None and "rmse" in facts["truth"]["test"]["student"]


# --- the plan -------------------------------------------------------------------------------------------


def test_the_plan_is_shown_before_the_teacher_answers_and_names_no_label_counts(lesson: Lesson) -> None:
    plan, *progress, counts = lesson.seen

    assert "model      model: single_label, 2 labels, torch" in plan
    assert "size       0.0 M parameters; the student 0.0 M" in plan
    assert (
        "student    learns from 26 texts without labels and 8 rows with labels; temperature 3, label weight 0.25"
        in plan
    )
    assert "chosen by  6 texts with the teacher's answers" in plan and "for 48 answers, then the training" in plan
    assert "training   2 epochs = 10 steps" in plan and "Labels" not in plan
    assert progress == ["  model: 20 of 34 texts answered", "  model: 34 of 34 texts answered"]
    assert counts.startswith("Labels")


def test_a_student_sees_the_answers_more_often_than_the_recipe_says_unless_asked(
    teacher: Predictor, encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastbert.training.distill.LEAST_EPOCHS", 30.0)

    epochs = [prepare(teacher, encoder, train={"epochs": asked}).draft.plan().config.epochs for asked in (None, 2)]

    assert epochs == [30, 2]


def test_the_plan_as_json_names_the_teacher(teacher: Predictor, encoder: str) -> None:
    values = prepare(teacher, encoder).to_json()

    assert (values["teacher"], values["label_counts"], values["chosen_by"]) == ("model", {}, "teacher")


# --- what is refused ------------------------------------------------------------------------------------


def test_a_teacher_whose_task_has_no_row_of_outputs_is_refused(teacher: Predictor, encoder: str) -> None:
    other = Predictor(replace(teacher.bundle, task=_tagging()), teacher.tokenizer, teacher.backend)

    with pytest.raises(ConfigError, match="The teacher's task is 'tagging', which cannot be distilled"):
        prepare(other, encoder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tables": LessonTables([])}, "There are no texts to learn from"),
        ({"teaching": Teaching(label_weight=0.5)}, "label_weight is 0.5, but no labelled rows are given"),
        ({"train": {"loss": "focal"}}, "loss is 'focal', but a student learns"),
        ({"decide": DecisionConfig(goal="precision>=0.9:nothing")}, "goal"),
    ],
    ids=["no texts", "weight without labels", "loss", "goal"],
)
def test_wrong_options_are_refused_before_any_work(
    options: dict[str, object], message: str, teacher: Predictor, encoder: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        prepare(teacher, encoder, **options)  # type: ignore[arg-type]  # each fits its parameter


def test_a_folder_that_exists_is_refused_before_the_teacher_is_opened(encoder: str, tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()

    with pytest.raises(BundleError, match="small exists already"):
        fastbert.distill(tmp_path / "no such model", TEXTS, out=tmp_path / "small", encoder=encoder)


def _tagging() -> Task:
    return Tagging.__new__(Tagging)
