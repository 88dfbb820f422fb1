"""The plan: what it says, what it estimates, and that making it changes nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from fastbert.config import TrainConfig
from fastbert.data.batches import middle_step, training_steps
from fastbert.data.databunch import DataBunch
from fastbert.errors import ConfigError, EncoderError
from fastbert.models.work import measure_work
from fastbert.training.plan import total_steps
from tests.feedback import differing, feedback_rows, make_data, make_learner, tagged_rows, weights, write_feedback
from tests.tasks.questions import question_rows


@pytest.mark.parametrize(
    ("epochs", "num_rows", "batch_size", "steps"),
    [(1.0, 32, 8, 4), (3.0, 33, 8, 15), (0.5, 32, 8, 2), (0.3, 32, 8, 2), (0.01, 32, 8, 1), (2.0, 3, 8, 2)],
)
def test_steps_of_all_epochs(epochs: float, num_rows: int, batch_size: int, steps: int) -> None:
    assert total_steps(TrainConfig(epochs=epochs, batch_size=batch_size), num_rows) == steps


def test_the_plan_is_what_fit_does(encoder: str) -> None:
    learner = make_learner(encoder)
    plan = learner.plan(epochs=3, estimate=False)

    learner.fit(epochs=3)

    assert learner.last_plan == plan
    assert learner.last_run.step == plan.steps == 12


def test_a_plan_leaves_the_weights_alone(encoder: str) -> None:
    learner = make_learner(encoder)
    before = weights(learner.model)

    learner.plan(estimate=True)

    assert differing(before, weights(learner.model)) == []


@pytest.mark.parametrize("fitted", [False, True], ids=["fresh", "fitted"])
def test_a_plan_leaves_no_gradients(fitted: bool, encoder: str) -> None:
    learner = make_learner(encoder)
    if fitted:
        learner.fit(epochs=1)

    learner.plan(estimate=True)

    assert all(parameter.grad is None for parameter in learner.model.parameters())


def test_a_plan_leaves_every_random_generator_alone(encoder: str) -> None:
    learner = make_learner(encoder)
    learner.model.train()  # so that dropout draws numbers while it measures
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # type: ignore[index]  # noqa: NPY002

    learner.plan(estimate=True)

    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # type: ignore[index]  # noqa: NPY002
    assert before[:2] == after[:2]
    assert torch.equal(before[2], after[2])


def test_a_plan_in_between_does_not_change_a_second_fit(encoder: str) -> None:
    first, second = make_learner(encoder).fit(epochs=1), make_learner(encoder).fit(epochs=1)

    first.fit(epochs=1)
    second.plan()
    second.fit(epochs=1)

    assert differing(weights(first.model), weights(second.model)) == []


def test_time_is_estimated_only_when_asked_for(encoder: str) -> None:
    learner = make_learner(encoder)

    assert learner.plan(estimate=False).seconds == 0.0
    assert learner.plan(estimate=True).seconds > 0.0


def test_twice_the_epochs_take_about_twice_the_time(encoder: str) -> None:
    learner = make_learner(encoder)

    short, long = learner.plan(epochs=1), learner.plan(epochs=1000)

    assert long.seconds > 10 * short.seconds  # 1000 but for the noise of a busy machine


def test_memory_holds_libraries_weights_gradients_moments_copies_and_saved_tensors(encoder: str) -> None:
    learner = make_learner(encoder, batch_size=3)
    num_weights = sum(parameter.numel() for parameter in learner.model.parameters())
    longest = 12
    saved = measure_work(learner.model, learner.runtime, learner.encoder.tokenizer.input_names).saved

    found = learner.plan(estimate=False).memory_bytes

    assert found == int(450e6 + (4 + 1 + 1) * 4 * num_weights + 1.5 * saved.of([longest] * 3))


def test_frozen_weights_need_neither_gradients_nor_moments(encoder: str) -> None:
    learner = make_learner(encoder)
    before = learner.plan(estimate=False).memory_bytes

    frozen = learner.freeze()

    assert before - learner.plan(estimate=False).memory_bytes >= 3 * 4 * frozen


def test_parts_of_a_batch_need_memory_one_at_a_time(encoder: str) -> None:
    learner = make_learner(encoder)

    whole, parted = (learner.plan(batch_tokens=tokens, estimate=False).memory_bytes for tokens in (8192, 24))

    assert parted < whole


def test_windows_of_long_texts_need_memory_each(encoder: str) -> None:
    cut, read = (
        make_learner(encoder, DataBunch.from_files(feedback_rows(), max_tokens=8, truncation=how, valid_share=0.2))
        for how in ("head_tail", "windows")
    )

    assert cut.plan(estimate=False).memory_bytes < read.plan(estimate=False).memory_bytes


def test_a_long_context_needs_no_more_than_its_passes(encoder: str) -> None:
    """The windows of a question are trained apart: a pass is as large as with two or three, however long."""
    fillers = ("the page is slow " * 8, "the page is slow " * 60)
    learners = [make_learner(encoder, questions_with(filler)) for filler in fillers]

    needed = [learner.plan(batch_tokens=64, estimate=False).memory_bytes for learner in learners]

    assert [int(learner.data.encoded("train").costs.windows_N.max()) > 10 for learner in learners] == [False, True]
    assert needed[1] == needed[0]


def test_the_time_of_rows_with_many_windows_is_counted(encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row of 40 has most of the tokens: an epoch is far longer than the step that is timed times their number."""
    monkeypatch.setattr("fastbert.training.plan._time_passes", lambda stepper, parts: 1.0)
    learner = make_learner(encoder, questions_with("the page is slow " * 60))

    seconds = learner.plan(batch_size=4, batch_tokens=64, epochs=1).seconds

    costs = learner.data.encoded("train").costs
    steps = training_steps(costs, batch_size=4, batch_tokens=64, seed=0, epoch=0)
    _, times = middle_step(steps, costs)
    assert times > 2 * len(steps)
    assert seconds >= times


