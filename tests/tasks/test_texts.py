"""Windows of whole texts, and the mean of what they say."""

from __future__ import annotations

import numpy as np
import pytest

from fastbert.data.examples import TextExample
from fastbert.tasks.texts import encode_texts, mean_over_windows, targets_of, windows_of_examples
from tests.tasks.rows import tokenizer

TEXTS = [TextExample("the app"), TextExample("the app is slow " * 9)]


def test_each_window_has_the_target_of_its_text() -> None:
    features = encode_texts(TEXTS, np.array([3.0, 5.0]), tokenizer(), max_tokens=16, truncation="windows")

    assert features.targets_W is not None
    assert features.targets_W.tolist() == [3.0] + [5.0] * (len(features) - 1)
    assert targets_of(features).tolist() == [3.0, 5.0]


def test_outputs_of_windows_are_averaged() -> None:
    features = encode_texts(TEXTS, None, tokenizer(), max_tokens=16, truncation="windows")
    values_WC = np.arange(float(len(features)))[:, None]

    assert mean_over_windows(values_WC, features)[:, 0].tolist() == [0.0, np.arange(1, len(features)).mean()]
    assert windows_of_examples(features) == [[0], list(range(1, len(features)))]


def test_texts_without_a_truth_have_no_targets() -> None:
    features = encode_texts(TEXTS, None, tokenizer(), max_tokens=16, truncation="head")

    with pytest.raises(ValueError, match="features of examples without a truth have no targets"):
        targets_of(features)


def test_pieces_are_those_of_the_windows_however_they_slide() -> None:
    examples = [TextExample("the app", "the app is slow " * 9)]

    features = encode_texts(examples, None, tokenizer(), max_tokens=16, truncation="windows", slide="longer")

    assert len(features) > 1
    assert {tuple(feature.pieces) for feature in features} == {((0, 7),)}
