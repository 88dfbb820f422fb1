"""How fast this machine trains and runs an encoder, by precision, threads and compilation.

Candidates take turns, A B A B, so that a busy moment of the machine hits them alike; medians and ratios are of
passes that ran side by side. A precision that the machine would only emulate is refused, not timed.
Knows nothing of where texts come from or how figures are printed.

Axes: R rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from statistics import median, quantiles
from typing import cast

import numpy as np
import torch
from torch import nn

from fastbert.config import Precision
from fastbert.data.batches import middle_step, training_steps
from fastbert.errors import ConfigError
from fastbert.inference.torch_backend import TorchBackend
from fastbert.models.attention import suit_attention
from fastbert.models.probing import working_runtime
from fastbert.models.work import Work, measure_work
from fastbert.processors import num_cores
from fastbert.runtime import (
    Runtime,
    choose_runtime,
    float32_products,
    product_rate,
    untouched_rng,
    using_threads,
    wait_for,
)
from fastbert.tasks.base import pad_batch
from fastbert.training.learner import Learner
from fastbert.training.shortcuts import shortcuts
from fastbert.training.step import Stepper, make_scaler, training_parts

MODES = ("fp32", "fp32 medium", "bf16", "fp16")  # "medium": torch may round float32 products to bfloat16
OPTIONS = ("fp32", "bf16", "fp16")  # those that --precision takes; "medium" never was faster than bf16
REFUSED = "refused: emulated"
_WARM_UP = 1  # passes that are not timed: the first makes the plans of its products


@dataclass(frozen=True)
class Candidate:
    """One way to compute. mode: one of MODES.    threads: on a processor, else 0."""

    mode: str
    threads: int

    @property
    def name(self) -> str:
        """Return a short name."""
        threads = f", {self.threads} thread{'s' if self.threads > 1 else ''}" if self.threads else ""
        return f"{self.mode}{threads}"


@dataclass(frozen=True)
class Speed:
    """What one candidate took for a batch of texts. seconds_R: of each round.

    tokens: real ones.    flop: of their work.    product_rate: FLOP per second of a matrix product in its mode.
    """

    candidate: Candidate
    seconds_R: tuple[float, ...]
    texts: int
    tokens: int
    flop: float
    product_rate: float

    @property
    def seconds(self) -> float:
        """Return the median."""
        return median(self.seconds_R)

    @property
    def spread(self) -> float:
        """Return the range between the quartiles as a share of the median."""
        low, _, high = quantiles(self.seconds_R, n=4, method="inclusive") if len(self.seconds_R) > 1 else (0.0,) * 3
        return (high - low) / self.seconds

    @property
    def mfu(self) -> float:
        """Return the FLOP of the real tokens' work, by what the machine could have done in this mode."""
        return self.flop / (self.seconds * self.product_rate)

    def times_faster(self, other: Speed) -> float:
        """Return the median over rounds of how many times faster this one was than another of the same rounds."""
        return median(theirs / own for own, theirs in zip(self.seconds_R, other.seconds_R, strict=True))

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "mode": self.candidate.mode,
            "threads": self.candidate.threads,
            "seconds": self.seconds,
            "spread": round(self.spread, 4),
            "texts_per_second": round(self.texts / self.seconds, 2),
            "tokens_per_second": round(self.tokens / self.seconds, 1),
            "mfu": round(self.mfu, 4),
        }


@dataclass(frozen=True)
class Compiled:
    """What torch.compile cost and gave. first_step_s: with compilation, forward and backward."""

    first_step_s: float
    eager_s: float
    compiled_s: float

    @property
    def steps_to_pay(self) -> int | None:
        """Return after how many steps the time of compiling is won back, or None if it never is."""
        gain = self.eager_s - self.compiled_s
        return None if gain <= 0 else int(np.ceil((self.first_step_s - self.compiled_s) / gain))


