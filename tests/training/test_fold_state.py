"""Finished folds on disk: whole or not there, and of no use to another run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from fastbert.decisions.rules import Decisions
from fastbert.errors import ConfigError, TrainingError
from fastbert.tasks.base import Array, Batch
from fastbert.training import fold_state
from fastbert.training.fold_state import FoldOutputs, Recorder, Replay, load_fold, save_fold, working_place

BATCH: Batch = {
    "input_ids": np.array([[5, 6, 0], [7, 8, 9]]),
    "attention_mask": np.array([[1, 1, 0], [1, 1, 1]]),
    "token_type_ids": np.zeros((2, 3), np.int64),
}


class Doubling:
    """A backend that says twice the ids."""

    name, workers, batch_tokens = "doubling", 3, 128

    def forward(self, batch: Batch) -> dict[str, Array]:
        return {"logits": batch["input_ids"].astype(np.float32) * 2}


def outputs_of(*batches: Batch) -> FoldOutputs:
    recorder = Recorder(Doubling())
    for batch in batches:
        recorder.forward(batch)
    return FoldOutputs(Decisions(0.25, -1.5), recorder.batch_tokens, 12.5, recorder.outputs)


def test_a_fold_says_the_same_after_it_was_read_again(tmp_path: Path) -> None:
    other = {**BATCH, "input_ids": BATCH["input_ids"] + 1}
    save_fold(tmp_path, 2, outputs_of(BATCH, other))

    kept = load_fold(tmp_path, 2)

    assert kept is not None
    assert (kept.decisions, kept.batch_tokens, kept.seconds) == (Decisions(0.25, -1.5), 128, 12.5)
    replay = Replay(kept)
    np.testing.assert_array_equal(replay.forward(other)["logits"], other["input_ids"] * 2)
    np.testing.assert_array_equal(replay.forward(BATCH)["logits"], BATCH["input_ids"] * 2)


def test_a_pass_that_was_not_kept_is_not_made_up() -> None:
    masked = {**BATCH, "attention_mask": np.ones((2, 3), np.int64)}

    with pytest.raises(KeyError):
        Replay(outputs_of(BATCH)).forward(masked)


def test_there_is_no_fold_where_none_was_finished(tmp_path: Path) -> None:
    assert load_fold(tmp_path, 0) is None


def test_a_damaged_fold_is_none(tmp_path: Path) -> None:
    save_fold(tmp_path, 0, outputs_of(BATCH))
    file = tmp_path / "fold-001.safetensors"
    file.write_bytes(file.read_bytes()[:-10])

    assert load_fold(tmp_path, 0) is None


def test_a_disk_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: Path, target: Path) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("fastbert.training.fold_state.os.replace", fail)

    with pytest.raises(TrainingError, match=r"fold-001.safetensors: the finished fold could not be kept \(No space"):
        save_fold(tmp_path, 0, outputs_of(BATCH))
    assert list(tmp_path.iterdir()) == []


def test_finished_folds_are_those_of_the_same_key(tmp_path: Path) -> None:
    working = tmp_path / ".model.folds"
    with working_place(working, "one", discard=False):
        save_fold(working, 1, outputs_of(BATCH))

    assert fold_state.finished(working, "one", 3) == [1]
    assert fold_state.finished(working, "another", 3) == []


def test_folds_of_another_run_are_refused_until_they_may_be_discarded(tmp_path: Path) -> None:
    working = fold_state.working_folder(tmp_path / "model")
    with working_place(working, "one", discard=False):
        save_fold(working, 0, outputs_of(BATCH))

    with (
        pytest.raises(ConfigError, match=r"\.model\.folds holds finished folds of a run with other data") as error,
        working_place(working, "another", discard=False),
    ):
        pass
    with working_place(working, "another", discard=True):
        assert load_fold(working, 0) is None

    assert error.value.hint is not None and "discard its folds with --overwrite" in error.value.hint
    fold_state.clear(working)
    assert not working.exists()


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    working = tmp_path / ".model.folds"
    working.mkdir()

    with (
        FileLock(working / fold_state.LOCK),
        pytest.raises(ConfigError, match="another run is at work there at this moment"),
        working_place(working, "one", discard=False),
    ):
        pass