def questions_with(filler: str) -> DataBunch:
    """Return questions about short contexts, and one about a context with a filler in it."""
    rows = [{"question": "who ?", "context": f"anna has page {number}", "answer": "anna"} for number in range(40)]
    rows[7]["context"] = f"anna has {filler}"
    return DataBunch.from_files(rows, valid=question_rows(4), max_tokens=32)


@pytest.mark.parametrize(("batch_size", "rows"), [(4, 24), (30, 30)])
def test_a_batch_of_pairs_needs_memory_for_its_rows(batch_size: int, rows: int, encoder: str) -> None:
    learner = make_learner(encoder, start="contrastive", batch_size=batch_size)
    num_weights = sum(parameter.numel() for parameter in learner.model.parameters())
    saved = measure_work(learner.model, learner.runtime, learner.encoder.tokenizer.input_names).saved

    found = learner.plan(estimate=False).memory_bytes

    assert found == int(450e6 + (4 + 1 + 1) * 4 * num_weights + 1.5 * saved.of([12] * rows))


def test_larger_batches_need_more_memory(encoder: str) -> None:
    learner = make_learner(encoder)

    small, large = learner.plan(batch_size=4, estimate=False), learner.plan(batch_size=16, estimate=False)

    assert small.memory_bytes < large.memory_bytes


def test_the_plan_is_plain_json_with_the_documented_keys(encoder: str) -> None:
    values = json.loads(json.dumps(make_learner(encoder).plan().to_json(), allow_nan=False))

    assert set(values) == {
        "task", "labels", "rows", "label_counts", "facts", "warnings", "layout", "lengths", "max_tokens",
        "encoder", "runtime", "options", "reasons", "steps", "estimated_seconds", "estimated_memory_bytes",
    }  # fmt: skip
    assert values["labels"] == ["bug", "praise"]
    assert values["rows"] == {"train": 32, "valid": 8}
    assert values["label_counts"]["train"] == {"bug": 16, "praise": 16}
    assert values["options"]["lr"] == 1e-3
    assert values["layout"]["text"] == "text"


def test_no_text_of_a_row_is_in_the_plan(encoder: str) -> None:
    plan = make_learner(encoder).plan()

    written = json.dumps(plan.to_json()) + repr(plan.view())

    assert not [row["text"] for row in feedback_rows() if row["text"] in written]


