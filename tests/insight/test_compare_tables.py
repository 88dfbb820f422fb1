"""From a bundle and tables to a comparison with baselines."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from fastbert.bundle import read_bundle, rewrite
from fastbert.config import DataConfig
from fastbert.decisions.abstain import Abstention
from fastbert.decisions.rules import Decisions
from fastbert.errors import ConfigError
from fastbert.insight.compare_tables import BaselineOptions, Compared, compare_tables
from fastbert.labels import Labels
from fastbert.tasks.classification import MultiLabel
from tests.bundles import tiny_bundle
from tests.feedback import feedback_rows, write_feedback


def compared(bundle: Path, *, against: str | None = None, **options: object) -> Compared:
    baselines = BaselineOptions(**{"train": feedback_rows(40), **options})  # type: ignore[arg-type]
    return compare_tables([bundle], feedback_rows(48)[40:], DataConfig(), baselines=baselines, against=against)


def test_a_bundle_and_baselines_answer_the_same_rows(bundle: Path, encoder: str) -> None:
    found = compared(bundle, encoder=encoder)

    assert list(found.answers) == ["model", "majority", "tfidf", "embeddings"]
    assert {len(said) for said in found.answers.values()} == {8}
    assert [one.name for one in found.costs] == list(found.answers)
    assert found.costs[0].size_bytes and found.costs[1].size_bytes is None


def test_the_scores_of_the_bundle_are_those_of_evaluate(bundle: Path) -> None:
    from fastbert.inference.evaluation import evaluate_table
    from fastbert.inference.predictor import Predictor

    found = compared(bundle, names=("majority",))

    expected = evaluate_table(Predictor.load(bundle), feedback_rows(48)[40:], DataConfig())
    assert found.comparison.standings[0].scores == expected.scores
    assert found.comparison.standings[0].per_label == expected.per_label


def test_a_bundle_that_holds_answers_back_is_compared_by_what_it_decides(bundle: Path, tmp_path: Path) -> None:
    unsure = Path(shutil.copytree(bundle, tmp_path / "unsure"))
    rule = Decisions(abstention=Abstention(confidence=0.9999))
    rewrite(replace(read_bundle(unsure), decisions=rule), lambda folder: None)

    found = compare_tables([bundle, unsure], feedback_rows(48)[40:], DataConfig())

    assert {one.labels for one in found.answers["unsure"]} == {()}
    assert [one.labels for one in found.whole["unsure"]] == [one.labels for one in found.answers["model"]]
    assert found.comparison.duels[0].differences["f1_macro"].value == 0.0


def test_a_baseline_can_be_what_the_others_are_held_against(bundle: Path) -> None:
    found = compared(bundle, names=("tfidf",), against="tfidf")

    assert [(duel.name, duel.against) for duel in found.comparison.duels] == [("model", "tfidf")]


def test_a_folder_named_like_a_baseline_is_compared_beside_it(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(bundle, tmp_path / "tfidf")
    monkeypatch.chdir(tmp_path)
    baselines = BaselineOptions(feedback_rows(40), names=("tfidf",))

    found = compare_tables([Path("tfidf")], feedback_rows(48)[40:], DataConfig(), baselines=baselines)

    assert list(found.answers) == ["./tfidf", "tfidf"]


def test_training_rows_may_have_a_label_that_is_not_compared(tmp_path: Path) -> None:
    wide = [
        {**row, "label": f"{row['label']}|question" if row["text"] == "the page is bad" else row["label"]}
        for row in feedback_rows(40)
    ]
    folders = [
        tiny_bundle(tmp_path / name, task=MultiLabel(Labels(names)))
        for name, names in (("a", ("bug", "praise", "question")), ("b", ("bug", "praise")))
    ]
    baselines = BaselineOptions(wide, names=("tfidf", "majority"))

    found = compare_tables(folders, feedback_rows(48)[40:], DataConfig(task="multi_label"), baselines=baselines)

    assert list(found.answers) == ["a", "b", "tfidf", "majority"]
    assert found.task.label_names == ("bug", "praise")


def test_notes_say_what_was_fitted(bundle: Path) -> None:
    (note,) = compared(bundle, names=("tfidf",)).comparison.notes

    assert note.startswith("tfidf: logistic regression on TF-IDF of words and pieces, strength ")


def test_rows_that_the_baselines_were_fitted_on_are_counted(bundle: Path) -> None:
    options = BaselineOptions(feedback_rows(40), names=("majority",))

    found = compare_tables([bundle], feedback_rows(44), DataConfig(), baselines=options)

    assert found.comparison.notes[0].startswith("40 of the 44 compared rows have texts that the baselines were fitted")


def test_validation_rows_of_their_own_leave_all_training_rows(bundle: Path) -> None:
    told: list[str] = []
    options = BaselineOptions(feedback_rows(30), feedback_rows(40)[30:], ("tfidf",))

    compare_tables([bundle], feedback_rows(48)[40:], DataConfig(), baselines=options, on_note=told.append)

    assert told[0] == "fitting the baseline tfidf on 30 rows"


def test_json_has_the_cost_and_no_text(bundle: Path) -> None:
    found = compared(bundle, names=("majority",)).to_json()

    assert "cost" in found and "button" not in str(found)


def test_one_bundle_alone_is_refused(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        compare_tables([bundle], write_feedback(tmp_path / "t.csv"), DataConfig())

    assert str(caught.value) == (
        "There is only one model and nothing to compare it with.\n"
        "  Name another bundle, or labelled rows for baselines with --train."
    )


def test_a_wrong_reference_is_refused_before_any_work(bundle: Path) -> None:
    told: list[str] = []
    options = BaselineOptions(feedback_rows(40), names=("majority",))

    with pytest.raises(ConfigError, match="There is no model 'best' to compare against"):
        compare_tables([bundle], feedback_rows(4), DataConfig(), baselines=options, against="best", on_note=told.append)

    assert told == []


@pytest.mark.parametrize(("options", "name"), [({"names": ("tfidf",)}, "--baselines"), ({"valid": "v.csv"}, "--valid")])
def test_baselines_without_rows_are_refused(options: dict[str, object], name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is given, but no rows to fit on"):
        BaselineOptions(**options)  # type: ignore[arg-type]
