"""Optimizers by hand and against other implementations; how a schedule acts on them."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from fastbert.errors import ConfigError
from fastbert.models.optimizers import OPTIMIZERS, Lamb, Lion, apply_schedule, make_optimizer
from fastbert.models.schedules import make_schedule


def linear() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 2))


def _backward(model: nn.Module, seed: int = 0) -> None:
    inputs = torch.randn(5, 4, generator=torch.Generator().manual_seed(seed))
    model(inputs).square().sum().backward()


def _train(model: nn.Module, optimizer: Optimizer, num_updates: int) -> list[Tensor]:
    """Return the weights after some updates on batches that depend on nothing but their number."""
    for step in range(num_updates):
        optimizer.zero_grad()
        _backward(model, step)
        optimizer.step()
    return _weights(model)


def _weights(model: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]


def push(weight: nn.Parameter, optimizer: Optimizer, num_updates: int) -> None:
    """Update a weight with the gradient 1, again and again."""
    for _ in range(num_updates):
        weight.grad = torch.ones_like(weight)
        optimizer.step()


def _one_step(optimizer_of: Callable[[Iterable[nn.Parameter]], Optimizer], value: float, slope: float) -> float:
    """Return a single weight after one update with the given gradient."""
    weight = nn.Parameter(torch.tensor([value], dtype=torch.float64))
    weight.grad = torch.tensor([slope], dtype=torch.float64)
    optimizer_of([weight]).step()
    return weight.item()


def test_applying_a_step_does_not_depend_on_earlier_steps() -> None:
    schedule = make_schedule("one_cycle", 100)
    jumped, walked = (make_optimizer(linear(), "adamw", lr=1e-3) for _ in range(2))
    apply_schedule(walked, schedule, 10)
    apply_schedule(walked, schedule, 60)
    apply_schedule(jumped, schedule, 60)
    assert [(g["lr"], g["betas"]) for g in walked.param_groups] == [(g["lr"], g["betas"]) for g in jumped.param_groups]


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        ("adamw", "betas", (0.95, 0.999)),
        ("lamb", "betas", (0.95, 0.999)),
        ("sgd", "momentum", 0.95),
        ("lion", "betas", (0.9, 0.99)),
    ],
)
def test_one_cycle_moves_the_momentum_of_those_that_may_be_cycled(
    name: str, key: str, expected: float | tuple[float, float]
) -> None:
    optimizer = make_optimizer(linear(), name, lr=1e-3)
    apply_schedule(optimizer, make_schedule("one_cycle", 100), 0)
    assert optimizer.param_groups[0][key] == expected


def test_one_cycle_leaves_an_optimizer_without_momentum_alone() -> None:
    optimizer = make_optimizer(linear(), "adafactor", lr=1e-3)
    apply_schedule(optimizer, make_schedule("one_cycle", 100), 0)
    assert not {"betas", "momentum"} & set(optimizer.param_groups[0])


@pytest.mark.parametrize(("name", "key", "expected"), [("adamw", "betas", (0.9, 0.999)), ("sgd", "momentum", 0.9)])
def test_a_schedule_without_momentum_brings_the_default_back(
    name: str, key: str, expected: float | tuple[float, float]
) -> None:
    optimizer = make_optimizer(linear(), name, lr=1e-3)
    apply_schedule(optimizer, make_schedule("one_cycle", 100), 99)
    apply_schedule(optimizer, make_schedule("warmup_cosine", 100), 0)
    assert optimizer.param_groups[0][key] == expected


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_lowers_a_loss(name: str) -> None:
    model = linear()
    inputs = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    before = model(inputs).square().sum().item()
    _train(model, make_optimizer(model, name, lr=1e-3, weight_decay=0.0), 20)
    assert model(inputs).square().sum().item() < before


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_saved_and_loaded_state_continues_bit_for_bit(name: str) -> None:
    model = linear()
    optimizer = make_optimizer(model, name, lr=1e-2)
    _train(model, optimizer, 3)
    resumed_model = copy.deepcopy(model)
    resumed = make_optimizer(resumed_model, name, lr=1e-2)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    pairs = zip(_train(model, optimizer, 3), _train(resumed_model, resumed, 3), strict=True)
    assert all(torch.equal(left, right) for left, right in pairs)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_state_of_every_optimizer_is_tensors(name: str) -> None:
    model = linear()
    optimizer = make_optimizer(model, name, lr=1e-2)
    _train(model, optimizer, 1)
    values = [value for state in optimizer.state.values() for value in state.values() if value is not None]
    assert all(isinstance(value, Tensor) for value in values)


def test_adamw_is_fused_on_the_cpu() -> None:
    assert make_optimizer(linear(), "adamw", lr=1e-3).param_groups[0]["fused"] is True


def test_adamw_of_parameters_without_a_fused_kernel_is_not_fused() -> None:
    model = linear().to("meta")
    assert not make_optimizer(model, "adamw", lr=1e-3).param_groups[0]["fused"]


def test_fused_adamw_equals_the_plain_one() -> None:
    fused, plain = linear(), linear()
    plain_optimizer = torch.optim.AdamW(plain.parameters(), lr=1e-2, weight_decay=0.0, foreach=False)
    expected = _train(plain, plain_optimizer, 5)
    actual = _train(fused, make_optimizer(fused, "adamw", lr=1e-2, weight_decay=0.0), 5)
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-6)


def test_the_first_step_of_adamw_corrects_the_bias() -> None:
    """With bias correction the first update is lr * sign(g) (Kingma and Ba 2015, section 2.1)."""
    model = nn.Linear(1, 1, bias=False).double()
    nn.init.constant_(model.weight, 2.0)
    model.weight.grad = torch.full_like(model.weight, 0.5)
    make_optimizer(model, "adamw", lr=0.1, weight_decay=0.0).step()
    assert model.weight.item() == pytest.approx(1.9, abs=1e-7)


def test_lamb_matches_a_hand_computed_first_step() -> None:
    """Take w = (2, 0), g = 0.5, wd = 0.1: corrected m/sqrt(v) = 1, u = (1.2, 1), r = 2/|u|."""
    weights = nn.Parameter(torch.tensor([2.0, 0.0], dtype=torch.float64))
    weights.grad = torch.tensor([0.5, 0.5], dtype=torch.float64)
    Lamb([weights], lr=0.1, weight_decay=0.1, eps=0.0).step()
    ratio = 2.0 / math.hypot(1.2, 1.0)
    assert weights.tolist() == pytest.approx([2.0 - 0.1 * ratio * 1.2, -0.1 * ratio])


def test_lamb_without_bias_correction_matches_a_hand_computed_first_step() -> None:
    """Take w = (2, 0), g = 0.5: m/sqrt(v) = 0.05/sqrt(0.00025) = 3.1623, u = (3.3623, 3.1623), r = 2/|u|.

    Two weights, for the ratio undoes any scale of u on a single one.
    """
    weights = nn.Parameter(torch.tensor([2.0, 0.0], dtype=torch.float64))
    weights.grad = torch.tensor([0.5, 0.5], dtype=torch.float64)
    Lamb([weights], lr=0.1, weight_decay=0.1, eps=0.0, bias_correction=False).step()
    ratio = 2.0 / math.hypot(3.1622777 + 0.2, 3.1622777)
    assert weights.tolist() == pytest.approx([2.0 - 0.1 * ratio * 3.3622777, -0.1 * ratio * 3.1622777])


def test_lamb_moves_a_bias_that_starts_at_zero() -> None:
    """Regression, reference W1: the old trust ratio was 0 for w = 0, so the bias never moved."""
    assert _one_step(lambda params: Lamb(params, lr=0.1, eps=0.0), 0.0, 0.5) == pytest.approx(-0.1)


def test_lamb_keeps_moving_a_bias_that_starts_at_zero() -> None:
    """A ratio of |w|/|u| on a bias of size lr would all but stop it at its second update."""
    model = nn.Linear(1, 1)
    nn.init.zeros_(model.bias)
    optimizer = make_optimizer(model, "lamb", lr=0.01)
    push(model.bias, optimizer, num_updates=10)
    assert model.bias.item() == pytest.approx(-0.1, rel=1e-3)


@pytest.mark.parametrize("value", [0.0, 2.0])
def test_lamb_gives_no_nan_for_an_update_of_zero(value: float) -> None:
    """Regression, reference W1: the old trust ratio was NaN for u = 0."""
    assert _one_step(lambda params: Lamb(params, lr=0.1), value, 0.0) == value


def test_lamb_clamps_the_norm_of_the_weight() -> None:
    assert _one_step(lambda params: Lamb(params, lr=0.1, eps=0.0), 1000.0, 0.5) == pytest.approx(999.0)


def test_lamb_matches_pytorch_optimizer() -> None:
    other = pytest.importorskip("pytorch_optimizer")
    ours, theirs = linear(), linear()
    options: dict[str, Any] = {"lr": 1e-2, "weight_decay": 0.05}
    # `adam_debias` switches off their correction of the step by 1 - beta1**t, which is in no paper.
    their_options = options | {"weight_decouple": False, "adam_debias": True}
    expected = _train(theirs, other.Lamb(theirs.parameters(), **their_options), 5)
    actual = _train(ours, Lamb(ours.parameters(), bias_correction=False, **options), 5)
    # Theirs adds eps = 1e-6 to the norm of the update.
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)


def test_lion_matches_a_hand_computed_first_step() -> None:
    """Take w = 2, g = 0.5, wd = 0.1, lr = 0.1: w - 0.1 * (sign(0.1 * 0.5) + 0.1 * 2) = 1.88."""
    value = _one_step(lambda params: Lion(params, lr=0.1, weight_decay=0.1), 2.0, 0.5)
    assert value == pytest.approx(1.88)


def test_lion_takes_the_sign_of_the_interpolated_momentum() -> None:
    """Gradients 1, then -0.05: m = 0.01, and 0.9 * 0.01 - 0.1 * 0.05 > 0, so the weight falls again."""
    weight = nn.Parameter(torch.tensor([0.0]))
    optimizer = Lion([weight], lr=0.1)
    weight.grad = torch.tensor([1.0])
    optimizer.step()
    weight.grad = torch.tensor([-0.05])
    optimizer.step()
    assert weight.item() == pytest.approx(-0.2)


def test_lion_matches_pytorch_optimizer() -> None:
    other = pytest.importorskip("pytorch_optimizer")
    ours, theirs = linear(), linear()
    options: dict[str, Any] = {"lr": 1e-2, "weight_decay": 0.05}
    expected = _train(theirs, other.Lion(theirs.parameters(), **options), 5)
    torch.testing.assert_close(_train(ours, Lion(ours.parameters(), **options), 5), expected)


@pytest.mark.parametrize("optimizer_class", [Lamb, Lion])
def test_a_closure_is_called_and_its_loss_returned(optimizer_class: type[Lamb] | type[Lion]) -> None:
    weight = nn.Parameter(torch.ones(1))

    def closure() -> float:
        loss = weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
        return loss.item()

    assert (optimizer_class([weight]).step(closure), weight.item() < 1) == (1.0, True)


def test_an_unknown_optimizer_names_the_closest_one() -> None:
    with pytest.raises(ConfigError) as caught:
        make_optimizer(linear(), "adam", lr=1e-3)
    assert str(caught.value) == (
        "Optimizer 'adam' is not known; expected one of adamw, sgd, lamb, lion, adafactor.\n  Did you mean 'adamw'?"
    )


def test_an_unknown_optimizer_like_no_other_gets_advice() -> None:
    with pytest.raises(ConfigError, match="`adamw` is the usual choice"):
        make_optimizer(linear(), "zzz", lr=1e-3)


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ({"lr": 0.0}, "lr=0 is not a learning rate: it must be above 0."),
        ({"lr": math.nan}, "lr=nan is not a learning rate: it must be above 0."),
        ({"lr": 1e-3, "weight_decay": -0.1}, "weight_decay=-0.1 must be at least 0."),
        ({"lr": 1e-3, "layer_decay": 0.0}, "layer_decay=0 must be above 0 and at most 1."),
        ({"lr": 1e-3, "layer_decay": 1.1}, "layer_decay=1.1 must be above 0 and at most 1."),
        ({"lr": 1e-3, "head_lr_factor": 0.0}, "head_lr_factor=0 must be above 0."),
        ({"lr": 1e-3, "head_lr_factor": math.inf}, "head_lr_factor=inf must be above 0."),
    ],
)
def test_rates_out_of_range_are_refused(rates: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_optimizer(linear(), "adamw", **rates)
    assert caught.value.message == message
