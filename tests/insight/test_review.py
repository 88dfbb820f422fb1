"""Views and figures of a learner, on rows, histories and models made up by hand."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import nn

from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.data.examples import TextExample
from fastbert.data.tokens import Tokenizer
from fastbert.display import View
from fastbert.errors import ConfigError, MissingExtraError
from fastbert.insight.review import (
    check_figure,
    describe_learner,
    kept_evaluation,
    plot_history,
    plot_schedule,
    show_results,
    top_losses,
)
from fastbert.labels import Labels
from fastbert.models.freezing import freeze_to
from fastbert.models.schedules import make_schedule
from fastbert.tasks.base import Prediction
from fastbert.tasks.classification import MultiLabel, SingleLabel
from fastbert.tasks.label_prediction import LabelPrediction
from fastbert.training.callbacks import Callback, JsonLog
from fastbert.training.lr_finder import RateTest
from fastbert.training.lr_rules import Verdict
from fastbert.training.plan import Plan
from fastbert.training.state import EvaluationRecord, History, RunState, StepRecord
from tests.helpers import word_tokenizer

ONE = SingleLabel(Labels(("Billing", "Bugs", "Praise")))
MANY = MultiLabel(Labels(("a", "b")))
ROWS = (
    TextExample("the app is slow", labels=("Bugs",), where="a.csv, row 2"),
    TextExample("the bill <b> is old", labels=("Billing",), where="a.csv, row 3"),
    TextExample("i love the app", labels=("Praise",), where="a.csv, row 4"),
)


def said(**scores: float) -> Prediction:
    """Return what a single-label model says: the highest score decides."""
    return LabelPrediction((max(scores, key=lambda name: scores[name]),), scores)


SAID = (
    said(Bugs=0.7, Billing=0.2, Praise=0.1),
    said(Bugs=0.6, Billing=0.3, Praise=0.1),
    said(Bugs=0.1, Billing=0.05, Praise=0.85),
)


def table_of(view: View) -> tuple[tuple[str, ...], ...]:
    return view.blocks[0].rows


# -- rows -----------------------------------------------------------------------------------


def test_single_label_losses_are_minus_log_of_the_true_score_highest_first() -> None:
    view = top_losses(ONE, SAID, ROWS, 2)

    # -ln 0.3 = 1.2040, -ln 0.7 = 0.3567; the mean over all three: (1.2040 + 0.3567 + 0.1625) / 3
    assert [row[:2] for row in table_of(view)] == [("a.csv, row 3", "1.2040"), ("a.csv, row 2", "0.3567")]
    assert "2 of 3 rows; the mean loss is 0.5744." in repr(view)


def test_a_loss_row_shows_truth_decision_with_score_and_text() -> None:
    row = table_of(top_losses(ONE, SAID, ROWS, 1))[0]

    assert row[2:] == ("Billing", "Bugs 0.60", "the bill <b> is old")


def test_multi_label_losses_are_summed_over_labels() -> None:
    examples = (TextExample("x", labels=("a",), where="one"), TextExample("y", labels=(), where="two"))
    predictions = (
        LabelPrediction(("a", "b"), {"a": 0.8, "b": 0.6}),
        LabelPrediction((), {"a": 0.1, "b": 0.2}),
    )

    view = top_losses(MANY, predictions, examples)

    # -ln 0.8 - ln 0.4 = 1.1394;  -ln 0.9 - ln 0.8 = 0.3285
    assert [row[:4] for row in table_of(view)] == [
        ("one", "1.1394", "a", "a 0.80, b 0.60"),
        ("two", "0.3285", "(none)", "(none)"),
    ]


def test_one_label_on_every_row_of_a_multi_label_model_is_still_summed() -> None:
    view = top_losses(MANY, [LabelPrediction(("a",), {"a": 0.9, "b": 0.5})], [TextExample("x", labels=("a",))])

    assert table_of(view)[0][1] == f"{-math.log(0.9) - math.log(0.5):.4f}"


def test_a_score_of_zero_gives_a_finite_loss() -> None:
    view = top_losses(ONE, [said(a=1.0, b=0.0)], [TextExample("x", labels=("b",))])

    assert table_of(view)[0][1] == "34.5388"  # -ln 1e-15


def test_rows_without_known_labels_are_left_out() -> None:
    view = top_losses(ONE, SAID, (*ROWS[:2], TextExample("who knows", where="a.csv, row 4")))

    assert [row[0] for row in table_of(view)] == ["a.csv, row 3", "a.csv, row 2"]


def test_no_rows_give_an_empty_table() -> None:
    assert "0 of 0 rows; the mean loss is -." in repr(top_losses(ONE, [], []))
    assert "0 of all 0 rows are right" in repr(show_results(ONE, [], []))


def test_texts_are_shortened_to_one_line_and_pairs_shown_both() -> None:
    long = TextExample("a\n" + "b" * 200, pair="second", labels=("Bugs",))

    text = table_of(top_losses(ONE, SAID[:1], [long]))[0][-1]

    assert text == "a " + "b" * 27 + "… | second"


def test_a_view_in_a_notebook_escapes_texts() -> None:
    html = top_losses(ONE, SAID, ROWS)._repr_html_()

    assert "the bill &lt;b&gt; is old" in html
    assert "<b>" not in html


def test_results_are_marked_right_partly_and_wrong() -> None:
    predictions = [
        LabelPrediction(("a",), {"a": 0.9}),
        LabelPrediction(("a", "b"), {"a": 0.9, "b": 0.8}),
        LabelPrediction((), {"a": 0.1}),
    ]
    examples = [TextExample("x", labels=("a",)) for _ in predictions]

    view = show_results(MANY, predictions, examples)

    assert [row[0] for row in table_of(view)] == ["right", "partly", "wrong"]
    assert "1 of all 3 rows are right; 3 are shown." in repr(view)


def test_results_show_truth_decision_and_the_top_three_scores() -> None:
    prediction = said(a=0.1, b=0.6, c=0.25, d=0.05)

    row = table_of(show_results(ONE, [prediction], [TextExample("x", labels=("c",))]))[0]

    assert row == ("wrong", "c", "b 0.60", "b 0.60, c 0.25, a 0.10", "x")


def test_results_are_spread_over_all_rows() -> None:
    examples = [TextExample(f"text {index}", labels=("a",)) for index in range(101)]

    view = show_results(ONE, [said(a=1.0)] * 101, examples, 3)

    assert [row[-1] for row in table_of(view)] == ["text 0", "text 50", "text 100"]


def test_a_row_without_known_labels_is_neither_right_nor_wrong() -> None:
    assert table_of(show_results(ONE, [said(a=1.0)], [TextExample("x")]))[0][:2] == ("-", "-")


# -- figures --------------------------------------------------------------------------------


def made_up_history() -> History:
    return History(
        [StepRecord(step, step / 2, 3.0 - step, 1e-4 * step) for step in (1, 2, 3, 4)],
        [
            EvaluationRecord(2, 1.0, 1.5, {"f1_macro": 0.7, "log_loss": 0.9}, True, kept=True),
            EvaluationRecord(4, 2.0, 0.5, {"f1_macro": 0.6, "log_loss": 0.8}, False),
        ],
    )


def test_the_history_is_drawn_as_loss_score_and_rate() -> None:
    figure = plot_history(made_up_history(), "f1_macro")

    lines = [{line.get_label(): line.get_xydata().tolist() for line in axes.lines} for axes in figure.axes]  # type: ignore[union-attr]
    assert lines[0]["each step"] == [[1, 2], [2, 1], [3, 0], [4, -1]]
    assert lines[0]["validation log loss"] == [[2, 0.9], [4, 0.8]]
    assert lines[1]["f1_macro"] == [[2, 0.7], [4, 0.6]]
    assert lines[1]["kept: 0.7000"] == [[2, 0.7]]
    assert [axes.get_ylabel() for axes in figure.axes] == ["training loss", "f1_macro", "learning rate"]


def test_the_kept_evaluation_is_that_of_the_last_fit() -> None:
    records = [EvaluationRecord(step, 1.0, 1.0, {}, False, kept=step < 3) for step in (1, 2, 3)]

    kept = kept_evaluation(records)

    assert kept is not None
    assert kept.step == 2
    assert kept_evaluation([]) is None


def test_an_empty_history_gives_a_figure(tmp_path: Path) -> None:
    plot_history(History(), "f1_macro", tmp_path / "empty.png")

    assert (tmp_path / "empty.png").stat().st_size > 0


def test_a_figure_is_written_without_pyplot(tmp_path: Path) -> None:
    before = "matplotlib.pyplot" in sys.modules

    plot_history(made_up_history(), "f1_macro", tmp_path / "history.svg")

    assert (tmp_path / "history.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert ("matplotlib.pyplot" in sys.modules) == before


@pytest.mark.parametrize("name", ["no/such/folder/a.png", "a.xyz"])
def test_a_figure_that_cannot_be_written_says_where(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="the figure cannot be written") as caught:
        plot_history(made_up_history(), "f1_macro", tmp_path / name)

    assert str(tmp_path / name) in caught.value.message
    assert caught.value.hint == "Try a name ending in .png, in a folder that exists."


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)

    with pytest.raises(MissingExtraError, match=r"fastbert-nlp\[train\]"):
        plot_history(History(), "f1_macro")


def test_a_learning_rate_test_is_drawn_with_what_it_suggests_and_the_plan(tmp_path: Path) -> None:
    verdict = Verdict({"minimum/10": 1e-4, "valley": 2e-4}, "minimum/10", "", ("noise",))
    rates, losses = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2), (1.0, 1.0, 0.9, 0.7, 40.0)
    test = RateTest(rates, losses, (1.0,) * 5, losses, verdict, 7e-5, "", 1.0)

    axes = test.plot(tmp_path / "rates.svg").axes[0]

    assert [line.get_label() for line in axes.lines] == [
        "each step", "smoothed", "minimum/10: 0.0001", "valley: 0.0002", "plan: 7e-05",
    ]  # fmt: skip
    assert axes.get_xscale() == "log"
    assert axes.get_ylim()[1] < 2  # the loss of divergence does not press the descent flat
    assert "unsure" in axes.get_title()
    assert (tmp_path / "rates.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_a_test_without_a_step_gives_a_figure() -> None:
    test = RateTest((), (), (), (), Verdict({}, None, "", ("none",)), 7e-5, "", 1.0)

    assert [line.get_label() for line in test.plot().axes[0].lines] == ["each step", "smoothed", "plan: 7e-05"]


@pytest.mark.parametrize("name", ["missing/a.png", "a.docx", "a"])
def test_a_place_for_a_figure_is_checked_before_there_is_one(tmp_path: Path, name: str) -> None:
    check_figure(tmp_path / "a.PNG")
    with pytest.raises(ConfigError, match="the figure cannot be written there") as caught:
        check_figure(tmp_path / name)

    assert name in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_schedules_have_a_panel_each_and_momentum_where_it_is_cycled(tmp_path: Path) -> None:
    names = ("none", "warmup_linear", "one_cycle", "wsd", "warmup_cosine")

    figure = plot_schedule({name: make_schedule(name, 100) for name in names}, tmp_path / "schedules.png")

    labels = {axes.get_title(): [line.get_label() for line in axes.lines] for axes in figure.axes if axes.get_title()}
    assert labels == {name: ["learning rate"] for name in names} | {"one_cycle": ["learning rate", "momentum"]}
    assert (tmp_path / "schedules.png").exists()


def test_a_schedule_is_drawn_as_it_is() -> None:
    schedule = make_schedule("warmup_linear", 4, warmup=1)

    (line,) = plot_schedule({"mine": schedule}).axes[0].lines

    assert list(line.get_xdata()) == [0, 1, 2, 3]  # type: ignore[arg-type]
    assert list(line.get_ydata()) == pytest.approx([0, 1, 2 / 3, 1 / 3])  # type: ignore[arg-type]


# -- the learner ----------------------------------------------------------------------------


class TinyModel(nn.Module):
    """Three equal layers between an embedding and a head, as `layer_groups` looks for them."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(5, 4)  # 20 weights
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))  # 20 each
        self.head = nn.Linear(4, 3)  # 15

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.head(self.embeddings(ids)))


