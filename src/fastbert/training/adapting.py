"""Adaptation before fine-tuning: an encoder learns from unlabelled text, and is kept if that makes a better model.

Within-task further pre-training (Sun et al. 2019, arXiv 1905.05583), with the one check that it is often given
without. Knows nothing of tables, nor of how an encoder is adapted (`adapt`) or judged (`encoder_choice`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from fastbert.config import AdaptConfig
from fastbert.display import Block, View
from fastbert.errors import ConfigError
from fastbert.insight.repeating import option_text
from fastbert.training.adapt import Adaptation, prepare
from fastbert.training.adapt_place import IfExists, check_out, clear_finished
from fastbert.training.adapt_plan import FACTS, AdaptResult
from fastbert.training.adapt_state import has_state, working_folder
from fastbert.training.callbacks import Callback
from fastbert.training.encoder_choice import choose_encoder
from fastbert.training.learner import Learner
from fastbert.training.trials import num_splits

SUFFIX = "-encoder"  # behind the name of the model's folder


@dataclass(frozen=True)
class Adapting:
    """An adaptation that is ready to start. folder: of the adapted encoder.    found: where it was done before.

    files: names of those of the corpus, without where they lie.    num_splits: as of `trials.num_splits`.
    """

    adaptation: Adaptation
    folder: Path
    if_exists: IfExists
    found: AdaptResult | None
    files: tuple[str, ...]
    num_splits: int

    @classmethod
    def prepare(cls, corpus: Sequence[str | Path], out: Path, learner: Learner, *, overwrite: bool) -> Self:
        """Read the corpus and check that the adapted encoder can be written beside out.

        learner: of the table. Its text columns are those of the tables of the corpus that have them.
        An adaptation that was interrupted there is gone on with; one that was finished, of the same corpus with the
        same options, is used as it is. Raises UsageError as `adapt` does.
        """
        folder = out.resolve().with_name(out.resolve().name + SUFFIX)
        if Path(learner.config.encoder).resolve() == folder:
            raise ConfigError(
                f"{folder} is the encoder to adapt, and the place of the adapted one, which is compared with it.",
                "Choose another --out.",
            )
        clear_finished(folder)
        if_exists: IfExists = "overwrite" if overwrite else "refuse"
        if has_state(working_folder(folder)):
            if_exists = "resume"
        if not (folder / FACTS).is_file():
            check_out(folder, if_exists)
        config, layout = learner.config, learner.data.layout
        ready = prepare(
            corpus,
            config.encoder,
            AdaptConfig(seed=config.seed, precision=config.precision),
            usual=() if layout is None else layout.text_columns,
        )
        found = ready.found(folder)
        if found is None:
            check_out(folder, if_exists)
        files = tuple(Path(one).resolve().name for one in corpus)
        return cls(ready, folder, if_exists, found, files, num_splits(learner.data))

    def view(self) -> View:
        """Return the plan of the adaptation, and of the trainings after it, for people."""
        after = Block("After it", (self._trainings(),))
        if self.found is None:
            note = "If it is interrupted, the same command goes on from the last whole epoch."
            return View(
                (*self.adaptation.plan.view().blocks, Block("Adapted encoder", (f"{self.folder}", note)), after)
            )
        return View((Block("Adapted encoder", (f"{self.folder}, as it was adapted to this corpus before",)), after))

    def _trainings(self) -> str:
        each = "each about as long as the plan of the training says"
        if not self.num_splits:
            return f"One training from each encoder, {each}; the better one is the model."
        return (
            f"{2 * self.num_splits + 1} trainings, {each}: {self.num_splits} from each encoder on splits of their own, "
            "as few rows are held out, and one of the better encoder on all rows."
        )

    def run(self, learner: Learner, callbacks: Sequence[Callback], on_view: Callable[[View], None]) -> Learner:
        """Adapt, train from both encoders, and return a trained learner with the better one.

        on_view: is shown the plan of the adaptation, what is trained next, and both results.
        """

        def begin(what: str) -> None:
            for callback in callbacks:
                callback.on_part(what)

        def begin_training(what: str) -> None:
            on_view(View((Block(f"Training: {what}"),)))
            begin(what)

        on_view(self.view())
        begin("adaptation")
        adapted = self.found or self.adaptation.run(self.folder, callbacks, self.if_exists)
        on_view(View((adapted.block(),)))
        choice, trained = choose_encoder(
            learner.data,
            learner.config,
            str(adapted.folder),
            callbacks=callbacks,
            on_fit=begin_training,
        )
        on_view(choice.view())
        if choice.kept == "plain":
            on_view(View((Block("Adapted encoder", (f"To train from it all the same: --encoder {adapted.folder}",)),)))
        if learner.deciding != trained.deciding:
            trained.decide(**learner.deciding.to_json())
        seconds = learner.plan(estimate=False).seconds  # as shown, measured with the plain encoder
        reasons = (*trained.last_plan.reasons, choice.describe())
        trained.last_plan = replace(trained.last_plan, seconds=seconds, reasons=reasons)
        trained.facts["adaptation"] = {
            **adapted.to_json(),
            "choice": choice.to_json(),
            "encoder": adapted.folder.name,
            "from": {"encoder": option_text("encoder", learner.config.encoder), "files": list(self.files)},
        }
        return trained
