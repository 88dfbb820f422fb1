"""The state of a run on disk: it comes back exactly, and what is damaged or of another run is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from fastbert.errors import BundleError, ConfigError, TrainingError
from fastbert.training.adapt_state import STATE, WEIGHTS, has_state, load_state, save_state, working_folder
from fastbert.training.masked_loop import Progress


class Tied(nn.Module):
    """Two layers that share a weight, as embeddings and decoder do."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.second = nn.Linear(3, 3)
        self.second.weight = self.first.weight


Parts = tuple[Tied, torch.optim.Optimizer, torch.amp.GradScaler]


def parts(steps: int) -> Parts:
    torch.manual_seed(0)
    model = Tied()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
    for _ in range(steps):
        loss = model.second(model.first(torch.ones(2, 3))).square().sum()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    return model, optimizer, torch.amp.GradScaler("cpu", enabled=False)


PROGRESS = Progress(2, 9, 90, 900, 1.5, ({"loss": 3.25}, {"loss": 1 / 3}))


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    trained, fresh = parts(3), parts(0)
    save_state(tmp_path / "run", *trained, PROGRESS, "key")

    assert load_state(tmp_path / "run", *fresh, "key") == PROGRESS
    for saved, loaded in zip(trained[0].parameters(), fresh[0].parameters(), strict=True):
        assert torch.equal(saved, loaded)
    assert fresh[0].first.weight is fresh[0].second.weight
    before, after = (one[1].state_dict()["state"] for one in (trained, fresh))
    assert all(torch.equal(before[index][name], after[index][name]) for index in before for name in before[index])


def test_only_the_latest_epoch_is_kept(tmp_path: Path) -> None:
    for epochs in (1, 2):
        save_state(tmp_path, *parts(epochs), Progress(epochs), "key")

    assert [path.name for path in tmp_path.iterdir()] == ["epoch-00002"]
    assert load_state(tmp_path, *parts(0), "key").epochs == 2


def test_a_half_written_state_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "epoch-00001").mkdir()

    assert not has_state(tmp_path)
    with pytest.raises(ConfigError, match="holds no finished epoch to go on from"):
        load_state(tmp_path, *parts(0), "key")


def test_the_state_of_another_run_is_refused(tmp_path: Path) -> None:
    save_state(tmp_path, *parts(1), PROGRESS, "key")

    with pytest.raises(ConfigError, match="of a run with another corpus, encoder or options"):
        load_state(tmp_path, *parts(0), "other")


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    save_state(tmp_path, *parts(1), PROGRESS, "key")
    place = tmp_path / "epoch-00002" / WEIGHTS
    place.write_bytes(place.read_bytes()[:-1] + b"x")

    with pytest.raises(BundleError, match=r"weights.safetensors was changed after it was written"):
        load_state(tmp_path, *parts(0), "key")


@pytest.mark.parametrize("change", [{"format": 2}, {"progress": {}}])
def test_a_state_that_cannot_be_read_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    save_state(tmp_path, *parts(1), PROGRESS, "key")
    place = tmp_path / "epoch-00002" / STATE
    place.write_text(json.dumps(json.loads(place.read_text()) | change))

    with pytest.raises(BundleError, match="has format 2|cannot be read"):
        load_state(tmp_path, *parts(0), "key")


def test_a_full_disk_keeps_the_state_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_state(tmp_path, *parts(1), Progress(1), "key")

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fastbert.training.adapt_state.save_file", fail)
    with pytest.raises(TrainingError, match="the state of the run could not be kept"):
        save_state(tmp_path, *parts(2), Progress(2), "key")

    assert [path.name for path in tmp_path.iterdir()] == ["epoch-00001"]


def test_a_full_disk_at_the_first_epoch_does_not_ask_to_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fastbert.training.adapt_state.save_file", fail)
    with pytest.raises(TrainingError) as raised:
        save_state(tmp_path, *parts(1), Progress(1), "key")

    assert raised.value.hint == "Free some space and start again."


def test_the_working_folder_is_hidden_beside_the_target(tmp_path: Path) -> None:
    assert working_folder(tmp_path / "out") == tmp_path / ".out.adapting"