class Watcher(Callback):
    def on_start(self, state: RunState) -> None: ...

    def on_checkpoint(self, state: RunState) -> None: ...


def made_up_plan(**options: object) -> Plan:
    tokenizer = Tokenizer(word_tokenizer(), pad_id=0, max_tokens=64, input_names=("input_ids",))
    splits: Mapping[str, tuple[TextExample, ...]] = {"train": ROWS * 10, "valid": ROWS}
    data = DataBunch(SingleLabel(Labels(("Bugs", "Billing", "Praise"))), splits).with_tokenizer(tokenizer, 64)
    config = TrainConfig(epochs=2.0, lr=1e-4, batch_size=8).changed(**options)
    return Plan(data, config, "tiny: bert", "cpu, fp32", 8, 0.0, 0, ())


def described(model: nn.Module | None = None, *callbacks: Callback, **options: object) -> View:
    plan = made_up_plan(**options)
    return describe_learner(plan, model or TinyModel(), callbacks, make_schedule(plan.config.schedule, 8))


def test_a_learner_tells_task_rows_encoder_and_weights() -> None:
    text = repr(described())

    assert "task       single_label, 3 labels" in text
    assert "rows       train 30, valid 3" in text
    assert "encoder    tiny: bert" in text
    assert "trained    95 of 95 weights" in text


