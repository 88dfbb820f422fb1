"""Integrated gradients: the completeness axiom, families, windows, and models whose last layer is cut."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fastbert.data.examples import QuestionExample, TextExample
from fastbert.errors import ConfigError, MissingExtraError
from fastbert.inference.predictor import Predictor
from fastbert.inference.torch_backend import TorchBackend
from fastbert.insight import gradients
from fastbert.insight.attribution import Attributed
from fastbert.insight.explained_outputs import TextOutput, choose_outputs
from fastbert.insight.gradients import TOLERANCE, IntegratedGradients, check_captum
from fastbert.insight.readings import replacement_id
from fastbert.labels import Labels
from fastbert.models.loading import load_saved_model
from fastbert.runtime import Runtime
from fastbert.tasks.answering import Answering
from fastbert.tasks.base import Example, Task
from fastbert.tasks.tagging import Tagging
from tests.bundles import SINGLE, open_tiny, save_bundle, tiny_bundle
from tests.helpers import FAMILIES
from tests.insight.explained import masker, readings

TEXT = TextExample("the app is slow , i hate it !")
LONG = TextExample("the app is slow and i hate it and not good . " * 5)
WINDOWS = replace(SINGLE, truncation="windows")
BUG = TextOutput("bug", "log-odds", 0, (1, 2))


def attributed(
    predictor: Predictor, example: Example, output: TextOutput = BUG, backend: TorchBackend | None = None
) -> Attributed:
    (reading,) = readings(predictor, [example])
    own = backend or predictor.backend
    assert isinstance(own, TorchBackend)
    tokenizer = predictor.tokenizer
    return IntegratedGradients(own, tokenizer.pad_id, replacement_id(tokenizer)).attribute(reading, output)


def hidden_by_masking(predictor: Predictor, example: Example) -> tuple[float, float]:
    """Return the output and that with all words hidden, by plain passes."""
    from fastbert.insight.masking import HiddenWords, hidden_sets

    (reading,) = readings(predictor, [example])
    read = np.flatnonzero(reading.read_K).tolist()
    sets = hidden_sets(len(reading.words), [[], read])
    ((value, hidden),) = masker(predictor).values([HiddenWords(reading, (BUG,), sets)])[0]
    return float(value), float(hidden)


@pytest.mark.parametrize("family", [*FAMILIES, "deberta"])
def test_values_add_up_to_the_output_less_that_without_words(family: str, tmp_path: Path) -> None:
    predictor = Predictor.load(tiny_bundle(tmp_path / "bundle", family), "torch")

    found = attributed(predictor, TEXT)

    value, hidden = hidden_by_masking(predictor, TEXT)
    assert (found.value, found.hidden) == pytest.approx((value, hidden), abs=1e-5)
    assert found.error is not None and found.error <= TOLERANCE
    size = max(np.abs(found.values_K).sum(), abs(value - hidden))
    assert found.values_K.sum() == pytest.approx(value - hidden, abs=1.001 * TOLERANCE * size)


@pytest.mark.parametrize("example", [LONG, TextExample("is not good and it is slow . " * 6, "the app")])
def test_values_add_up_over_windows_that_are_averaged(example: TextExample, tmp_path: Path) -> None:
    predictor = Predictor.load(tiny_bundle(tmp_path / "bundle", task=WINDOWS), "torch")

    found = attributed(predictor, example)

    assert len(readings(predictor, [example])[0].windows) > 1
    assert (found.value, found.hidden) == pytest.approx(hidden_by_masking(predictor, example), abs=1e-5)
    assert found.values_K.sum() == pytest.approx(found.value - found.hidden, abs=0.02)


def test_small_passes_change_nothing(tmp_path: Path) -> None:
    predictor = Predictor.load(tiny_bundle(tmp_path / "bundle", task=WINDOWS), "torch")
    at_once = attributed(predictor, LONG)
    assert isinstance(predictor.backend, TorchBackend)
    predictor.backend.batch_tokens = 24 * gradients.GRADIENT_SHARE  # one window: points are run again for the gradient

    one_by_one = attributed(predictor, LONG)

    np.testing.assert_allclose(one_by_one.values_K, at_once.values_K, atol=1e-5)


@pytest.mark.parametrize("family", ["bert", "distilbert", "mpnet"])
def test_a_last_layer_that_is_cut_gives_the_gradients_of_the_whole_one(family: str, tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "bundle", family)
    predictor = Predictor.load(folder, "torch")  # reads the first token only
    plain = load_saved_model(folder, SINGLE)
    whole = TorchBackend(plain, Runtime(torch.device("cpu"), "fp32", ""), predictor.tokenizer.input_names)

    np.testing.assert_allclose(
        attributed(predictor, TEXT).values_K, attributed(predictor, TEXT, backend=whole).values_K, atol=1e-5
    )


def test_a_linear_model_is_worth_its_weights(tmp_path: Path) -> None:
    """Without a nonlinearity the integral is the weight times the difference of embeddings, whatever the steps."""
    predictor = Predictor.load(tiny_bundle(tmp_path / "bundle"), "torch")
    model = Linear()
    backend = TorchBackend(model, Runtime(torch.device("cpu"), "fp32", ""), ("input_ids", "attention_mask"))
    output = TextOutput("x", "value", 1)

    found = attributed(predictor, TEXT, output, backend)

    (reading,) = readings(predictor, [TEXT])
    scores_V = (model.embedding.weight @ model.weights)[:, 1].detach().numpy()
    mask = replacement_id(predictor.tokenizer)
    expected = scores_V[reading.windows.ids_T] - scores_V[mask]
    np.testing.assert_allclose(found.values_K, expected[reading.word_T >= 0], atol=1e-5)
    assert found.steps == gradients.FIRST_STEPS


class Linear(nn.Module):
    """Sums a projection of the embeddings."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.embedding = nn.Embedding(100, 8)
        self.embedding.weight.data = torch.randn(100, 8, generator=generator)
        self.weights = torch.randn(8, 3, generator=generator)

    def get_input_embeddings(self) -> nn.Module:
        return self.embedding

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": (self.embedding(input_ids) * attention_mask[..., None]).sum(1) @ self.weights}


