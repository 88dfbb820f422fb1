"""Optimizers, their parameter groups, and how a schedule acts on them.

A row of OPTIMIZERS is all that a new optimizer needs. Groups separate what is decayed from
what is not, the head from the encoder when it learns faster, and one layer from the next when the
learning rate falls with depth. Knows neither the loss nor the loop; clipping and scaling happen
before (`training/step.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import ParamsT

from fastbert.errors import ConfigError, did_you_mean
from fastbert.models.freezing import layer_groups
from fastbert.models.heads import head_parameters
from fastbert.models.schedules import Schedule

ParameterGroup = dict[str, Any]  # the type of torch: a group holds values of all kinds
Momenta = tuple[float, ...]  # (beta1, beta2), (momentum,) or () in that order

LAMB_MAX_NORM = 10.0  # upper end of phi (You et al. 2020); the value of pytorch-lamb
FUSED_DEVICES = ("cpu", "cuda")  # where torch 2.4 and later have a fused AdamW


@dataclass(frozen=True)
class OptimizerKind:
    """One row of OPTIMIZERS.

    build: from groups, learning rate and momenta to the optimizer.
    weight_decay: default. momenta: what build receives.
    cycled: the group key that a schedule may cycle, None if it must be left alone.
    elementwise: each weight is updated from its own gradients alone.
    """

    build: Callable[[list[ParameterGroup], float, Momenta], Optimizer]
    weight_decay: float
    momenta: Momenta
    cycled: Literal["momentum", "betas"] | None
    description: str
    elementwise: bool = True


def make_optimizer(
    model: nn.Module,
    name: str,
    *,
    lr: float,
    weight_decay: float | None = None,
    layer_decay: float = 1.0,
    head_lr_factor: float = 1.0,
) -> Optimizer:
    """Build an optimizer over all parameters of a model, each in exactly one group.

    weight_decay: None takes the default of the row; biases and norms are never decayed.
    layer_decay: xi in (0, 1]: a group of `layer_groups` that lies d below the head learns at
        lr * xi**d (Sun et al. 2019, arXiv 1905.05583); 1 gives all the same rate.
    head_lr_factor: `head_parameters` (what the encoder does not have) learn at so many times the rate.
    Each group carries `base_lr` (lr as given; assign it to train on at another rate) and
    `lr_scale` (the product of both factors) for `apply_schedule`.
    Frozen parameters are in their groups too; they have no gradient, so they do not move until
    they are unfrozen, and nothing need be rebuilt then.
    Raises ConfigError for an unknown name or a value out of range, EncoderError if layer_decay
    is below 1 and the layers cannot be found.
    """
    kind = find_optimizer(name)
    weight_decay = kind.weight_decay if weight_decay is None else weight_decay
    _check_rates(lr, weight_decay, layer_decay, head_lr_factor)
    not_decayed = _not_decayed(model)
    groups: dict[tuple[float, bool], ParameterGroup] = {}
    for scale, parameter in _scaled_parameters(model, layer_decay, head_lr_factor):
        decays = id(parameter) not in not_decayed
        group = groups.setdefault(
            (scale, decays),
            {
                "params": [],
                "lr": lr * scale,
                "base_lr": lr,
                "lr_scale": scale,
                "weight_decay": weight_decay if decays else 0.0,
                "cycled": kind.cycled,
                "base_momentum": kind.momenta[0] if kind.cycled else None,
                "layer_adaptation": decays,  # read by Lamb alone
            },
        )
        group["params"].append(parameter)
    return kind.build(list(groups.values()), lr, kind.momenta)


def forget_misfits(optimizer: Optimizer) -> None:
    """Drop what an optimizer of elementwise kind remembers of parameters that have another shape now.

    Between two fits the word embeddings may be whole in one and shrunk to the rows that occur in the other. torch's
    fused optimizers do not compare shapes: they would read moments of other rows, and write past their end.
    """
    for parameter, state in list(optimizer.state.items()):
        kept = (value for value in state.values() if isinstance(value, torch.Tensor) and value.dim() > 0)
        if any(value.shape != parameter.shape for value in kept):
            del optimizer.state[parameter]


def apply_schedule(optimizer: Optimizer, schedule: Schedule, step: int) -> float:
    """Set the learning rates, and the momentum if it is cycled, for update number step.

    Return the rate of a group whose `lr_scale` is 1.

    Needs an optimizer of `make_optimizer`. Nothing of earlier calls remains: a resumed run may
    start at any step, and a schedule without a momentum curve brings the default momentum back.
    """
    factor, cycled_momentum = schedule.factor(step), schedule.momentum(step)
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * group["lr_scale"] * factor
        momentum = group["base_momentum"] if cycled_momentum is None else cycled_momentum
        if group["cycled"] == "momentum":
            group["momentum"] = momentum
        elif group["cycled"] == "betas":
            group["betas"] = (momentum, *group["betas"][1:])
    return float(optimizer.param_groups[0]["base_lr"]) * factor


def find_optimizer(name: str) -> OptimizerKind:
    """Return the row of an optimizer. Raises ConfigError that names the closest one."""
    if name not in OPTIMIZERS:
        raise ConfigError(
            f"Optimizer '{name}' is not known; expected one of {', '.join(OPTIMIZERS)}.",
            did_you_mean(name, OPTIMIZERS) or "`adamw` is the usual choice.",
        )
    return OPTIMIZERS[name]


class _ParameterwiseOptimizer(Optimizer):
    """The loop that Lamb and Lion share: one update per parameter that has a gradient."""

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update every parameter that has a gradient; return the loss of the closure, if any."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.no_grad():
            for group in self.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        self._update(parameter, parameter.grad, group)
        return loss

    def _update(self, weight: Tensor, gradient: Tensor, group: ParameterGroup) -> None:
        raise NotImplementedError


class Lamb(_ParameterwiseOptimizer):
    """LAMB: Adam whose step is scaled to the norm of each weight (You et al. 2020, Algorithm 2).

    arXiv 1904.00962. The trust ratio is min(|w|, 10) / |u|, and 1 where |w| or |u| is 0, so that
    a bias that starts at 0 can move and an update of 0 gives no NaN. A ratio below 1 still
    holds a tiny bias back, so groups with `layer_adaptation` False (biases and norms, as in
    the authors' `exclude_from_layer_adaptation`) take the plain Adam step.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        bias_correction: bool = True,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "bias_correction": bias_correction,
            "layer_adaptation": True,
        }
        super().__init__(params, defaults)

    def _update(self, weight: Tensor, gradient: Tensor, group: ParameterGroup) -> None:
        beta1, beta2 = group["betas"]
        state = self.state[weight]
        if not state:
            state["step"] = torch.tensor(0.0)  # a tensor on the CPU, as in torch's own optimizers
            state["exp_avg"] = torch.zeros_like(weight)
            state["exp_avg_sq"] = torch.zeros_like(weight)
        state["step"] += 1
        mean = state["exp_avg"].lerp_(gradient, 1 - beta1)
        square = state["exp_avg_sq"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        mean_share = square_share = 1.0
        if group["bias_correction"]:
            num_updates = state["step"].item()
            mean_share, square_share = 1 - beta1**num_updates, 1 - beta2**num_updates
        # One new tensor, reused in place: 80 ms a step for MiniLM-L6 on one CPU thread; as written, 232 ms.
        update = square.sqrt().div_(math.sqrt(square_share)).add_(group["eps"])
        torch.div(mean, update, out=update).div_(mean_share).add_(weight, alpha=group["weight_decay"])
        if group["layer_adaptation"]:
            weight_norm, update_norm = weight.norm(), update.norm()
            ratio = weight_norm.clamp(max=LAMB_MAX_NORM) / update_norm
            update.mul_(torch.where((weight_norm > 0) & (update_norm > 0), ratio, 1.0))
        weight.add_(update, alpha=-group["lr"])


class Lion(_ParameterwiseOptimizer):
    """Lion: the sign of an interpolated momentum (Chen et al. 2023, Algorithm 2).

    arXiv 2302.06675. Every weight moves by exactly lr, so lr should be a third to a tenth of
    AdamW's and weight_decay three to ten times as large (section 5 there).
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    def _update(self, weight: Tensor, gradient: Tensor, group: ParameterGroup) -> None:
        beta1, beta2 = group["betas"]
        state = self.state[weight]
        if not state:
            state["exp_avg"] = torch.zeros_like(weight)
        update = state["exp_avg"].lerp(gradient, 1 - beta1).sign_()
        state["exp_avg"].lerp_(gradient, 1 - beta2)
        weight.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-group["lr"])


def _scaled_parameters(model: nn.Module, layer_decay: float, head_lr_factor: float) -> list[tuple[float, nn.Parameter]]:
    in_head = {id(parameter) for parameter in head_parameters(model)}
    groups = [tuple(model.parameters())] if layer_decay == 1 else [group.parameters for group in layer_groups(model)]
    return [
        (layer_decay ** (len(groups) - 1 - index) * (head_lr_factor if id(parameter) in in_head else 1.0), parameter)
        for index, group in enumerate(groups)
        for parameter in group
    ]


def _not_decayed(model: nn.Module) -> set[int]:
    """Return the ids of biases, norm weights and all other vectors and scalars."""
    return {
        id(parameter)
        for module in model.modules()
        for name, parameter in module.named_parameters(recurse=False)
        if parameter.ndim <= 1 or name.endswith("bias") or "Norm" in type(module).__name__
    }


def _check_rates(lr: float, weight_decay: float, layer_decay: float, head_lr_factor: float) -> None:
    if not (math.isfinite(lr) and lr > 0):
        raise ConfigError(f"lr={lr:g} is not a learning rate: it must be above 0.", "2e-5 to 1e-4 are usual.")
    if not (math.isfinite(weight_decay) and weight_decay >= 0):
        raise ConfigError(f"weight_decay={weight_decay:g} must be at least 0.", "0.01 is usual; 0 turns it off.")
    if not 0 < layer_decay <= 1:
        raise ConfigError(
            f"layer_decay={layer_decay:g} must be above 0 and at most 1.",
            "0.8 to 0.95 are usual; 1 turns it off.",
        )
    if not (math.isfinite(head_lr_factor) and head_lr_factor > 0):
        raise ConfigError(f"head_lr_factor={head_lr_factor:g} must be above 0.", "10 is usual; 1 turns it off.")


def _adamw(groups: list[ParameterGroup], lr: float, momenta: Momenta) -> Optimizer:
    beta1, beta2 = momenta
    parameters = [parameter for group in groups for parameter in group["params"]]
    can_fuse = all(p.is_floating_point() and p.device.type in FUSED_DEVICES for p in parameters)
    return torch.optim.AdamW(groups, lr=lr, betas=(beta1, beta2), fused=True if can_fuse else None)


def _sgd(groups: list[ParameterGroup], lr: float, momenta: Momenta) -> Optimizer:
    return torch.optim.SGD(groups, lr=lr, momentum=momenta[0])


def _lamb(groups: list[ParameterGroup], lr: float, momenta: Momenta) -> Optimizer:
    beta1, beta2 = momenta
    return Lamb(groups, lr=lr, betas=(beta1, beta2))


def _lion(groups: list[ParameterGroup], lr: float, momenta: Momenta) -> Optimizer:
    beta1, beta2 = momenta
    return Lion(groups, lr=lr, betas=(beta1, beta2))


def _adafactor(groups: list[ParameterGroup], lr: float, momenta: Momenta) -> Optimizer:
    return torch.optim.Adafactor(groups, lr=lr)


# AdamW corrects the bias of its averages; the BertAdam of 2019 did not, which made runs on small
# data fail (Mosbach et al. 2021; Zhang et al. 2021). 0.01 is the decay of Devlin et al. 2019.
OPTIMIZERS: dict[str, OptimizerKind] = {
    "adamw": OptimizerKind(_adamw, 0.01, (0.9, 0.999), "betas", "Adam with decoupled decay; the default"),
    "sgd": OptimizerKind(_sgd, 0.0, (0.9,), "momentum", "gradient descent with momentum; decay is plain L2"),
    "lamb": OptimizerKind(
        _lamb, 0.01, (0.9, 0.999), "betas", "Adam scaled to each weight's norm; for huge batches", False
    ),
    # Its beta1 mixes the sign's input and is no momentum, so it is not cycled. Ten times AdamW's
    # decay goes with a tenth of its learning rate.
    "lion": OptimizerKind(_lion, 0.1, (0.9, 0.99), None, "sign of the momentum; a third to a tenth of AdamW's lr"),
    "adafactor": OptimizerKind(_adafactor, 0.0, (), None, "factored second moments, no momentum; little memory", False),
}