@dataclass(frozen=True)
class Results:
    """Everything measured. rates: FLOP per second of a matrix product by mode, all threads; or why there is none.

    training, inference: by mode, with all cores.    training_threads: in the fastest mode.
    inference_threads: in fp32, the precision of `fastbert predict`.
    """

    device: str
    cores: int
    texts: int
    tokens: int
    longest: int
    rates: Mapping[str, float | str]
    training: Sequence[Speed]
    inference: Sequence[Speed]
    training_threads: Sequence[Speed]
    inference_threads: Sequence[Speed]
    compiled: Compiled | None = None

    @property
    def best_training(self) -> Speed:
        """Return the fastest way to train that options of FastBert ask for."""
        return _fastest(self.training_threads) if self.training_threads else fastest_option(self.training)

    @property
    def best_inference(self) -> Speed:
        """Return the fastest way to predict in fp32."""
        return _fastest(self.inference_threads or [one for one in self.inference if one.candidate.mode == "fp32"])

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        compiled = (
            None if self.compiled is None else {**asdict(self.compiled), "steps_to_pay": self.compiled.steps_to_pay}
        )
        return {
            "device": self.device,
            "cores": self.cores,
            "texts": {"rows": self.texts, "tokens": self.tokens, "longest": self.longest},
            "product_rates": dict(self.rates),
            "training": [speed.to_json() for speed in self.training],
            "inference": [speed.to_json() for speed in self.inference],
            "training_threads": [speed.to_json() for speed in self.training_threads],
            "inference_threads": [speed.to_json() for speed in self.inference_threads],
            "compiled": compiled,
            "fastest": {"training": self.best_training.to_json(), "inference": self.best_inference.to_json()},
        }


def fastest_option(speeds: Sequence[Speed]) -> Speed:
    """Return the fastest of those that an option of FastBert asks for."""
    return _fastest([speed for speed in speeds if speed.candidate.mode in OPTIONS])


def _fastest(speeds: Sequence[Speed]) -> Speed:
    return min(speeds, key=lambda speed: speed.seconds)


def run_bench(
    learner: Learner, *, rounds: int = 5, compiled: bool = False, on_stage: Callable[[str], None] = lambda text: None
) -> Results:
    """Return how fast the model of a learner trains and predicts on a batch of its texts.

    First all precisions with all cores; then fewer threads, in the fastest precision to train and in fp32 to predict.
    The weights of the learner change: train another one. on_stage: is told what is measured next.
    Raises ConfigError for less than 2 rounds.
    """
    if rounds < 2:
        raise ConfigError(f"rounds is {rounds}; it must be at least 2, so that candidates take turns.")
    bench = _Bench(learner, rounds)
    all_cores = bench.cores if bench.on_processor else 0
    on_stage("matrix products")
    rates = {mode: bench.rate(Candidate(mode, all_cores)) for mode in MODES}
    possible = [Candidate(mode, all_cores) for mode, rate in rates.items() if not isinstance(rate, str)]
    on_stage(f"training and inference: {', '.join(candidate.mode for candidate in possible)}")
    config = learner.plan(estimate=False).config
    with untouched_rng(), shortcuts(learner.model, learner.data, config, learner.runtime):
        training, inference = bench.train(possible), bench.predict(possible)
        chosen = fastest_option(training).candidate
        counts = [*fewer_threads(all_cores), all_cores] if all_cores > 1 else []
        if counts:  # all cores once more: only what took turns can be compared
            on_stage(f"threads: {', '.join(map(str, counts))}")
        training_threads = bench.train([replace(chosen, threads=count) for count in counts])
        inference_threads = bench.predict([Candidate("fp32", count) for count in counts])
        if compiled:
            on_stage("torch.compile, which takes tens of seconds")
        paid = bench.compile(chosen) if compiled else None
    return Results(
        device=learner.runtime.device.type,
        cores=bench.cores,
        texts=bench.num_texts,
        tokens=sum(bench.lengths),
        longest=max(bench.lengths),
        rates=rates,
        training=training,
        inference=inference,
        training_threads=training_threads,
        inference_threads=inference_threads,
        compiled=paid,
    )


def fewer_threads(cores: int) -> list[int]:
    """Return the powers of two below a number of cores.

    >>> fewer_threads(6), fewer_threads(1)
    ([1, 2, 4], [])
    """
    return [2**power for power in range(cores.bit_length()) if 2**power < cores]


