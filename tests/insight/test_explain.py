"""The parts put together: methods, plans, and explanations in the order of the texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fastbert
from fastbert.data.examples import TextExample
from fastbert.errors import ConfigError, DataError
from fastbert.inference.predictor import Predictor
from fastbert.insight.explain import Explainer, Method, explain
from tests.exported import exported_bundle
from tests.feedback import make_data, make_learner
from tests.insight.explained import Counting, counting_predictor

TEXTS = ["crash", "", "the app is slow and not good"]


def test_explanations_come_in_the_order_of_texts() -> None:
    found = explain(counting_predictor(), TEXTS)

    assert [one.prediction.text for one in found] == TEXTS
    assert [len(one.words) for one in found] == [1, 0, 7]
    assert fastbert.explain is explain


@pytest.fixture(scope="module")
def learned(encoder: str, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """Return a model that was trained until it knows the words that its labels hang on."""
    learner = make_learner(encoder, make_data(48), epochs=20, lr=2e-3)
    return Predictor.load(learner.fit().save(tmp_path_factory.mktemp("learned") / "model"), "torch")


@pytest.mark.parametrize("method", ["gradients", "occlusion"])
def test_a_model_is_explained_by_the_word_that_its_label_hangs_on(method: Method, learned: Predictor) -> None:
    (found,) = explain(learned, ["the login is slow"], method=method, check_orders=19)

    (one,) = found.attributions
    assert (one.name, one.method, found.words[one.ranked[0]].text) == ("bug", method, "slow")
    assert one.check is not None and one.check.verdict == "faithful"


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_an_export_is_explained_as_the_model_it_came_from(tmp_path: Path, kind: str) -> None:
    folder = exported_bundle(tmp_path / "bundle", kind)
    texts = ["the app is slow", "please help me , the export button does nothing"]

    exported = explain(Predictor.load(folder, kind), texts)
    plain = explain(Predictor.load(folder, "torch"), texts, method="occlusion")

    for one, other in zip(exported, plain, strict=True):
        assert one.attributions[0].method == "occlusion"
        values, others = (list(each.attributions[0].values) for each in (one, other))
        np.testing.assert_allclose(np.array(values, float), np.array(others, float), atol=1e-4)


def test_another_label_is_explained_where_it_is_named() -> None:
    (found,) = explain(counting_predictor(), ["crash and slow"], label="praise")

    assert [one.name for one in found.attributions] == ["praise"]
    values = found.attributions[0].values
    assert values[0] is not None and values[0] < 0


def test_the_plan_counts_passes() -> None:
    predictor = counting_predictor()
    explainer = Explainer(predictor)
    work = explainer.prepare([TextExample("crash and slow")])
    assert isinstance(predictor.backend, Counting)
    before = predictor.backend.seen

    list(explainer.run(work))

    assert work.passes == predictor.backend.seen - before == 5
    assert work.describe() == "1 texts, 3 words, 1 outputs; occlusion, at most 5 passes of a window through the model"


def test_a_method_without_its_backend_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        explain(counting_predictor(), ["crash"], method="gradients")

    assert str(caught.value) == (
        "Gradients need the torch backend; counting answers here.\n  Use --backend torch, or --method occlusion."
    )


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ConfigError, match="method is 'lime'"):
        explain(counting_predictor(), ["crash"], method="lime")  # type: ignore[arg-type]


def test_a_single_text_is_refused() -> None:
    with pytest.raises(DataError, match="called with a list of texts"):
        explain(counting_predictor(), "crash")


def test_a_negative_number_of_orders_is_refused() -> None:
    with pytest.raises(ConfigError, match="check_orders is -1; expected 0 or more"):
        explain(counting_predictor(), ["crash"], check_orders=-1)
