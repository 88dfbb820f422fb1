"""From scores of validation rows to a rule for a goal: what is refused, what is fitted, what it keeps on new rows."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from fastbert.config import DecisionConfig
from fastbert.decisions.abstain import free_energy
from fastbert.decisions.calibration import Link, to_probs
from fastbert.decisions.fitting import ScoredRows, check_goal, fit_label_rule
from fastbert.decisions.labelling import Answers, Labeller
from fastbert.decisions.rules import Decisions
from fastbert.errors import ConfigError
from tests.decisions.test_calibration import drawn

NAMES = ("bug", "praise", "question")
# N rows, C labels


def rows(link: Link, count: int = 1500, sharpness: float = 2.0, seed: int = 0) -> ScoredRows:
    """Return rows of a model that is too sure of itself by a factor."""
    logits_NC, targets_NC = drawn(link, rows=count, seed=seed)
    logits_NC = logits_NC * sharpness
    return ScoredRows(NAMES, link, to_probs(logits_NC, link), free_energy(logits_NC, link), targets_NC)


def fit(some: ScoredRows, goal: str | None = None, **options: object) -> Decisions:
    default = "f1" if some.link == "sigmoid" else "default"
    return fit_label_rule(some, DecisionConfig(goal=goal, **options), default)  # type: ignore[arg-type]


def answers(some: ScoredRows, decisions: Decisions) -> Answers:
    return Labeller.of(some.names, some.link, decisions).answer(some.probs_NC, some.energy_N)


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_scores_are_calibrated_first(link: Link) -> None:
    decisions = fit(rows(link))

    assert decisions.calibration.method == "temperature"
    assert decisions.calibration.scale[0] == pytest.approx(0.5, abs=0.05)
    facts = decisions.fit["calibration"]
    assert isinstance(facts, dict)
    assert facts["error_after"] < facts["error_before"]


def test_one_label_a_row_keeps_the_highest_score_by_default() -> None:
    decisions = fit(rows("softmax"))

    assert (decisions.weights, decisions.thresholds, decisions.costs, decisions.goal) == ((), (), (), "default")


def test_several_labels_have_thresholds_for_f1_by_default() -> None:
    decisions = fit(rows("sigmoid"))

    assert decisions.goal == "f1"
    assert decisions.thresholds or 0.2 < decisions.threshold < 0.5


def knows_little(shares: tuple[float, float, float]) -> ScoredRows:
    """Return rows of a model that knows how frequent each label is, and nothing of the rows."""
    rng = np.random.default_rng(0)
    probs_NC = np.array(shares) * rng.uniform(0.9, 1.1, (60, 3))
    return ScoredRows(NAMES, "sigmoid", probs_NC, np.zeros(60), rng.random((60, 3)) < np.array(shares))


def test_a_default_that_would_give_every_label_to_every_row_gives_way() -> None:
    some = knows_little((0.5, 0.1, 0.1))

    asked, by_default = fit(some, goal="f1"), fit(some)

    assert answers(some, asked).decided_NC.all()  # the best mean over labels where nothing is known of rows
    assert (asked.goal, by_default.goal) == ("f1", "f1_micro")
    facts = by_default.fit["goal"]
    assert isinstance(facts, dict) and facts["in_place_of"] == "f1"
    given_C = answers(some, by_default).decided_NC.mean(axis=0)
    assert given_C[0] > 0.9 and given_C[1:].max() == 0


def test_a_default_stays_where_all_decisions_together_say_the_same() -> None:
    decisions = fit(knows_little((0.6, 0.6, 0.6)))

    assert decisions.goal == "f1" and "in_place_of" not in str(decisions.fit["goal"])


def test_a_goal_of_precision_holds_answers_back_where_one_label_is_given() -> None:
    decisions = fit(rows("softmax"), "precision>=0.95")
    new = rows("softmax", 20_000, seed=1)

    found = answers(new, decisions)

    said = np.array([not answer.reason for answer in found.rows])
    right = (found.decided_NC == new.targets_NC).all(axis=1)
    assert 0.1 < said.mean() < 0.9  # of right probabilities, 0.28 of the rows could be answered so
    assert right[said].mean() >= 0.94
    assert right.mean() < 0.85


def test_a_goal_of_precision_for_one_label_leaves_the_others_alone() -> None:
    decisions = fit(rows("softmax"), "precision>=0.95@bug")

    assert [name for name, _ in decisions.thresholds] == ["bug"]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_precision_of_one_label_is_its_own(seed: int) -> None:
    """The others are right nearly always: together with them it would need no threshold."""
    decisions = fit(doubtful(2000, seed), "precision>=0.9@bug", calibrate="none")
    new = doubtful(20_000, seed + 10)

    found = answers(new, decisions)

    said = np.array([not answer.reason for answer in found.rows])
    right = new.targets_NC[:, 0][said & found.decided_NC[:, 0]]
    assert right.mean() >= 0.87 and len(right) > 500
    assert said[~found.decided_NC[:, 0]].all()


def doubtful(count: int, seed: int) -> ScoredRows:
    """Return rows of which half look like bugs, with scores from 0.5 to 1 that say how many of them are."""
    rng = np.random.default_rng(seed)
    top_N = rng.uniform(0.5, 1.0, count)
    looks_N = rng.random(count) < 0.5
    is_bug_N = looks_N & (rng.random(count) < top_N)
    probs_NC = np.stack([np.where(looks_N, top_N, 0.01), np.where(looks_N, 1 - top_N, 0.98), np.full(count, 0.01)], 1)
    targets_NC = np.stack([is_bug_N, ~is_bug_N, np.zeros(count, np.bool_)], 1)
    return ScoredRows(NAMES, "softmax", probs_NC / probs_NC.sum(axis=1, keepdims=True), np.zeros(count), targets_NC)


def test_a_goal_of_recall_for_one_label_finds_so_much_of_it() -> None:
    decisions = fit(rows("softmax"), "recall>=0.95@praise")
    new = rows("softmax", 20_000, seed=1)

    found = answers(new, decisions).decided_NC[:, 1]

    assert 0.93 <= found[new.targets_NC[:, 1]].mean() <= 0.99
    assert found.mean() < 0.8


def test_a_goal_of_recall_for_several_labels_lowers_their_thresholds() -> None:
    new = rows("sigmoid", 20_000, seed=1)

    decided_NC = answers(new, fit(rows("sigmoid"), "recall>=0.9")).decided_NC

    assert (decided_NC & new.targets_NC).sum() / new.targets_NC.sum() == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("seed", range(4))
def test_a_goal_of_recall_for_several_labels_is_kept_by_each(seed: int) -> None:
    """A label whose scores are low would be found half as often by a threshold for all."""
    rng = np.random.default_rng(seed)
    hard_C, logits_NC = np.array([0.0, 0.0, -1.5]), rng.normal(size=(20_400, 3)) * 2
    targets_NC = rng.random((20_400, 3)) < 1 / (1 + np.exp(-logits_NC))
    probs_NC = 1 / (1 + np.exp(-(logits_NC + hard_C)))
    fitted, new = (
        ScoredRows(NAMES, "sigmoid", probs_NC[part], np.zeros(len(probs_NC[part])), targets_NC[part])
        for part in (slice(400), slice(400, None))
    )

    decided_NC = answers(new, fit(fitted, "recall>=0.8", calibrate="none")).decided_NC

    recall_C = (decided_NC & new.targets_NC).sum(axis=0) / new.targets_NC.sum(axis=0)
    assert recall_C.min() >= 0.74 and recall_C.mean() >= 0.78


@pytest.mark.parametrize("seed", range(3))
def test_one_threshold_for_all_labels_is_said_once(seed: int) -> None:
    """The guarded threshold for all is no threshold of a label's own, and a label that is never given has one."""
    for least in (0.6, 0.8, 0.9):
        decisions = fit(rows("sigmoid", 60, seed=seed), f"precision>={least}", calibrate="none")

        numbers = {value for _, value in decisions.thresholds}
        assert len(numbers) != 1 or numbers == {math.inf}


