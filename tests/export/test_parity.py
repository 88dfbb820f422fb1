"""Two models on the same rows: what is compared, and on which rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fastbert.data.examples import TextExample
from fastbert.errors import ConfigError
from fastbert.export.parity import CALIBRATION_ROWS, MAX_ROWS, Comparison, Rows, rows_of, sample_rows
from fastbert.inference.predictor import Predictor
from fastbert.tasks.base import Array, Batch
from tests.bundles import MULTI, NAMES, SINGLE, tiny_bundle
from tests.exported import TEXTS, rows


class Shifted:
    """The model itself with one logit moved."""

    workers = 1
    batch_tokens = 2048
    name = "shifted"

    def __init__(self, predictor: Predictor, shift: float) -> None:
        self.inner = predictor.backend
        self.shift = shift

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return logits whose first column is higher."""
        logits_WC = self.inner.forward(batch)["logits"]
        return {"logits": logits_WC + np.array([self.shift, 0.0, 0.0])}


def compare(folder: Path, checked: Rows, shift: float) -> tuple[float, float, float | None]:
    predictor = Predictor.load(folder, "torch")
    comparison = Comparison(predictor.bundle, predictor.tokenizer, predictor.backend, checked)
    check = comparison.check(Shifted(predictor, shift))
    return check.changed, check.max_difference, check.score


def test_the_same_model_loses_nothing(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")

    assert compare(folder, rows(folder), 0.0) == (0.0, 0.0, 1.0)


def test_a_model_that_always_says_the_same_loses(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")

    changed, difference, score = compare(folder, rows(folder), 100.0)

    assert changed > 0.2
    assert difference > 0.5
    assert score is not None and score < 0.7


def test_answers_that_ranking_does_not_see_count_too(tmp_path: Path) -> None:
    """The same is added to every score of a label: average precision stays, the answers at the threshold do not."""
    folder = tiny_bundle(tmp_path / "model", task=MULTI)
    predictor = Predictor.load(folder, "torch")
    texts = [text for text in TEXTS if text]
    examples = tuple(TextExample(text, labels=(NAMES[0],) if row else ()) for row, text in enumerate(texts))
    given = Rows(examples, (), "rows", True)
    comparison = Comparison(predictor.bundle, predictor.tokenizer, Shifted(predictor, 5.0), given)

    check = comparison.check(Shifted(predictor, -5.0))

    assert check.metric == "f1_micro"
    assert check.loss > 0.3


def test_without_labels_there_is_no_score(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")

    changed, _, score = compare(folder, rows(folder, labelled=False), 100.0)

    assert changed > 0.2
    assert score is None


def test_a_score_that_the_rows_do_not_define_is_left_out(tmp_path: Path) -> None:
    """Average precision needs a row of each kind; rows without any label have none."""
    folder = tiny_bundle(tmp_path / "model", task=MULTI)
    checked = tuple(TextExample("bug", labels=()) for _ in range(3))

    assert compare(folder, Rows(checked, (), "rows", True), 0.0) == (0.0, 0.0, None)


def test_no_rows_are_refused(tmp_path: Path) -> None:
    predictor = Predictor.load(tiny_bundle(tmp_path / "model"), "torch")

    with pytest.raises(ConfigError, match="There are no rows to check the export on"):
        Comparison(predictor.bundle, predictor.tokenizer, predictor.backend, Rows((), (), "rows", True))


def examples(count: int) -> list[TextExample]:
    return [TextExample(f"text {number}", labels=("bug",)) for number in range(count)]


@pytest.mark.parametrize(
    ("count", "checked", "shared"), [(10, 10, True), (511, 511, True), (512, 384, False), (9000, MAX_ROWS, False)]
)
def test_a_large_table_is_calibrated_on_rows_that_are_not_compared(count: int, checked: int, shared: bool) -> None:
    divided = rows_of(examples(count), "valid.csv")

    assert (len(divided.checked), len(divided.calibration)) == (checked, min(count, CALIBRATION_ROWS))
    assert bool(set(divided.checked) & set(divided.calibration)) is shared


def test_one_row_without_a_label_makes_a_table_unlabelled() -> None:
    divided = rows_of([*examples(3), TextExample("text")], "new.csv")

    assert (divided.labelled, divided.data) == (False, "unlabelled texts of new.csv")


@pytest.mark.parametrize("pairs", [True, False])
def test_made_up_texts_are_of_the_tokenizers_words(pairs: bool, tmp_path: Path) -> None:
    tokenizer = Predictor.load(tiny_bundle(tmp_path / "model"), "torch").tokenizer

    made = sample_rows(tokenizer, pairs=pairs)

    assert not made.labelled and not made.given
    assert all((example.pair is not None) == pairs for example in made.checked)
    assert len({example.text for example in made.checked}) > 50
    assert SINGLE.encode(made.checked, tokenizer, 24)


class OnceBroken(Shifted):
    """The model itself, but for the shortest text of each pass."""

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return logits, NaN in the last row: the rows come longest first."""
        logits_WC = self.inner.forward(batch)["logits"].copy()
        logits_WC[-1] = np.nan
        return {"logits": logits_WC}


def test_a_score_that_is_no_number_is_a_difference_wherever_it_stands(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")
    predictor = Predictor.load(folder, "torch")
    checked = rows(folder, labelled=False)
    comparison = Comparison(predictor.bundle, predictor.tokenizer, predictor.backend, checked)

    check = comparison.check(OnceBroken(predictor, 0.0))

    assert np.isnan(check.max_difference)


def test_few_rows_without_a_label_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    divided = rows_of([*examples(19), TextExample("text")], "new.csv")

    assert (divided.labelled, divided.data, len(divided.checked)) == (True, "rows of new.csv", 19)
    assert caplog.messages == ["1 of 20 rows of new.csv have no answer and are left out."]


def test_some_made_up_texts_are_longer_than_is_read(tmp_path: Path) -> None:
    tokenizer = Predictor.load(tiny_bundle(tmp_path / "model"), "torch").tokenizer

    lengths = SINGLE.encode(sample_rows(tokenizer, max_tokens=20).checked, tokenizer, 20).windows.table_W["cut"]

    assert lengths.sum() >= 4
