"""What may lie where a run writes: nothing of anyone else's is lost, and one run at a time writes there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fastbert.errors import ConfigError, TrainingError
from fastbert.training.adapt_place import CHECKPOINT, FILES, IfExists, check_out, place_checkpoint, working_place
from fastbert.training.adapt_plan import FACTS
from fastbert.training.adapt_state import STATE, has_state, working_folder


def save(folder: Path) -> None:
    (folder / "weights").write_text("new", encoding="utf-8")


def keep_state(working: Path) -> None:
    (working / "epoch-00001").mkdir()
    (working / "epoch-00001" / STATE).write_text("{}", encoding="utf-8")


def old_encoder(folder: Path) -> Path:
    folder.mkdir()
    (folder / "weights").write_text("old", encoding="utf-8")
    (folder / FACTS).write_text(json.dumps({FILES: ["weights"]}), encoding="utf-8")
    return folder


def test_a_checkpoint_lies_with_its_facts_and_nothing_else_is_left(tmp_path: Path) -> None:
    with working_place(tmp_path / "out", "refuse"):
        place_checkpoint(tmp_path / "out", save, {"loss": 1})

    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted(["out", "weights", FACTS])


def test_what_came_to_lie_there_during_the_run_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ConfigError, match="out exists already") as refused, working_place(out, "refuse") as working:
        keep_state(working)
        out.mkdir()
        (out / "thesis").touch()
        place_checkpoint(out, save, {})

    assert refused.value.hint == "Move it away and go on with --resume."
    assert (out / "thesis").exists() and not (working / CHECKPOINT).exists()
    out.rename(tmp_path / "elsewhere")
    with working_place(out, "resume"):
        place_checkpoint(out, save, {})
    assert (out / "weights").exists() and not working.exists()


def test_a_run_that_may_replace_still_may_when_it_goes_on(tmp_path: Path) -> None:
    out = old_encoder(tmp_path / "out")
    with pytest.raises(KeyboardInterrupt), working_place(out, "overwrite") as working:
        keep_state(working)
        raise KeyboardInterrupt

    with working_place(out, "resume"):
        place_checkpoint(out, save, {})

    assert (out / "weights").read_text(encoding="utf-8") == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_run_that_may_not_replace_does_not_when_it_goes_on(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), working_place(tmp_path / "out", "refuse") as working:
        keep_state(working)
        raise KeyboardInterrupt
    old_encoder(tmp_path / "out")

    with pytest.raises(ConfigError, match="out exists already"):
        check_out(tmp_path / "out", "resume")


def test_a_file_of_ones_own_beside_the_encoder_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with working_place(out, "refuse"):
        place_checkpoint(out, save, {})
    check_out(out, "overwrite")
    (out / "model").mkdir()
    (out / "model" / "bundle.json").touch()

    with pytest.raises(ConfigError, match="no part of the adapted encoder, such as model/bundle.json; it is not"):
        check_out(out, "overwrite")


def test_what_a_killed_run_was_writing_is_removed(tmp_path: Path) -> None:
    part = working_folder(tmp_path / "out") / ".1a2b.part"
    part.mkdir(parents=True)

    with working_place(tmp_path / "out", "refuse") as working:
        assert not part.exists() and working.exists()


def test_a_link_of_ones_own_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with working_place(out, "refuse"):
        place_checkpoint(out, save, {})
    (tmp_path / "texts").mkdir()
    (out / "texts").symlink_to(tmp_path / "texts")

    with pytest.raises(ConfigError, match="no part of the adapted encoder, such as texts; it is not replaced"):
        check_out(out, "overwrite")


@pytest.mark.parametrize("facts", ["", "[]", "{}"])
def test_an_encoder_whose_facts_are_broken_is_not_replaced(tmp_path: Path, facts: str) -> None:
    (old_encoder(tmp_path / "out") / FACTS).write_text(facts, encoding="utf-8")

    with pytest.raises(ConfigError, match="such as weights"):
        check_out(tmp_path / "out", "overwrite")


def test_a_run_that_goes_on_is_not_called_interrupted(tmp_path: Path) -> None:
    with working_place(tmp_path / "out", "refuse") as working:
        keep_state(working)
        for if_exists in ("refuse", "overwrite", "resume"):
            with pytest.raises(ConfigError, match="another run is writing there at this moment"):
                check_out(tmp_path / "out", if_exists)
        assert has_state(working)


def test_another_word_for_what_lies_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="if_exists is 'replace'; expected one of refuse, overwrite, resume"):
        check_out(tmp_path / "out", "replace")  # type: ignore[arg-type]


def test_two_runs_do_not_write_to_one_place(tmp_path: Path) -> None:
    with (
        working_place(tmp_path / "out", "refuse"),
        pytest.raises(ConfigError, match="another run is writing there"),
        working_place(tmp_path / "out", "refuse"),
    ):
        pass

    with working_place(tmp_path / "out", "refuse") as working:
        assert working.exists()


def test_a_run_without_a_finished_epoch_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), working_place(tmp_path / "out", "refuse"):
        raise KeyboardInterrupt

    assert not list(tmp_path.iterdir())


def test_half_a_checkpoint_of_a_killed_run_is_cleared_away(tmp_path: Path) -> None:
    half = working_folder(tmp_path / "out") / CHECKPOINT
    half.mkdir(parents=True)
    (half / "half").touch()
    with working_place(tmp_path / "out", "refuse"):
        place_checkpoint(tmp_path / "out", save, {})

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(["weights", FACTS])


def test_a_full_disk_is_said_and_leaves_the_state(tmp_path: Path) -> None:
    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with (
        pytest.raises(TrainingError, match=r"could not be written \(No space left on device\)"),
        working_place(tmp_path / "out", "refuse") as working,
    ):
        keep_state(working)
        place_checkpoint(tmp_path / "out", full, {})

    assert (working / "epoch-00001" / STATE).exists() and not (tmp_path / "out").exists()


def test_a_name_too_long_for_the_disk_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be made"):
        check_out(tmp_path / ("n" * 250), "refuse")
    check_out(tmp_path / ("n" * (os.pathconf(tmp_path, "PC_NAME_MAX") - 30)), "refuse")


@pytest.mark.parametrize("if_exists", ["refuse", "overwrite", "resume"])
def test_a_run_that_was_killed_after_all_was_written_leaves_nothing_behind(if_exists: IfExists, tmp_path: Path) -> None:
    out = old_encoder(tmp_path / "out")
    (out / FACTS).write_text(json.dumps({FILES: ["weights"], "key": "abc"}), encoding="utf-8")
    working = working_folder(out)
    working.mkdir()
    keep_state(working)
    (working / "epoch-00001" / STATE).write_text(json.dumps({"key": "abc"}), encoding="utf-8")

    if if_exists == "overwrite":
        check_out(out, if_exists)
    else:
        with pytest.raises(ConfigError, match="no interrupted run" if if_exists == "resume" else "out exists already"):
            check_out(out, if_exists)

    assert not working.exists()