def test_the_recall_of_a_label_without_a_row_cannot_be_fitted() -> None:
    some = rows("softmax", 200)
    without = some.targets_NC[:, 1] == 0
    less = ScoredRows(NAMES, "softmax", some.probs_NC[without], some.energy_N[without], some.targets_NC[without])

    decisions = fit(less, "recall>=0.9@praise")

    assert (decisions.weights, decisions.fit["goal"]) == ((), {"unseen": "praise"})


def test_one_label_a_row_cannot_be_several() -> None:
    check_goal(DecisionConfig(at_least=3, at_most=3), NAMES, "softmax")  # --top-k 3
    with pytest.raises(ConfigError, match="asks for more labels than the one that each row has"):
        check_goal(DecisionConfig(at_least=2), NAMES, "softmax")


def test_costs_decide_by_what_a_mistake_costs(tmp_path: Path) -> None:
    place = tmp_path / "costs.csv"
    place.write_text("true,decided,cost\nbug,praise,50\nbug,question,50\n", encoding="utf-8")

    decisions = fit(rows("softmax"), f"cost:{place}")

    facts = decisions.fit["goal"]
    assert isinstance(facts, dict)
    assert facts["cost_after"] < facts["cost_before"] / 2
    found = answers(rows("softmax"), decisions).decided_NC[:, 0]
    assert found[rows("softmax").targets_NC[:, 0]].mean() > 0.97