def test_the_plan_for_people_says_what_was_inferred(encoder: str) -> None:
    view = repr(make_learner(encoder).plan().view())

    assert "task       single_label, 2 labels" in view
    assert "rows       train 32, valid 8" in view
    assert "training   2 epochs = 8 steps of 8 rows, adamw, warmup_linear, peak lr 0.001" in view
    assert "Text: column 'text', by its name." in view
    assert "valid: 8 of 40 training rows held out (stratified, seed 42)" in view
    assert "bug        16      4\n  praise     16      4" in view
    assert "valid has only 8 rows" in view


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, "peak lr 0.001, 10 times that in the head\n"),
        ({"head_lr_factor": 2.5}, "peak lr 0.001, 2.5 times that in the head\n"),
        ({"head_lr_factor": 1.0}, "peak lr 0.001\n"),
        ({"optimizer": "sgd"}, "peak lr 0.001\n"),
    ],
)
def test_the_plan_says_where_the_head_has_a_rate_of_its_own(
    options: dict[str, object], line: str, encoder: str
) -> None:
    assert line in repr(make_learner(encoder, **options).plan(estimate=False).view())  # type: ignore[arg-type]  # any


@pytest.mark.parametrize(("patience", "words"), [(2, "up to about"), (0, "about")])
def test_a_run_that_may_stop_early_takes_up_to_the_estimate(patience: int, words: str, encoder: str) -> None:
    assert f"estimate   {words} " in repr(make_learner(encoder, patience=patience).plan().view())


def test_reasons_are_given_for_what_the_recipe_chose(encoder: str) -> None:
    plan = make_learner(encoder, lr=None, epochs=None).plan(estimate=False)

    assert len(plan.reasons) == 3
    assert all(reason in repr(plan.view()) for reason in plan.reasons)


def test_only_forty_labels_are_shown(encoder: str) -> None:
    rows = [
        {"text": f"{row['text']} {number}", "tag": f"tag{number}"} for number in range(50) for row in feedback_rows(4)
    ]

    view = repr(make_learner(encoder, DataBunch.from_files(rows, label="tag")).plan(estimate=False).view())

    assert "Labels (the first 40 of 50)" in view


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schedule": "warmup_linaer"}, "Schedule 'warmup_linaer' is not known.*\n  Did you mean 'warmup_linear'?"),
        ({"optimizer": "adamv"}, "Optimizer 'adamv' is not known.*\n  Did you mean 'adamw'?"),
        ({"epoch": 3}, "'epoch' is not an option.\n  Did you mean 'epochs'?"),
        ({"warmup": 9.0}, "warmup=9 is too long for schedule 'warmup_linear'"),
        ({"encoder": "other"}, "'encoder' cannot change from fit to fit.\n  Make another Learner"),
        ({"loss": "balanced"}, "'loss' cannot change from fit to fit."),
        ({"precision": "fp32"}, "'precision' cannot change from fit to fit."),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_measured(
    options: dict[str, object], message: str, encoder: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        make_learner(encoder).plan(estimate=False, **options)


def test_more_tokens_than_the_encoder_takes_are_refused(encoder: str) -> None:
    data = DataBunch.from_files(feedback_rows(), max_tokens=65)

    with pytest.raises(EncoderError, match="max_tokens is 65; this encoder takes at most 64"):
        make_learner(encoder, data).plan()


@pytest.mark.parametrize("truncation", ["head_tail", "windows"])
def test_the_plan_says_how_many_rows_are_too_long(truncation: str, encoder: str) -> None:
    data = DataBunch.from_files(feedback_rows(), max_tokens=8, truncation=truncation, valid_share=0.2)
    verb = "read in windows" if truncation == "windows" else "cut (head_tail)"

    plan = make_learner(encoder, data).plan()

    lengths = str(plan.to_json()["lengths"])
    assert lengths.endswith(f"longest 12; limit 8, 20 of 32 rows are {verb}")


def test_a_multi_label_table_has_a_plan_too(encoder: str) -> None:
    plan = make_learner(encoder, DataBunch.from_files(tagged_rows(), valid_share=0.2)).plan()

    assert plan.to_json()["task"] == "multi_label"


def test_the_plan_of_a_file_says_how_it_was_read(encoder: str, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "feedback.csv")

    plan = make_learner(encoder, DataBunch.from_files(table)).plan(estimate=False)

    assert "feedback.csv: comma-separated, utf-8" in plan.data.facts


def test_plans_of_equal_learners_are_equal(encoder: str) -> None:
    data = make_data()

    assert (
        make_learner(encoder, data).plan(estimate=False).to_json()
        == make_learner(encoder, data).plan(estimate=False).to_json()
    )
