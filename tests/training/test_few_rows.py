"""When pairs of rows come first: for whom "auto" chooses it, and who cannot have it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from torch import nn

from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.errors import ConfigError
from fastbert.models.loading import open_encoder
from fastbert.tasks.classification import SingleLabel
from fastbert.training import few_rows
from fastbert.training.few_rows import with_start
from tests.feedback import feedback_rows, make_data, make_learner, tagged_rows, with_task


def test_auto_takes_pairs_first_where_rows_are_few_and_says_so(encoder: str) -> None:
    config, reasons = with_start(make_data(32), TrainConfig(), open_encoder(encoder), None)

    assert (config.start, config.pooling) == ("contrastive", "mean")
    assert reasons == (
        "start contrastive: 16 rows a label, at most 16; pairs of rows teach the encoder first, "
        "and the head reads the mean of the tokens",
    )


def test_auto_leaves_more_rows_to_the_recipe(encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_rows, "FEW_ROWS", 15)

    assert with_start(make_data(32), TrainConfig(), open_encoder(encoder), None) == (TrainConfig(), ())


def test_rows_held_out_are_counted_as_those_of_the_table(encoder: str) -> None:
    """34 rows of two labels are 17 a label, though 31 of them are trained on."""
    data = DataBunch.from_files(feedback_rows(34))

    assert with_start(data, TrainConfig(), open_encoder(encoder), None) == (TrainConfig(), ())
    _, reasons = with_start(DataBunch.from_files(feedback_rows(32)), TrainConfig(), open_encoder(encoder), None)
    assert reasons[0].startswith("start contrastive: 16 rows a label, at most 16")


FIRST = "start plain: with 16 rows a label pairs of rows would come first, but "


@pytest.mark.parametrize(
    ("options", "reasons"),
    [
        ({"lr": 1e-4}, (f"{FIRST}lr is set; start=contrastive asks for them anyway",)),
        ({"epochs": 2}, (f"{FIRST}epochs is set; start=contrastive asks for them anyway",)),
        ({"epochs": 2, "lr": 1e-4}, (f"{FIRST}epochs and lr are set; start=contrastive asks for them anyway",)),
        ({"freeze": "encoder"}, (f"{FIRST}freeze is 'encoder': the encoder cannot learn",)),
        ({"loss": "balanced"}, (f"{FIRST}loss is set; start=contrastive asks for them anyway",)),
        ({"reinit_layers": 1}, (f"{FIRST}reinit_layers is set; start=contrastive asks for them anyway",)),
        ({"start": "plain"}, ()),
        ({"start": "probe"}, ()),
    ],
)
def test_auto_respects_what_speaks_of_another_training_and_says_what_it_is(
    options: Mapping[str, object], reasons: tuple[str, ...], encoder: str
) -> None:
    config = TrainConfig().changed(**options)

    assert with_start(make_data(32), config, open_encoder(encoder), None) == (config, reasons)


def test_a_pooling_that_was_asked_for_stays(encoder: str) -> None:
    config, reasons = with_start(make_data(32), TrainConfig(pooling="cls"), open_encoder(encoder), None)

    assert (config.start, config.pooling) == ("contrastive", "cls")
    assert "the head reads the first token" in reasons[0]


def test_several_labels_a_row_train_as_before_and_are_refused_when_asked(encoder: str) -> None:
    data, opened = DataBunch.from_files(tagged_rows(), valid_share=0.2), open_encoder(encoder)

    config, reasons = with_start(data, TrainConfig(), opened, None)

    assert config.start == "auto"
    assert reasons == (
        "start plain: with 13.3 rows a label pairs of rows would come first, but the task is multi_label: pairs are "
        "told apart by the one label of a row",
    )
    with pytest.raises(ConfigError, match="start is 'contrastive', but the task is multi_label: pairs are told apart"):
        with_start(data, TrainConfig(start="contrastive"), opened, None)


def test_a_task_with_a_loss_of_its_own_trains_as_before(encoder: str) -> None:
    class OwnLoss(SingleLabel):
        pass

    data = make_data(32)
    own = with_task(data, OwnLoss(data.task.known_labels))  # type: ignore[arg-type]  # it has labels

    assert with_start(own, TrainConfig(), open_encoder(encoder), None)[0].start == "auto"


def test_two_texts_a_row_train_as_before(encoder: str) -> None:
    rows = [{"a": row["text"], "b": row["text"][:9], "label": row["label"]} for row in feedback_rows(32)]
    data = DataBunch.from_files(rows, text=("a", "b"), valid_share=0.2)

    config, reasons = with_start(data, TrainConfig(), open_encoder(encoder), None)

    assert config.start == "auto"
    assert reasons == (
        f"{FIRST}a row has two texts, for which they were not measured; start=contrastive asks for them anyway",
    )


def test_a_head_of_ones_own_trains_as_before_and_is_refused_when_asked(encoder: str) -> None:
    opened = open_encoder(encoder)

    assert with_start(make_data(32), TrainConfig(), opened, nn.Linear)[0].start == "auto"
    with pytest.raises(ConfigError, match="start is 'contrastive', but a head of your own is given"):
        with_start(make_data(32), TrainConfig(start="contrastive"), opened, nn.Linear)


def test_a_frozen_encoder_is_refused(encoder: str) -> None:
    with pytest.raises(ConfigError, match="freeze is 'encoder': the encoder cannot learn"):
        make_learner(encoder, start="contrastive", freeze="encoder")


def test_rows_without_a_pair_are_refused(encoder: str) -> None:
    rows = [{"text": row["text"], "label": f"l{index}"} for index, row in enumerate(feedback_rows(4))]
    data = DataBunch.from_files(rows, valid=rows)

    with pytest.raises(ConfigError, match="no two of one label beside one of another"):
        with_start(data, TrainConfig(start="contrastive"), open_encoder(encoder), None)