def test_costs_by_label_move_their_thresholds(tmp_path: Path) -> None:
    place = tmp_path / "costs.csv"
    place.write_text("label,false_positive,false_negative\nbug,9,1\nquestion,1,9\n", encoding="utf-8")

    decisions = fit(rows("sigmoid"), f"cost:{place}")

    thresholds = dict(decisions.thresholds)
    assert thresholds["bug"] == pytest.approx(0.9, abs=0.08)
    assert thresholds["question"] == pytest.approx(0.1, abs=0.08)


@pytest.mark.parametrize(("link", "risk"), [("softmax", 0.1), ("sigmoid", 0.3)])
def test_a_risk_is_kept_on_new_rows(link: Link, risk: float) -> None:
    decisions = fit(rows(link), abstain=f"risk<={risk}")
    new = rows(link, 20_000, seed=1)

    found = answers(new, decisions)

    said = np.array([not answer.reason for answer in found.rows])
    wrong = ~(found.decided_NC == new.targets_NC).all(axis=1)
    assert wrong[said].mean() <= risk + 0.03
    assert wrong.mean() > risk + 0.1


def test_a_share_of_the_rows_may_be_called_strange() -> None:
    some = rows("softmax")

    found = answers(some, fit(some, outside=0.02))

    assert np.mean([answer.reason.startswith("unlike") for answer in found.rows]) == pytest.approx(0.02, abs=0.001)


def test_the_limits_of_a_users_labels_are_kept() -> None:
    decisions = fit(rows("sigmoid"), at_least=1, at_most=2)

    counts = answers(rows("sigmoid"), decisions).decided_NC.sum(axis=1)
    assert (counts.min(), counts.max()) == (1, 2)


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_a_rule_comes_back_from_a_bundle_and_decides_the_same(link: Link) -> None:
    some = rows(link, 400)
    decisions = fit(some, "precision>=0.8", abstain="0.3", outside=0.01)

    again = Decisions.from_json(decisions.to_json())

    assert again == decisions
    assert answers(some, again).rows == answers(some, decisions).rows


def test_a_label_that_is_never_given_comes_back() -> None:
    decisions = Decisions(thresholds=(("bug", math.inf),))

    assert Decisions.from_json(decisions.to_json()) == decisions
    assert decisions.to_json()["thresholds"] == {"bug": None}


def test_rows_without_a_positive_one_have_the_default() -> None:
    some = rows("sigmoid", 50)
    empty = ScoredRows(NAMES, "sigmoid", some.probs_NC, some.energy_N, np.zeros((50, 3), np.bool_))

    decisions = fit(empty)

    assert (decisions.threshold, decisions.thresholds) == (0.5, ())


@pytest.mark.parametrize(
    ("link", "goal", "message"),
    [
        ("sigmoid", "recall>=0.9@bug", "is about one label, which is for models that give exactly one"),
        ("softmax", "recall>=0.9", "does not say of which label"),
        ("softmax", "recall>=0.9@bugs", "names the label 'bugs', which the model does not have"),
        ("softmax", "f1_micro", "is the accuracy where each row has one label"),
        ("softmax", "often", "The goal is 'often'; expected f1"),
    ],
)
def test_a_goal_that_labels_do_not_have_is_refused(link: Link, goal: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_goal(DecisionConfig(goal=goal), NAMES, link)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("link", "content", "message"),
    [
        ("sigmoid", "true,decided,cost\nbug,praise,5\n", "by true and decided label, which is for models"),
        ("softmax", "label,false_positive,false_negative\nbug,1,5\n", "by label given wrongly or missed"),
    ],
)
def test_costs_of_the_other_kind_are_refused(tmp_path: Path, link: Link, content: str, message: str) -> None:
    place = tmp_path / "costs.csv"
    place.write_text(content, encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        check_goal(DecisionConfig(goal=f"cost:{place}"), NAMES, link)

    assert message in str(caught.value)
