"""Which rows the models of several configurations are compared on. The choice itself: `test_encoder_choice`."""

from __future__ import annotations

import pytest

from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.training.trials import ENOUGH_ROWS, MOST_SPLITS, num_splits, run_trials
from tests.feedback import feedback_rows


def config_for(encoder: str, **options: object) -> TrainConfig:
    return TrainConfig().changed(encoder=encoder, epochs=0.5, lr=1e-3, batch_size=8, precision="fp32", **options)


def rows_of(count: int) -> list[dict[str, str]]:
    rows = enumerate((feedback_rows(40) * 100)[:count])
    return [{"text": f"{row['text']} {place}", "label": row["label"]} for place, row in rows]


@pytest.mark.parametrize(("rows", "splits"), [(40, MOST_SPLITS), (400, 3), (ENOUGH_ROWS * 10, 0)])
def test_as_many_splits_are_wanted_as_make_enough_rows(rows: int, splits: int) -> None:
    assert num_splits(DataBunch.from_files(rows_of(rows))) == splits


def test_rows_of_the_users_own_file_are_taken_as_they_are() -> None:
    assert num_splits(DataBunch.from_files(rows_of(30), rows_of(40)[30:])) == 0


def test_all_configurations_answer_the_same_rows(encoder: str) -> None:
    data, told = DataBunch.from_files(feedback_rows(40)), list[str]()
    trained: list[tuple[str, int]] = []

    trials = run_trials(
        data,
        {"slow": config_for(encoder), "fast": config_for(encoder, schedule="none")},
        on_fit=told.append,
        on_trained=lambda name, learner: trained.append((name, len(learner.data.splits["train"]))),
    )

    assert told == [f"{name}, split {place} of 4" for name in ("slow", "fast") for place in (1, 2, 3, 4)]
    texts = [example.text for example in trials.examples]
    assert len(set(texts)) == len(texts) == 32
    assert all([answer.text for answer in answers] == texts for answers in trials.answers.values())
    assert not trials.own_split and trials.num_splits == 4
    assert trained == [("slow", 32)] * 4 + [("fast", 32)] * 4