def test_steps_are_doubled_until_values_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Predictor.load(tiny_bundle(tmp_path / "bundle"), "torch")
    monkeypatch.setattr(gradients, "FIRST_STEPS", 1)
    monkeypatch.setattr(gradients, "TOLERANCE", 1e-3)

    found = attributed(predictor, TEXT)

    assert found.steps is not None and found.steps > 1
    assert found.error is not None and found.error <= 1e-3


def test_steps_end_at_a_bound_and_the_error_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Predictor.load(tiny_bundle(tmp_path / "bundle"), "torch")
    monkeypatch.setattr(gradients, "TOLERANCE", 0.0)
    monkeypatch.setattr(gradients, "MOST_STEPS", 64)

    found = attributed(predictor, TEXT)

    assert found.steps == 64
    assert found.error is not None and found.error > 0


@pytest.mark.parametrize(
    ("task", "example"),
    [
        (Tagging(Labels(("place",))), TextExample("anna is in berlin and paris . " * 4)),
        (Answering(), QuestionExample("who is it ?", "anna is in berlin . " * 8)),
    ],
)
def test_outputs_by_token_add_up_as_well(task: Task, example: Example, tmp_path: Path) -> None:
    predictor = Predictor.load(tiny_bundle(tmp_path / "bundle", task=task), "torch")
    (reading,) = readings(predictor, [example])
    (prediction,) = predictor.predict_examples([example])
    (outputs,) = masker(predictor).outputs([reading])
    output = choose_outputs(task, prediction, reading, outputs)[0]
    assert isinstance(predictor.backend, TorchBackend)
    mask_id = replacement_id(predictor.tokenizer)

    found = IntegratedGradients(predictor.backend, predictor.tokenizer.pad_id, mask_id).attribute(reading, output)

    assert found.value == pytest.approx(output.of_windows(outputs), abs=1e-5)
    assert found.values_K.sum() == pytest.approx(found.value - found.hidden, abs=0.05)


def test_a_head_of_the_users_own_is_explained(tmp_path: Path) -> None:
    folder = save_bundle(tmp_path / "bundle", open_tiny(tmp_path / "encoder"), head=MeanHead)
    predictor = Predictor.load(folder, "torch", head=MeanHead)

    found = attributed(predictor, TEXT)

    assert found.values_K.sum() == pytest.approx(found.value - found.hidden, abs=0.02)


class MeanHead(nn.Module):
    """Labels from the mean of all tokens."""

    def __init__(self, width: int, num_labels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, num_labels)

    def forward(self, hidden_WLD: torch.Tensor, mask_WL: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.linear(hidden_WLD.mean(1))
        return result


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_as_it_was(training: bool, tmp_path: Path) -> None:
    predictor = Predictor.load(tiny_bundle(tmp_path / "bundle"), "torch")
    assert isinstance(predictor.backend, TorchBackend)
    model = predictor.backend.model.train(training)
    before = predictor(["the app"])[0].scores

    first, second = attributed(predictor, TEXT), attributed(predictor, TEXT)

    np.testing.assert_array_equal(first.values_K, second.values_K)  # no dropout
    assert model.training is training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert predictor(["the app"])[0].scores == before


def test_a_model_that_reads_its_embedding_twice_is_refused(tmp_path: Path) -> None:
    class Twice(Linear):
        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> dict[str, torch.Tensor]:
            self.embedding(input_ids)
            return super().forward(input_ids, attention_mask)

    predictor = Predictor.load(tiny_bundle(tmp_path / "bundle"), "torch")
    backend = TorchBackend(Twice(), Runtime(torch.device("cpu"), "fp32", ""), ("input_ids", "attention_mask"))

    with pytest.raises(ConfigError, match="reads its word embedding 2 times"):
        attributed(predictor, TEXT, backend=backend)


def test_without_captum_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def hide(name: str, package: str | None = None) -> object:
        if name.startswith("captum"):
            raise ModuleNotFoundError("No module named 'captum'", name="captum")
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", hide)

    with pytest.raises(MissingExtraError) as caught:
        check_captum()
    assert str(caught.value) == (
        "Integrated gradients needs the package captum, which is not installed.\n"
        '  Install it with `pip install "fastbert-nlp[explain]"`. '
        "Or choose --method occlusion, which needs no more than the model."
    )
