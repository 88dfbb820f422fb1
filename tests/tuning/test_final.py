"""The end of a search: the model that was measured is the one that is written, and the test table is read last."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fastbert.api import Tables as TrainTables
from fastbert.api import fit, train
from fastbert.bundle import read_bundle
from fastbert.config import DecisionConfig, read_options, split_options
from fastbert.data.databunch import DataBunch
from fastbert.decisions.rules import Decisions
from fastbert.decisions.saved import FILE as DECISIONS
from fastbert.decisions.saved import read_rows
from fastbert.errors import ConfigError
from fastbert.inference.predictor import Predictor
from fastbert.insight.deciding import decide
from fastbert.insight.kept_rows import FILE as FACTS
from fastbert.insight.run_facts import read_facts
from fastbert.training.learner import Learner
from fastbert.training.saving import with_split
from fastbert.tuning import final
from fastbert.tuning.final import finish, winning_options
from fastbert.tuning.keeping import BEST, KEPT, PAGE, RESULT, SPACE
from fastbert.tuning.result import TuneResult
from fastbert.tuning.search import Search
from fastbert.tuning.space import read_space
from fastbert.tuning.study import quiet
from tests.feedback import write_feedback
from tests.tuning.small import first_of_another, noting, prepared


def run(tiny: str, folder: Path, test: Path | None = None, **options: Any) -> TuneResult:  # noqa: ANN401
    with quiet():
        search = Search(prepared(tiny, folder, test=test, **{"trials": 3, **options}))
        return finish(search, search.run())


def test_the_model_that_was_measured_is_written_with_all_that_leads_to_it(encoder: str, tmp_path: Path) -> None:
    found = run(encoder, tmp_path)
    winner, place = found.choice.winner, tmp_path / "model-tune"

    assert found.bundle is not None and found.bundle.folder == tmp_path / "model"
    assert found.bundle.scores["valid"]["f1_macro"] == winner.value
    facts = found.bundle.facts["tuning"]
    assert isinstance(facts, dict) and (facts["trial"], facts["options"]) == (winner.number, dict(winner.options))
    assert {path.name for path in place.iterdir()} >= {BEST, PAGE, RESULT, SPACE, KEPT, "study.db"}
    assert json.loads((place / RESULT).read_text())["winner"] == winner.number
    assert read_space(place / SPACE) == found.space
    assert Predictor.load(tmp_path / "model")(["the button is bad"])[0].labels


def test_training_with_the_options_that_were_found_gives_the_same_model(encoder: str, tmp_path: Path) -> None:
    found = run(encoder, tmp_path, space={"lr": [3e-3, 1e-2], "truncation": ["head", "windows"]})
    data, config = split_options(read_options(tmp_path / "model-tune" / BEST))
    again = train(TrainTables(tmp_path / "feedback.csv"), tmp_path / "again", data=data, config=config)

    assert found.bundle is not None
    assert again.bundle.scores == found.bundle.scores
    name = "model.safetensors"
    assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "model" / name).read_bytes()


def test_test_rows_are_answered_once_and_after_everything_else(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    monkeypatch.setattr(final, "with_split", noting(events, with_split, lambda folder, data, split: split))
    monkeypatch.setattr(Learner, "fit", noting(events, Learner.fit, lambda *a, **k: "fit"))
    test = write_feedback(tmp_path / "test.csv", 24)
    found = run(encoder, tmp_path, test)
    kept = [read_bundle(folder) for folder in (tmp_path / "model-tune" / KEPT).iterdir()]

    assert events == ["fit", "fit", "fit", "test"]
    assert kept and all(list(bundle.scores) == ["valid"] for bundle in kept)
    assert found.bundle is not None and found.bundle.scores["test"] == found.test
    report = (tmp_path / "model" / "report.html").read_text()
    assert "Measured on 24 test rows." in report


def test_test_rows_are_kept_as_by_a_training_and_follow_another_rule(encoder: str, tmp_path: Path) -> None:
    test = write_feedback(tmp_path / "test.csv", 24)
    run(encoder, tmp_path, test, trials=1)
    data, config = split_options(read_options(tmp_path / "model-tune" / BEST))
    tables = TrainTables(tmp_path / "feedback.csv", test=test, baseline=False)
    trained = train(tables, tmp_path / "trained", data=data, config=config).bundle
    searched = read_bundle(tmp_path / "model")
    rows = [{file: arrays(one.folder, file) for file in (DECISIONS, FACTS)} for one in (trained, searched)]
    facts = [read_facts(one.facts) for one in (trained, searched)]
    rule = DecisionConfig(abstain="0.99")

    assert rows[0] == rows[1] and {"test/scores", "valid/scores"} & rows[0][DECISIONS].keys()
    assert trained.scores == searched.scores and list(searched.scores) == ["valid", "test"]
    assert (facts[0].rows, facts[0].label_counts, facts[0].tables, facts[0].facts, facts[0].warnings) == (
        facts[1].rows, facts[1].label_counts, facts[1].tables, facts[1].facts, facts[1].warnings
    )  # fmt: skip
    assert facts[0].amount("evaluated_rows") == facts[1].amount("evaluated_rows")
    assert decide(trained.folder, rule).bundle.scores == decide(searched.folder, rule).bundle.scores


def arrays(folder: Path, file: str) -> dict[str, list[object]]:
    return {
        f"{split}/{name}": values.tolist()
        for split, found in read_rows(folder, file).items()
        for name, values in found.items()
    }


def test_the_decision_rule_that_is_asked_for_is_that_of_all_trials_and_of_the_model(
    encoder: str, tmp_path: Path
) -> None:
    rule: dict[str, Any] = {"goal": "recall>=0.9@bug", "abstain": "0.55"}
    found = run(encoder, tmp_path, trials=2, **rule)
    best: dict[str, Any] = read_options(tmp_path / "model-tune" / BEST)
    again = fit(tmp_path / "feedback.csv", out=tmp_path / "again", progress=False, baseline=False, **best).bundle

    assert found.bundle is not None and found.bundle.scores["valid"]["f1_macro"] == found.choice.winner.value
    assert read_facts(found.bundle.facts).deciding == rule == {name: best[name] for name in rule}
    assert found.bundle.decisions == again.decisions != Decisions() and found.bundle.scores == again.scores
    with pytest.raises(ConfigError, match="begun with other options: goal was recall>=0.9@bug, is not there"):
        run(encoder, tmp_path, trials=2, abstain="0.55")


def test_of_several_splits_the_winner_is_trained_on_the_data_as_they_are(encoder: str, tmp_path: Path) -> None:
    found = run(encoder, tmp_path, splits=2, trials=2)
    data, config = winning_options(prepared(encoder, tmp_path, splits=2), found.choice.winner)
    plain = Learner(DataBunch.from_files(tmp_path / "feedback.csv", config=data, seed=config.seed), config=config).fit()

    assert found.bundle is not None and not list((tmp_path / "model-tune" / KEPT).iterdir())
    assert found.bundle.scores["valid"] == plain.evaluate("valid")
    assert found.bundle.facts["tuning"]["trained_again"] is True  # type: ignore[index]


def test_a_kept_model_that_is_gone_is_trained_again(encoder: str, tmp_path: Path) -> None:
    first = run(encoder, tmp_path)
    for path in (tmp_path / "model-tune" / KEPT).iterdir():
        (path / "config.json").unlink()
    again = run(encoder, tmp_path)

    assert first.bundle is not None and again.bundle is not None
    assert again.bundle.scores == first.bundle.scores


def test_while_others_run_trials_nothing_is_written(encoder: str, tmp_path: Path) -> None:
    with quiet():
        search = Search(prepared(encoder, tmp_path, trials=2))
        records = search.run()
        found = finish(search, [*records, replace(records[0], number=7, state="running")])

    assert found.bundle is None and found.running == 1
    assert not (tmp_path / "model").exists()


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")  # of a trial that nobody runs
def test_a_process_that_ends_before_the_first_trial_does_leaves_the_end_to_another(
    encoder: str, tmp_path: Path
) -> None:
    with quiet():
        search = Search(prepared(encoder, tmp_path, trials=2))
        first_of_another(search.prepared, os.getppid())
        found = finish(search, search.run())

    assert found.bundle is None and found.running == 1 and len(found.records) == 2
    assert "trial 1 is the best so far" in found.sentences()[0]
    assert not (tmp_path / "model").exists()


def test_by_latency_the_export_is_saved_with_the_model(encoder: str, tmp_path: Path) -> None:
    space = {"max_tokens": [8, 16], "batch_size": [8, 16]}
    found = run(encoder, tmp_path, max_latency="2s", backend="onnx", space=space)

    assert found.bundle is not None and list(found.bundle.exports) == ["onnx"]
    assert found.choice.fits and found.choice.winner.latency_s is not None
