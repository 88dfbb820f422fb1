"""Another rule for a trained model: fitted to what lies in the bundle or to a table, scored, saved whole."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from fastbert.bundle import MANIFEST, read_bundle, rewrite
from fastbert.config import DecisionConfig
from fastbert.data.databunch import DataBunch
from fastbert.decisions.saved import FILE
from fastbert.errors import BundleError, ConfigError, TrainingError
from fastbert.inference.predictor import Predictor
from fastbert.insight import deciding
from fastbert.insight.deciding import decide, saved_rows
from fastbert.insight.linear_check import LinearCheck
from fastbert.insight.repeating import repeat_command
from fastbert.insight.run_facts import read_facts
from fastbert.tasks.label_prediction import labelled
from fastbert.training.learner import Learner
from tests.feedback import FAST, feedback_rows, tagged_rows, write_feedback

TEXTS = [str(row["text"]) for row in feedback_rows(12)]


@pytest.fixture(scope="module")
def tagged(encoder: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model of several labels, with a test split."""
    data = DataBunch.from_files(tagged_rows(40), None, tagged_rows(48)[40:], valid_share=0.2)
    return Learner(data, encoder, **FAST).fit().save(tmp_path_factory.mktemp("tagged") / "model")  # type: ignore[arg-type]


@pytest.fixture
def model(tagged: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tagged, tmp_path / "model"))


def test_what_lies_in_the_bundle_is_what_the_model_says(model: Path) -> None:
    raw, examples = saved_rows(read_bundle(model))["test"]

    again = Predictor.load(model, "torch")([str(row["text"]) for row in tagged_rows(48)[40:]])

    assert [example.text for example in examples] == [""] * 8
    task, decisions = read_bundle(model).task, read_bundle(model).decisions
    for kept, new in zip(task.redecide(raw, decisions), again, strict=True):
        assert kept.labels == new.labels
        assert kept.scores == pytest.approx(new.scores, abs=1e-6)


def test_another_goal_changes_the_answers_of_every_backend_that_opens_it(model: Path) -> None:
    found = decide(model, DecisionConfig(at_least=2, at_most=2))

    assert found.saved
    opened = Predictor.load(model, "torch")
    assert opened.bundle.decisions == found.bundle.decisions
    assert [len(answer.labels) for answer in opened(TEXTS)] == [2] * 12


