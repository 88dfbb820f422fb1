"""What is shown of a run on a corpus, before and after."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fastbert.config import AdaptConfig
from fastbert.training.adapt_plan import FACTS, AdaptPlan, AdaptResult
from fastbert.training.masked_loop import Progress

PLAN = AdaptPlan(
    config=AdaptConfig(epochs=2, lr=1e-4, max_tokens=128),
    train="9 documents",
    valid="1 document",
    encoder="tiny",
    runtime="cpu",
    masking="15 % of the tokens masked, whole words",
    tokens=1000,
    sequences=8,
    steps=2,
    head_steps=1,
    seconds=4000.0,
    notes=("1 row without text left out.",),
    reasons=("2 epochs",),
    warnings=("The corpus is small.",),
)


def test_a_plan_says_what_will_be_done_and_what_is_odd() -> None:
    shown = repr(PLAN.view())

    assert "8 sequences of up to 128 tokens an epoch, documents packed without padding" in shown
    assert "2 epochs = 2 steps of 32 sequences, peak lr 0.0001" in shown
    assert "estimate   about 1 h 6 min" in shown
    assert PLAN.to_json()["estimated_seconds"] == 4000.0
    assert "- 1 row without text left out." in shown and "- The corpus is small." in shown
    assert json.loads(json.dumps(PLAN.to_json()))["options"]["mask_rate"] == 0.15


@pytest.mark.parametrize(
    ("written", "masks"),
    [
        (0, "whole words, anew in each epoch"),
        (2, "whole words, anew in each epoch, all written first"),
        (1, "whole words, of 1 epochs, which are written first and used in turn"),
    ],
)
def test_masks_that_repeat_are_said(written: int, masks: str) -> None:
    plan = replace(PLAN, config=PLAN.config.changed(pregenerate=written))

    assert masks in [line.split("masked, ")[-1] for line in plan.view().blocks[0].lines]


def test_a_result_shows_the_scores_before_and_after() -> None:
    scores = ({"loss": 3.0, "perplexity": 20.1}, {"loss": 2.0, "perplexity": 7.4})
    result = AdaptResult(Path("out"), PLAN, Progress(2, 2, 16, 2000, 4.0, scores), "key")

    assert [line.split() for line in result.block().to_text().splitlines()[1:]] == [
        ["loss", "perplexity"],
        ["before", "3.0000", "20.1000"],
        ["after", "2.0000", "7.4000"],
    ]
    assert result.to_json()["scores"] == scores[1]
    assert result.tokens_per_second == 500.0


def test_a_result_is_read_from_beside_its_checkpoint(tmp_path: Path) -> None:
    scores = ({"loss": 3.0, "perplexity": 20.1}, {"loss": 2.0, "perplexity": 7.4})
    result = AdaptResult(tmp_path, PLAN, Progress(2, 2, 16, 2000, 4.0, scores), "key")
    assert AdaptResult.read(tmp_path, PLAN) is None
    (tmp_path / FACTS).write_text(json.dumps(result.to_json()), encoding="utf-8")

    again = AdaptResult.read(tmp_path, PLAN)

    assert again is not None and again.to_json() == result.to_json()
    (tmp_path / FACTS).write_text("{}", encoding="utf-8")
    assert AdaptResult.read(tmp_path, PLAN) is None
