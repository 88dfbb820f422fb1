"""The models of a server by name: opened, warmed up, replaced without a lost request, and closed.

Knows nothing of HTTP but the problems that it raises.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from fastbert.decisions.rules import Decisions
from fastbert.errors import ConfigError, FastBertError, did_you_mean
from fastbert.exports import export_command
from fastbert.inference.predictor import Predictor
from fastbert.insight.explain import Explainer
from fastbert.insight.explanation import Explanation
from fastbert.serving.batcher import Batcher, Job
from fastbert.serving.metrics import Metrics
from fastbert.serving.problems import Problem, busy, from_error, not_ready, timed_out
from fastbert.serving.settings import Settings
from fastbert.tasks.base import Example

EXPLAINING = 4  # requests for explanations that may wait for one another
TOGETHER = "dynamic, per channel"  # begins the schemes with one scale for the whole pass, up to 0.1
# Its kernels differ with the shape of a pass: 1 of 500 TREC questions by 4e-4, the others by nothing.
ROUNDING = ("openvino", "int8")
VERSION_LENGTH = 12  # of the manifest's sha256, which names a version
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """Where a model comes from. name: by which it is asked for."""

    name: str
    folder: Path
    backend: str = "auto"

    @classmethod
    def parse(cls, text: str, backend: str = "auto") -> Source:
        """Return the source of FOLDER or NAME=FOLDER; without a name that of the folder.

        >>> Source.parse("en=models/reviews/").name, Source.parse("models/reviews/").name
        ('en', 'reviews')
        """
        name, separator, folder = text.partition("=")
        if not separator or Path(text).is_dir():
            name, folder = Path(text).resolve().name, text
        if not name or not all(one.isalnum() or one in "-_." for one in name) or name.startswith("."):
            raise ConfigError(
                f"'{name}' is no name for a model: it stands in addresses.",
                "Use letters, digits, - and _: NAME=FOLDER.",
            )
        return cls(name, Path(folder), backend)


@dataclass
class Model:
    """A bundle that answers. version: changes with its files.    loaded: when, in UTC."""

    source: Source
    predictor: Predictor
    batcher: Batcher
    settings: Settings
    loaded: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    _explaining: int = 0
    _explain_pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "fastbert-explain"))

    @property
    def name(self) -> str:
        """Return the name by which it is asked for."""
        return self.source.name

    @property
    def version(self) -> str:
        """Return the first digits of the manifest's checksum."""
        return self.predictor.bundle.seal[:VERSION_LENGTH]

    def submit(
        self, examples: Sequence[Example], decisions: Decisions | None = None, timeout_s: float | None = None
    ) -> Job:
        """Put examples into the queue; see `Batcher.submit`. decisions: instead of the bundle's own rule."""
        rule = self.predictor.bundle.decisions if decisions is None else decisions
        return self.batcher.submit(examples, rule, timeout_s or self.settings.limits.timeout_s)

    async def explain(self, examples: Sequence[Example], decisions: Decisions | None = None) -> list[Explanation]:
        """Return which words the answers rest on, one request after another, beside the ordinary ones.

        Raises Problem: 429 where several wait, 504 after the time limit, 422 for what cannot be explained.
        """
        if self._explaining >= EXPLAINING:
            raise busy(5.0)
        predictor = self.predictor if decisions is None else self.predictor.with_decisions(decisions)
        limit = self.settings.limits.timeout_s

        def run() -> list[Explanation]:
            explainer = Explainer(predictor)
            return list(explainer.run(explainer.prepare(examples)))

        self._explaining += 1
        try:
            work = asyncio.get_running_loop().run_in_executor(self._explain_pool, run)
            return await asyncio.wait_for(work, limit)
        except TimeoutError:
            raise timed_out(limit) from None
        except FastBertError as error:
            raise from_error(error) from error
        finally:
            self._explaining -= 1

    async def close(self) -> None:
        """Answer what is in the queue, then let go of the model."""
        await self.batcher.close()
        self._explain_pool.shutdown(wait=False)


class Models:
    """The models that are served; the first is asked where a request names none."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings, self._metrics = settings, metrics
        self._models: dict[str, Model] = {}
        self._changing = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._models)

    @property
    def all(self) -> Mapping[str, Model]:
        """Return the models by name, in the order in which they were given."""
        return self._models

    def get(self, name: str | None = None) -> Model:
        """Return a model. Raises Problem: 404 for a name that is not there, 503 before there is any."""
        if not self._models:
            raise not_ready("No model is loaded yet.")
        if name is None:
            return next(iter(self._models.values()))
        found = self._models.get(name)
        if found is None:
            hint = did_you_mean(name, self._models) or f"Known: {', '.join(self._models)}."
            raise Problem(404, "unknown_model", "There is no model of this name.", "model", hint)
        return found

    async def load(self, source: Source) -> Model:
        """Open a bundle and serve it; a model of the same name answers until then, and finishes what it was asked.

        Raises what `Predictor.load` raises; what was served before then is as it was.
        """
        async with self._changing:
            loop = asyncio.get_running_loop()
            predictor = await loop.run_in_executor(None, Predictor.load, source.folder, source.backend)
            await loop.run_in_executor(None, warm_up, predictor)
            batcher = Batcher(predictor, self._settings, self._metrics.of_model(source.name))
            model = Model(source, predictor, batcher, self._settings)
            before = self._models.get(source.name)
            self._models[source.name] = model
            _warn_of_rounding(predictor)
            self._metrics.of_model(source.name).describe(predictor.task.name, predictor.backend.name, model.version)
        if before is not None:
            await before.close()
        return model

    async def unload(self, name: str) -> None:
        """Take a model out of service; it finishes what it was asked. Raises Problem (404) for an unknown name."""
        model = self.get(name)
        del self._models[model.name]
        await model.close()

    async def reload(self) -> list[str]:
        """Open every bundle again; return what went wrong, in sentences. A model whose bundle is damaged stays."""
        failures = []
        for model in list(self._models.values()):
            try:
                await self.load(model.source)
            except FastBertError as error:
                failures.append(f"{model.name} is served as before: {error.message}")
        return failures

    async def close(self) -> None:
        """Close all of them."""
        models = list(self._models.values())
        self._models.clear()
        await asyncio.gather(*(model.close() for model in models))


def warm_up(predictor: Predictor) -> None:
    """Run what a first request would wait for: engines compile and allocate in their first passes."""
    example: list[str | tuple[str, str]] = ["a"]
    if predictor.bundle.reads_pairs:
        example = [("a", "a")]
    predictor(example * 2)


def _warn_of_rounding(predictor: Predictor) -> None:
    """Say so where the answers to a text depend on the others in its pass."""
    name = predictor.backend.name.replace(" ", "-")
    export = predictor.bundle.exports.get(name)
    if export is None:
        return
    if export.scheme.startswith(TOGETHER):
        log.warning(
            "%s: the export '%s' gives a text other scores alone and among others; make it again with `%s`",
            predictor.bundle.folder, name, export_command(predictor.bundle.folder, name),
        )  # fmt: skip
    elif (export.backend, export.precision) == ROUNDING:
        log.warning(
            "%s: with the export '%s' a few scores differ by some 1e-4 alone and among others; "
            "--backend onnx-int8, or onnx, gives the same ones",
            predictor.bundle.folder, name,
        )  # fmt: skip