@dataclass
class _Bench:
    """A model, one batch of texts, and everything that is needed to pass the one through the other."""

    learner: Learner
    rounds: int
    cores: int = field(default_factory=num_cores)

    def __post_init__(self) -> None:
        config = self.learner.plan(estimate=False).config
        self.stepper = self.learner.stepper(config, keep=False)
        encoded = self.learner.data.encoded("train")
        steps = training_steps(
            encoded.costs, batch_size=config.batch_size, batch_tokens=config.batch_tokens, seed=config.seed, epoch=0
        )
        chosen, _ = middle_step(steps, encoded.costs)
        self.parts = training_parts(encoded, chosen, config.batch_tokens, by_token=self.learner.data.task.by_token)
        self.num_texts = sum(map(len, chosen))
        self.lengths = [len(window.input_ids_L) for part in self.parts for window in part]
        token_id = int(self.parts[0][0].input_ids_L[0])
        work = measure_work(self.stepper.model, self.stepper.runtime, self.stepper.input_names, token_id)
        self.training_flop, self.inference_flop = self._flop(work.training), self._flop(work.forward)

    @property
    def on_processor(self) -> bool:
        return self.learner.runtime.device.type == "cpu"

    def rate(self, candidate: Candidate) -> float | str:
        """Return the FLOP per second of a matrix product, or why it is not measured."""
        device, precision = str(self.learner.runtime.device), _precision(candidate)
        try:
            runtime = choose_runtime(precision, device)
            working_runtime(self.stepper.model, runtime, self.stepper.input_names, precision)
        except ConfigError as error:
            return REFUSED if "emulates" in error.message else f"refused: {error.message}"
        with self._settings(candidate) as runtime:
            return product_rate(runtime)

    def train(self, candidates: Sequence[Candidate]) -> list[Speed]:
        """Time whole training steps, each with its update of the weights."""
        return self._time(candidates, self._train_step, self.training_flop)

    def predict(self, candidates: Sequence[Candidate]) -> list[Speed]:
        """Time forward passes as a bundle answers."""
        return self._time(candidates, self._predict_step, self.inference_flop)

    def compile(self, candidate: Candidate) -> Compiled:
        """Time compiled training steps beside those that are not."""
        eager = self.stepper.model
        compiled = cast("nn.Module", torch.compile(eager, dynamic=True))
        eager_s, compiled_s = [], []
        with self._settings(candidate) as runtime:
            first_step_s = self._timed(runtime, self._train_step, compiled)
            for _ in range(self.rounds):
                eager_s.append(self._timed(runtime, self._train_step, eager))
                compiled_s.append(self._timed(runtime, self._train_step, compiled))
        return Compiled(first_step_s, median(eager_s), median(compiled_s))

    def _time(self, candidates: Sequence[Candidate], step: Callable[[Stepper], None], flop: float) -> list[Speed]:
        times: dict[Candidate, list[float]] = {candidate: [] for candidate in candidates}
        rates: dict[Candidate, float] = {}
        for turn in range(self.rounds + _WARM_UP):
            for candidate in candidates:
                with self._settings(candidate) as runtime:
                    seconds = self._timed(runtime, step, self.stepper.model)
                    rates[candidate] = product_rate(runtime, again=True)
                if turn >= _WARM_UP:
                    times[candidate].append(seconds)
        return [
            Speed(one, tuple(times[one]), self.num_texts, sum(self.lengths), flop, rates[one]) for one in candidates
        ]

    def _timed(self, runtime: Runtime, step: Callable[[Stepper], None], model: nn.Module) -> float:
        stepper = replace(self.stepper, model=model, runtime=runtime, scaler=make_scaler(runtime))
        wait_for(runtime.device)
        start = time.perf_counter()
        step(stepper)
        wait_for(runtime.device)
        return time.perf_counter() - start

    def _train_step(self, stepper: Stepper) -> None:
        stepper.step(stepper.prepare(self.parts, np.random.default_rng(0)))

    def _predict_step(self, stepper: Stepper) -> None:
        backend = TorchBackend(stepper.model, stepper.runtime, stepper.input_names)
        for part in self.parts:
            backend.forward(pad_batch(part, stepper.pad_id))

    def _flop(self, work: Work) -> float:
        return sum(work.of([len(window.input_ids_L) for window in part]) for part in self.parts)

    @contextmanager
    def _settings(self, candidate: Candidate) -> Iterator[Runtime]:
        """Compute as a candidate does during a block."""
        runtime = Runtime(self.learner.runtime.device, _precision(candidate), "for the bench")
        mode = "medium" if candidate.mode.endswith("medium") else "highest"
        suit_attention(self.stepper.model, runtime)
        with float32_products(mode), using_threads(candidate.threads or torch.get_num_threads()):
            yield runtime


def _precision(candidate: Candidate) -> Precision:
    return cast("Precision", candidate.mode.split()[0])
