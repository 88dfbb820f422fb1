"""What the estimators share: parameters, training through the library's own path, pickling, saving.

An estimator is a dataclass, for scikit-learn reads the parameters off the constructor's signature: each is a field,
stored as given and checked in `fit`. torch is imported when it is needed, so that an unfitted estimator is light.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from fastbert.bundle import Bundle, write_bundle
from fastbert.config import DataConfig, DecisionConfig, TrainConfig, Truncation, split_options, take_decisions
from fastbert.data.databunch import DataBunch
from fastbert.data.examples import Example
from fastbert.data.layout import Layout
from fastbert.errors import ConfigError, DataError
from fastbert.estimators.files import Files, files_of_learner, open_files, read_files, write_files
from fastbert.estimators.texts import ArrayError, Texts, listed_rows, read_texts
from fastbert.inference.predictor import Predictor
from fastbert.jsonable import finite
from fastbert.tasks.base import Prediction, Task

if TYPE_CHECKING:
    from sklearn.utils import Tags

    from fastbert.training.callbacks import Callback
    from fastbert.training.learner import Learner

FACTS = "estimator"  # in the facts of a bundle: parameters and classes
# Options about a table's columns: an estimator is given X and y instead.
OF_TABLES = ("text", "labels", "labels_file", "task", "header", "delimiter", "group")


@dataclass(kw_only=True, eq=False, repr=False)
class FastBertEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn is not typed
    """The parameters and methods of `FastBertClassifier` and `FastBertRegressor`."""

    encoder: str = "minilm"
    epochs: float | None = None
    lr: float | None = None
    batch_size: int = 16
    max_tokens: int | None = None
    truncation: Truncation = "head_tail"
    freeze: Literal["none", "encoder", "gradual"] = "none"
    loss: str = "default"
    precision: str = "auto"
    patience: int = 0
    valid_share: float = 0.1
    options: Mapping[str, object] | None = None
    random_state: object = 42
    verbose: int = 0

    # -- for subclasses -----------------------------------------------------------------------

    @abstractmethod
    def _understand(self, y: object) -> None:
        """Learn from y what the model answers, such as `classes_`. Raises ArrayError for a y of another kind."""

    @abstractmethod
    def _truths(self, y: object) -> Sequence[object]:
        """Return what y says of each row, as examples hold it."""

    @abstractmethod
    def _example(self, text: str, pair: str | None, truth: object, where: str) -> Example:
        """Return a row as an example."""

    def _loss(self) -> str:
        """Return the loss of the configuration."""
        return self.loss

    @abstractmethod
    def _task(self, examples: Sequence[Example], layout: Layout, config: DataConfig) -> Task:
        """Return the task for training rows."""

    @abstractmethod
    def _layout(self, names: Sequence[str]) -> Layout:
        """Return how a table of the same rows is read. names: its columns of text."""

    @abstractmethod
    def _facts(self) -> dict[str, object]:
        """Return what must be saved of y, as plain values."""

    @abstractmethod
    def _restore(self, facts: Mapping[str, object], task: Task) -> None:
        """Set what `_understand` learned, from a bundle. facts: of `_facts`; {} where no estimator trained it."""

    # -- training -------------------------------------------------------------------------------

    def _fit(self, X: object, y: object, valid: tuple[object, object] | None, callbacks: Sequence[Callback]) -> Self:
        from fastbert.training.learner import Learner

        data_config, config, deciding = self._configs()
        texts = read_texts(X)
        if len(texts) < 2:
            raise ArrayError("X has one row (n_samples=1); training and validation need one each.", "Give more texts.")
        self._understand(y)
        rows = {"train": self._rows(texts, y, data_config)}
        if valid is not None:
            held_out = read_texts(valid[0])
            self._check_columns(held_out, texts.num_columns, texts.names, what="X of valid")
            rows["valid"] = self._rows(held_out, valid[1], data_config)
        data = self._data(rows, texts.names or ("text", "pair")[: texts.num_columns], data_config, config.seed)
        rule: dict[str, Any] = deciding.to_json()
        learner = Learner(data, config=config, callbacks=[*self._shown(), *callbacks], **rule)
        parameters = finite(self._plain_parameters())
        learner.facts[FACTS] = {"parameters": parameters, "columns": list(texts.names), **self._facts()}
        self._show(learner)
        learner.fit()
        learner._optimizer = None  # twice the size of the weights, and only another fit would read it
        learner.model.zero_grad(set_to_none=True)
        self._fitted(_predictor_of(learner), learner, texts.num_columns, texts.names)
        return self

    def _configs(self) -> tuple[DataConfig, TrainConfig, DecisionConfig]:
        """Return the checked options. Raises ConfigError for a wrong one."""
        own = {field.name for field in fields(self)}
        given = dict(self.options or {})
        for name in given:
            if name in own:
                raise ConfigError(f"options holds '{name}', which is a parameter of its own.", f"Write {name}=....")
            if name in OF_TABLES or name == "seed":
                instead = "Use random_state." if name == "seed" else "The columns are those of X and y."
                raise ConfigError(f"options holds '{name}', which an estimator does not take.", instead)
        known = {field.name for config in (DataConfig, TrainConfig) for field in fields(config)}
        given.update({name: getattr(self, name) for name in own & known - set(OF_TABLES)})
        deciding, others = take_decisions(given)
        return (*split_options({**others, "loss": self._loss(), "seed": self._seed()}), deciding)

    def _seed(self) -> int:
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _rows(self, texts: Texts, y: object, config: DataConfig) -> list[Example]:
        """Return examples. Raises ArrayError where X and y differ in length, or texts are blank and may not be."""
        truths = self._truths(y)
        if len(truths) != len(texts):
            raise ArrayError(
                f"X and y have inconsistent numbers of samples: {len(texts):,} and {len(truths):,} rows.",
                "Give one y for each text.",
            )
        blank = texts.blank_rows()
        if blank and config.on_bad_row == "error":
            raise ArrayError(
                f"{len(blank):,} of {len(texts):,} texts are blank ({listed_rows(blank)}): nothing to learn from.",
                "Drop these rows, or leave them out with options={'on_bad_row': 'skip'}.",
            )
        if len(blank) == len(texts):
            raise ArrayError(f"All {len(texts):,} texts are blank.", "Choose another column.")
        left_out, pairs = set(blank), texts.pairs or list[None]([None]) * len(texts)
        rows = enumerate(zip(texts.texts, pairs, truths, strict=True))
        return [self._example(*cells, where=f"row {row}") for row, cells in rows if row not in left_out]

    def _data(
        self, rows: Mapping[str, Sequence[Example]], names: Sequence[str], config: DataConfig, seed: int
    ) -> DataBunch:
        """Return the data of a fit. Raises ArrayError where nothing can be learned from the rows, or held out."""
        layout = self._layout(names)
        try:
            task = self._task(rows["train"], layout, config)
            return DataBunch.from_examples(task, rows, config=config, layout=layout, seed=seed)
        except DataError as error:
            raise ArrayError(error.message, error.hint) from error

    def _shown(self) -> list[Callback]:
        from fastbert.training.callbacks import ProgressBar

        return [ProgressBar()] if self.verbose else []

    def _show(self, learner: Learner) -> None:
        for bar in self._shown():
            bar.console.print(learner.plan().view(), highlight=False, markup=False)  # type: ignore[attr-defined]

    def _plain_parameters(self) -> dict[str, object]:
        """Return the parameters that JSON can hold; weights by class it cannot, whose classes may be no text."""
        plain = (bool, int, float, str, type(None))
        given = {name: str(value) if isinstance(value, Path) else value for name, value in self.get_params().items()}
        found = {name: value for name, value in given.items() if isinstance(value, plain)}
        return found | ({"options": dict(self.options)} if self.options else {})

    # -- answers --------------------------------------------------------------------------------

    def _predict(self, X: object) -> list[Prediction]:
        check_is_fitted(self, "predictor_")
        texts = read_texts(X)
        self._check_columns(texts, self.n_features_in_, tuple(getattr(self, "feature_names_in_", ())))
        return self._answering()(texts.rows())

    def _answering(self) -> Predictor:
        """Return the predictor whose answers are given back."""
        return self.predictor_

    def _check_columns(self, texts: Texts, num_columns: int, known: tuple[str, ...], what: str = "X") -> None:
        """Raise ArrayError for columns other than those that it is fitted on, which have names or none."""
        if texts.num_columns != num_columns:
            raise ArrayError(
                f"{what} has {texts.num_columns} features, but {type(self).__name__} is expecting {num_columns} "
                "features as input: texts in a row.",
                "Give as many columns of text as it was fitted on.",
            )
        if known and texts.names and texts.names != known:
            raise ArrayError(
                f"The columns of {what} are {', '.join(texts.names)}; it was fitted on {', '.join(known)}.",
                f"Choose these columns: X[{list(known)}].",
            )

    def __sklearn_tags__(self) -> Tags:
        """Return that X is text, in one or two columns."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.target_tags.required = True
        return tags

    # -- saving ---------------------------------------------------------------------------------

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write the bundle, which `fastbert predict` and `Predictor.load` read too; return its path.

        Raises NotFittedError before `fit`, and BundleError if the folder exists and overwrite is False.
        """
        check_is_fitted(self, "predictor_")
        if self.learner_ is not None:
            return self.learner_.save(folder, overwrite=overwrite)
        files = self._files or read_files(self.predictor_.bundle.folder)
        bundle = replace(self.predictor_.bundle, folder=Path(folder))
        return write_bundle(bundle, lambda working: write_files(files, working), overwrite=overwrite)

    @classmethod
    def load(cls, folder: str | Path, backend: str = "auto") -> Self:
        """Open a bundle as a fitted estimator, with the parameters and classes that it was saved with.

        A model that was trained otherwise, such as by `fastbert train`, has default parameters, and its label names
        as classes.    backend: as of `Predictor.load`.
        Raises BundleError for a folder that is no bundle, or of another task.
        """
        predictor = Predictor.load(folder, backend)
        facts = _mapping(predictor.bundle.facts.get(FACTS))
        known = {field.name for field in fields(cls)}
        opened = cls().set_params(
            **{name: value for name, value in _mapping(facts.get("parameters")).items() if name in known}
        )
        opened._restore(facts, predictor.task)
        columns = facts.get("columns")
        names = list(map(str, columns)) if isinstance(columns, list) else []
        opened._fitted(predictor, None, 2 if predictor.bundle.reads_pairs else 1, names)
        return cast("Self", opened)

    def __getstate__(self) -> dict[str, object]:
        """Return the parameters and, of a fitted estimator, the files of its bundle."""
        state = dict(super().__getstate__())
        predictor = state.pop("predictor_", None)
        learner = state.pop("learner_", None)
        if predictor is not None and not state["_files"]:
            state["_files"] = read_files(predictor.bundle.folder) if learner is None else files_of_learner(learner)
        return state

    def __setstate__(self, state: dict[str, object]) -> None:
        files = cast("Files", state.get("_files"))
        super().__setstate__({**state, "predictor_": open_files(files), "learner_": None} if files else state)

    def _fitted(self, predictor: Predictor, learner: Learner | None, num_columns: int, names: Sequence[str]) -> None:
        """Take over what a fit, or a bundle, gave."""
        self.predictor_ = predictor
        self.learner_: Learner | None = learner
        self._files: Files = {}  # of the bundle, where neither the learner nor its folder is there any more
        self.n_features_in_ = num_columns
        if names:
            self.feature_names_in_ = np.array(names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_  # of an earlier fit


def _predictor_of(learner: Learner) -> Predictor:
    """Return a predictor over a learner's model, as the saved bundle would answer."""
    from fastbert.inference.torch_backend import TorchBackend

    data, tokenizer = learner.data, learner.encoder.tokenizer
    layout = None if data.layout is None else data.layout.to_json()
    bundle = Bundle(
        folder=Path("in memory"),
        task=data.task,
        decisions=learner.decisions,
        max_tokens=data.max_tokens,
        tokenizer=tokenizer.to_json(),
        facts={"plan": {"layout": layout}},
    )
    exact = replace(learner.runtime, precision="fp32")
    backend = TorchBackend(learner.model, exact, tokenizer.input_names, outputs=data.task.outputs)
    return Predictor(bundle, tokenizer, backend, "in memory")


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