def test_layer_groups_that_are_alike_share_a_row() -> None:
    model = TinyModel()
    freeze_to(model, 2)

    assert described(model).blocks[1].rows == (
        ("embeddings", "frozen", "20"),
        ("layer 0", "frozen", "20"),
        ("layer 1 to 2", "trained", "2 x 20"),
        ("head", "trained", "15"),
    )


def test_a_group_that_is_trained_in_part_says_so() -> None:
    model = TinyModel()
    model.head.bias.requires_grad_(False)

    assert described(model).blocks[1].rows[-1] == ("head", "partly frozen", "15")


def test_a_model_without_layers_is_one_group() -> None:
    assert described(nn.Linear(4, 3)).blocks[1].rows == (("whole model", "trained", "15"),)


def test_the_rate_to_come_is_a_sparkline_with_its_peak() -> None:
    assert described(schedule="none").blocks[2].lines == ("████████", "none, peak 0.0001, 8 steps")


def test_a_cycled_momentum_is_told() -> None:
    assert "momentum from 0.95 to 0.85 and back" in repr(described(schedule="one_cycle"))


def test_the_loop_names_the_callbacks_that_act_at_each_event(tmp_path: Path) -> None:
    lines = described(None, JsonLog(tmp_path / "log.jsonl"), Watcher(), patience=2).blocks[3].lines

    assert [line.strip() for line in lines if line.strip().startswith(("on_", "at an"))] == [
        "on_start: Watcher, EarlyStopping",
        "on_step: JsonLog",
        "on_evaluate: JsonLog, EarlyStopping",
        "on_checkpoint: Watcher",
        "on_finish: JsonLog",
        "at an exception, before it goes on: on_error: JsonLog",
    ]


def test_the_loop_is_indented_as_it_runs_with_its_numbers() -> None:
    lines = described(evaluations_per_epoch=3, clip_norm=0.5, optimizer="lion").blocks[3].lines

    assert "for epoch in 2 epochs:" in lines
    assert "  for batch in 4 steps of 8 rows:" in lines
    assert "    unscale; divide by the count; clip the norm to 0.5; lion step at the rate of warmup_linear" in lines
    assert "    3 x per epoch, evaluate the 3 validation rows:" in lines
    assert "      if f1_macro cannot be told from the best: keep the weights, 3 at most" in lines


def test_gradual_unfreezing_stands_in_the_loop() -> None:
    lines = described(freeze="gradual").blocks[3].lines

    assert lines[2] == "  free one more layer group, from the top"