def test_the_difference_to_the_linear_model_goes_with_the_rule_it_was_measured_by(encoder: str, tmp_path: Path) -> None:
    data = DataBunch.from_files(tagged_rows(40), valid_share=0.2)
    learner = Learner(data, encoder, **FAST).fit()  # type: ignore[arg-type]
    folder = learner.save(tmp_path / "model", baseline=LinearCheck.of(data))
    assert "difference" in read_facts(read_bundle(folder).facts).baseline

    decide(folder, DecisionConfig(at_least=2, at_most=2))

    found = read_facts(read_bundle(folder).facts).baseline
    assert "difference" not in found and found["scores"]
    assert "rule was changed after the training" in (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def called(bundle: Path, tmp_path: Path) -> Path:
    """Return a model of tables that have names."""
    return Path(shutil.copytree(bundle, tmp_path / "model"))


def test_the_report_says_how_to_repeat_the_rule_that_the_bundle_has(called: Path) -> None:
    decide(called, DecisionConfig(goal="recall>=0.9@bug"))
    assert "goal=recall&gt;=0.9@bug" in (called / "report.html").read_text(encoding="utf-8")

    found = decide(called, DecisionConfig(abstain="0.8"))

    command = repeat_command(read_facts(read_bundle(called).facts), "model")
    assert "--set abstain=0.8" in command and "goal" not in command
    assert found.dropped == {"goal": "recall>=0.9@bug"}


def test_a_rule_of_a_table_is_repeated_with_it(called: Path, tmp_path: Path) -> None:
    decide(called, DecisionConfig(at_most=2), write_feedback(tmp_path / "new.csv"))
    assert "&& fastbert decide model new.csv --at-most 2\n" in (called / "README.md").read_text(encoding="utf-8")

    decide(called, DecisionConfig(at_most=2))

    assert repeat_command(read_facts(read_bundle(called).facts), "model").endswith("--set at_most=2 --out model")


def test_a_rule_of_rows_in_memory_cannot_be_repeated(called: Path) -> None:
    decide(called, DecisionConfig(), feedback_rows())

    assert "Train it again" not in (called / "README.md").read_text(encoding="utf-8")


def test_out_of_fold_scores_are_those_of_the_rule_before(called: Path) -> None:
    trained = read_bundle(called)
    folds = {"folds": 2, "scores": {"accuracy": {"mean": 0.8}}}
    rewrite(replace(trained, facts={**trained.facts, "cross_validation": folds}), lambda working: None)

    decide(called, DecisionConfig())
    assert read_bundle(called).facts["cross_validation"] == folds

    decide(called, DecisionConfig(at_most=2))
    assert "the scores are by the rule before" in (called / "report.html").read_text(encoding="utf-8")


def test_scores_of_every_split_are_those_of_the_new_rule(model: Path) -> None:
    trained = read_bundle(model).scores

    found = decide(model, DecisionConfig(goal="recall>=0.99"))

    bundle = read_bundle(model)
    for split in ("valid", "test"):
        raw, examples = saved_rows(bundle)[split]
        expected = bundle.task.score(bundle.task.redecide(raw, bundle.decisions), examples)
        assert bundle.scores[split] == pytest.approx(expected)
        assert found.after[split] == pytest.approx(expected)
    assert found.before["valid"] == pytest.approx(trained["valid"])


def test_the_report_and_the_card_say_the_new_rule(model: Path) -> None:
    decide(model, DecisionConfig(at_least=1, at_most=3))

    for name in ("report.html", "README.md"):
        assert "at least 1, the highest if need be, at most 3" in (model / name).read_text(encoding="utf-8")


def test_the_same_rule_as_in_training_changes_nothing(model: Path) -> None:
    before = read_bundle(model)

    found = decide(model, DecisionConfig())

    assert found.bundle.decisions == before.decisions
    for split in ("valid", "test"):
        assert found.bundle.scores[split] == pytest.approx(before.scores[split])


def test_nothing_is_written_on_a_trial(model: Path) -> None:
    before = (model / MANIFEST).read_bytes()

    found = decide(model, DecisionConfig(at_most=1), save=False)

    assert not found.saved
    assert (model / MANIFEST).read_bytes() == before


def test_rows_that_are_given_decide_before_those_of_the_training(model: Path) -> None:
    found = decide(model, DecisionConfig(), tagged_rows(40))

    assert found.fitted == "given"
    assert found.bundle.decisions.fit["rows"] == 40
    assert {"valid", "test", "given"} == found.after.keys()
    assert read_bundle(model).scores.keys() == {"valid", "test"}


def test_one_label_a_row_can_learn_to_say_unknown(bundle: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(bundle, tmp_path / "model"))

    decide(model, DecisionConfig(abstain="coverage>=0.5"), write_feedback(tmp_path / "rows.csv"))

    answers = [labelled(one) for one in Predictor.load(model, "torch")(TEXTS)]
    assert any(answer.reason for answer in answers)
    assert all(not answer.labels for answer in answers if answer.reason)


def test_a_bundle_without_saved_rows_needs_a_table(model: Path) -> None:
    rows = model / FILE
    rows.unlink()
    values = (model / MANIFEST).read_text(encoding="utf-8")
    assert FILE in values
    with pytest.raises(BundleError, match=r"decisions\.npz is missing"):
        decide(model, DecisionConfig())


def test_an_older_bundle_is_told_to_give_rows(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "read_rows", lambda folder: {})

    with pytest.raises(ConfigError) as caught:
        decide(model, DecisionConfig())

    assert "holds no scores of validation rows" in str(caught.value)
    assert caught.value.hint == "Give labelled rows: fastbert decide BUNDLE TABLE."


def test_a_goal_is_refused_before_anything_is_read(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "read_rows", lambda folder: pytest.fail("rows were read"))

    with pytest.raises(ConfigError, match="The goal is 'often'"):
        decide(model, DecisionConfig(goal="often"))


def test_a_full_disk_leaves_the_model_whole(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(deciding, "write_report", full)

    with pytest.raises(TrainingError, match="the decision rule could not be written"):
        decide(model, DecisionConfig(at_most=1))
    assert read_bundle(model).decisions.at_most is None
    assert not [path for path in model.iterdir() if path.name.startswith(".part-")]
