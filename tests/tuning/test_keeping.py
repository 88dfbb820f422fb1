"""The models of a search on disk: the defaults' and the best one, and nothing that a killed process left."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.errors import ConfigError
from fastbert.training.learner import Learner
from fastbert.tuning.keeping import HALF, KEPT, Merit, Place
from tests.feedback import make_learner


@pytest.fixture(scope="module")
def learner(encoder: str) -> Learner:
    return make_learner(encoder)


def place(folder: Path) -> Place:
    found = Place.beside(folder / "model")
    found.make()
    return found


def merits(**values: float) -> dict[int, Merit]:
    return {int(name[1:]): (1, value, -int(name[1:])) for name, value in values.items()}


def test_the_first_and_the_best_model_are_kept_and_no_other(learner: Learner, tmp_path: Path) -> None:
    kept = place(tmp_path)
    saved = [
        kept.offer(learner, 0, merits(t0=0.5), 0),
        kept.offer(learner, 1, merits(t0=0.5, t1=0.7), 0),
        kept.offer(learner, 2, merits(t0=0.5, t1=0.7, t2=0.6), 0),
        kept.offer(learner, 3, merits(t0=0.5, t1=0.7, t2=0.6, t3=0.8), 0),
        kept.offer(learner, 4, merits(t0=0.5, t1=0.7, t2=0.6, t3=0.8, t4=0.8), 0),
    ]

    assert saved == [True, True, False, True, False]
    assert kept.numbers() == [0, 3]
    assert kept.model(3) == tmp_path / "model-tune" / KEPT / "3" and kept.model(4) is None


def test_a_model_that_is_not_whole_is_none(learner: Learner, tmp_path: Path) -> None:
    kept = place(tmp_path)
    kept.offer(learner, 0, merits(t0=0.5), 0)
    (kept.folder / KEPT / "0" / "config.json").write_text("{}")

    assert kept.model(0) is None


def test_what_killed_processes_left_is_tidied_away(tmp_path: Path) -> None:
    kept = place(tmp_path)
    for name in ("3", "7", ".7.abcd.part"):
        (kept.folder / KEPT / name).mkdir()
    (kept.folder / f"{HALF}abcd").write_text("half")
    with kept.locked():
        kept.tidy([3])

    assert kept.numbers() == [3]
    assert sorted(path.name for path in kept.folder.rglob("*")) == ["3", KEPT, "lock"]


def test_files_are_written_whole(tmp_path: Path) -> None:
    kept = place(tmp_path)
    kept.write("best.toml", "lr = 1\n")
    kept.write("best.toml", "lr = 2\n")

    assert (kept.folder / "best.toml").read_text() == "lr = 2\n"
    assert not list(kept.folder.glob(f"{HALF}*"))


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "model-tune").mkdir()
    (tmp_path / "model-tune" / "thesis.txt").write_text("mine")

    with pytest.raises(ConfigError, match="holds something else, such as thesis.txt"):
        Place.beside(tmp_path / "model")


def test_clearing_removes_what_is_ours(learner: Learner, tmp_path: Path) -> None:
    kept = place(tmp_path)
    kept.offer(learner, 0, merits(t0=0.5), 0)
    kept.clear()

    assert [path.name for path in kept.folder.rglob("*")] == [KEPT]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="cannot be made"):
        Place.beside(tmp_path / "file" / "model").make()
