"""The study in its database: what it holds, whom it lets go on, and what processes that are gone leave in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from fastbert.errors import ConfigError, MissingExtraError
from fastbert.tuning import study
from fastbert.tuning.space import Choice, Range, Space
from fastbert.tuning.study import LATE, Trials, check_url, open_storage, quiet

SPACE = Space(
    {"lr": Range(0.5, 2.0, log=True, times=True), "batch_size": Range(4, 8, whole=True), "loss": Choice((1, 2))}
)
FACTS = {"rows": "abc", "options": {"epochs": 2.0, "labels": ("a", "b")}}


def trials(folder: Path, *, latency: bool = False) -> Trials:
    return Trials(open_storage(f"sqlite:///{folder / 'study.db'}"), "model", SPACE, 0, latency)


def opened(folder: Path, **facts: object) -> Trials:
    found = trials(folder)
    found.open({**FACTS, **facts})
    return found


def test_trials_are_drawn_from_the_space_and_come_back_as_records(tmp_path: Path) -> None:
    def run(trial: optuna.Trial) -> float:
        trial.set_user_attr("options", found.draw(trial))
        trial.set_user_attr("latency_s", [0.1, 0.2])
        return 0.5

    with quiet():
        found = opened(tmp_path)
        found.enqueue({"lr": 1.0, "batch_size": 4, "loss": 2})
        found.open_study.optimize(run, n_trials=2)
        first, second = opened(tmp_path).records()

    assert (first.number, first.state, first.value, first.first) == (0, "complete", 0.5, True)
    assert first.options == {"lr": 1.0, "batch_size": 4, "loss": 2} and first.latency_s == (0.1, 0.2)
    assert set(second.options) == set(SPACE.parts) and not second.first


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"rows": "xyz"}, "was begun with other rows: the rows are not the same"),
        ({"options": {"epochs": 3.0, "labels": ["a", "b"]}}, "other options: epochs was 2.0, is 3.0"),
        ({"space": {"lr": [1, 2]}}, "begun with other space"),
    ],
)
def test_a_study_that_was_begun_with_something_else_is_refused(
    facts: dict[str, object], message: str, tmp_path: Path
) -> None:
    with quiet():
        opened(tmp_path)
        with pytest.raises(ConfigError) as caught:
            opened(tmp_path, **facts)

    assert message in caught.value.message
    assert caught.value.hint is not None and "--restart deletes it" in caught.value.hint


def test_a_study_of_others_is_refused(tmp_path: Path) -> None:
    with quiet():
        storage = open_storage(f"sqlite:///{tmp_path / 'study.db'}")
        theirs = optuna.create_study(storage=storage, study_name="model")
        theirs.optimize(lambda trial: 1.0, n_trials=1)
        with pytest.raises(ConfigError, match="that FastBert did not make"):
            opened(tmp_path)


def test_a_study_whose_maker_was_killed_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "BEGUN_S", 0.0)
    with quiet():
        storage = open_storage(f"sqlite:///{tmp_path / 'study.db'}")
        optuna.create_study(storage=storage, study_name="model")
        opened(tmp_path)

        assert opened(tmp_path).records() == []


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")  # of trials that nobody runs
def test_running_trials_of_ended_processes_are_given_up_and_those_of_others_are_not(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    host = study.own_process()["host"]
    owners = [{"host": host, "pid": ended.pid}, {"host": host, "pid": os.getppid()}, {"host": "elsewhere", "pid": 1}]
    with quiet():
        found = opened(tmp_path)
        for owner in owners:
            found.open_study.ask().set_user_attr("owner", owner)

        assert [one.state for one in opened(tmp_path).records()] == ["failed", "running", "running"]


def test_a_first_trial_that_was_cut_short_is_none(tmp_path: Path) -> None:
    def late(trial: optuna.Trial) -> float:
        trial.set_user_attr("note", LATE)
        return 0.5

    with quiet():
        found = opened(tmp_path)
        found.enqueue({"lr": 1.0, "batch_size": 4, "loss": 2})
        assert found.first_state() == "waiting"
        found.open_study.optimize(late, n_trials=1)

        assert found.first_state() is None


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")  # of a trial that nobody runs
def test_a_first_trial_is_one_until_the_process_that_runs_it_is_gone(tmp_path: Path) -> None:
    with quiet():
        found = opened(tmp_path)
        assert found.first_state() is None
        found.enqueue({"lr": 1.0, "batch_size": 4, "loss": 2})
        trial = found.open_study.ask()
        assert found.first_state() == "running"
        found.open_study.tell(trial, state=optuna.trial.TrialState.FAIL)
        assert found.first_state() is None
        found.enqueue({"lr": 1.0, "batch_size": 4, "loss": 2})
        found.open_study.optimize(lambda trial: 0.5, n_trials=1)

        assert found.first_state() == "complete"


def test_importances_name_what_decides_and_say_nothing_of_few_trials(tmp_path: Path) -> None:
    def run(trial: optuna.Trial) -> float:
        drawn = found.draw(trial)
        return -abs(float(str(drawn["lr"])) - 1.0)

    with quiet():
        found = opened(tmp_path)
        found.open_study.optimize(run, n_trials=4)
        assert found.importances() == {}
        found.open_study.optimize(run, n_trials=26)
        shares = found.importances()

    assert max(shares, key=lambda name: shares[name]) == "lr"
    assert sum(shares.values()) == pytest.approx(1.0)


def test_a_study_can_be_deleted(tmp_path: Path) -> None:
    with quiet():
        opened(tmp_path).delete()
        trials(tmp_path).delete()  # there is none: nothing to do

        assert opened(tmp_path, rows="other").records() == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("study.db", "storage is no URL of a database"),
        ("oracel://host/name", "'oracel' is no kind of database"),
        ("postgresql+pg8000://me:secret@host/name", "needs the package pg8000, which is not installed"),
    ],
)
def test_databases_that_cannot_be_used_are_refused_without_the_password(url: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_url(url)

    assert message in caught.value.message and caught.value.hint
    assert "secret" not in str(caught.value)


def test_a_missing_driver_of_postgresql_is_named_with_its_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(ConfigError) as caught:
        check_url("postgresql+psycopg://me:secret@host/name")

    assert caught.value.hint == 'Install it with `pip install "psycopg[binary]"`.'
    assert "me:***@host" in caught.value.message


def test_a_database_that_cannot_be_opened_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "TRIES", 1)
    with quiet(), pytest.raises(ConfigError, match=r"the database cannot be opened \(unable to open database file\)"):
        open_storage(f"sqlite:///{tmp_path / 'no' / 'study.db'}")


def test_optuna_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)

    with pytest.raises(MissingExtraError, match=r"needs the package optuna(.|\n)*fastbert-nlp\[tune\]"):
        study.load_optuna()


def test_optuna_is_quiet_only_meanwhile() -> None:
    before = optuna.logging.get_verbosity()
    with quiet():
        assert optuna.logging.get_verbosity() == optuna.logging.CRITICAL

    assert optuna.logging.get_verbosity() == before
