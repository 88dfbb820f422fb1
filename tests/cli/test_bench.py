"""`fastbert bench`: what is timed, what is refused, and what it advises."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from fastbert.cli.bench import _advice
from tests.cli.conftest import Run
from tests.feedback import write_feedback
from tests.training.test_bench import results, speed

QUICK = ("--rounds", 2, "--tokens", 12, "--batch-size", 4)


@pytest.fixture(autouse=True)
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0}, raising=False)


def test_the_tables_and_the_advice_are_the_result(encoder: str, run: Run) -> None:
    outcome = run("bench", "--encoder", encoder, *QUICK)

    assert outcome.code == 0
    assert outcome.out.startswith("Bench\n")
    assert all(f"\n{title}\n" in outcome.out for title in ("Matrix product", "Training", "Inference", "Fastest"))
    assert "fp16         refused: precision is fp16, which needs a GPU." in outcome.out
    assert "train    " in outcome.out and "fastbert train TABLE --out MODEL --precision " in outcome.out
    assert "predict  fp32, 1 thread: OMP_NUM_THREADS=1 fastbert predict MODEL TABLE" in outcome.out
    assert "timing matrix products" in outcome.err


def test_json_is_one_object(encoder: str, run: Run) -> None:
    values = run("bench", "--encoder", encoder, *QUICK, "--json").json

    assert set(values) == {
        "encoder", "device", "cores", "texts", "product_rates", "training", "inference", "training_threads",
        "inference_threads", "compiled", "fastest",
    }  # fmt: skip


def test_bfloat16_without_instructions_is_refused_and_not_timed(
    encoder: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_f": True}, raising=False)

    values = run("bench", "--encoder", encoder, *QUICK, "--json").json

    rates, training = values["product_rates"], values["training"]
    assert isinstance(rates, dict) and isinstance(training, list)
    assert rates["bf16"] == "refused: emulated"
    assert [speed["mode"] for speed in training] == ["fp32", "fp32 medium"]


def test_a_bundle_and_the_texts_of_a_table_are_timed(bundle: Path, run: Run, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "feedback.csv")

    values = run("bench", bundle, "--table", table, "--rounds", 2, "--batch-size", 4, "--json").json

    texts = values["texts"]
    assert isinstance(texts, dict)
    assert (texts["rows"], str(values["encoder"]).split(":")[0]) == (4, str(bundle))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tokens", 65], "tokens is 65; it must be at least 4 and at most 64, which the encoder takes."),
        (["--rounds", 1], "rounds is 1; it must be at least 2, so that candidates take turns."),
    ],
)
def test_wrong_use_is_refused(arguments: list[object], message: str, encoder: str, run: Run) -> None:
    outcome = run("bench", "--encoder", encoder, *arguments)

    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


def test_a_bundle_and_an_encoder_exclude_each_other(bundle: Path, run: Run) -> None:
    outcome = run("bench", bundle, "--encoder", "minilm")

    assert outcome.code == 2
    assert "error: A bundle and --encoder are both given.\nhint: Give one of them.\n" in outcome.err


@pytest.mark.parametrize(("bf16_s", "named"), [(1.0, True), (4.0, False)])
def test_the_advice_names_bf16_prediction_where_it_is_faster(bf16_s: float, named: bool) -> None:
    training = (speed("fp32", 2.0, 2.0),)
    inference = (speed("fp32", 2.0, 2.0), speed("bf16", bf16_s, bf16_s))

    lines = _advice(results(*training, inference=inference))

    wanted = "         with scores rounded to bf16, 2.0 x: fastbert predict MODEL TABLE --backend torch-bf16"
    assert (wanted in lines) is named
    assert any(line.startswith("predict  fp32") for line in lines)
