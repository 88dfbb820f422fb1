"""An encoder learns the language of a corpus: domain adaptation, and pretraining from nothing.

It puts the parts together: corpus, tokens, examples, model, loop, and the folder that is written at the end, a plain
Hugging Face checkpoint. Knows nothing of the command line.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from fastbert.config import AdaptConfig
from fastbert.data.corpus import Corpus, read_corpus, split_corpus
from fastbert.data.corpus_tokens import CorpusTokens, tokenize_corpus
from fastbert.data.masked_epochs import ExampleOptions, MaskedEpoch, epoch_examples
from fastbert.data.masking import Masking
from fastbert.data.pregenerated import PregeneratedEpochs, open_epochs, write_epochs
from fastbert.data.tokens import Tokenizer
from fastbert.data.vocabulary import VocabularyKind, train_vocabulary
from fastbert.errors import DataError, EncoderError
from fastbert.models.attention import suit_attention
from fastbert.models.loading import Encoder, count_parameters, describe_encoder, open_encoder
from fastbert.models.masked_lm import MaskedLanguageModel, load_masked_lm
from fastbert.models.new_encoder import check_size, write_new_encoder
from fastbert.models.optimizers import make_optimizer
from fastbert.models.probing import working_runtime
from fastbert.models.schedules import make_schedule
from fastbert.runtime import Runtime, choose_runtime, seed_everything
from fastbert.training import adapt_recipe
from fastbert.training.adapt_place import IfExists, check_out, place_checkpoint, working_place
from fastbert.training.adapt_plan import AdaptPlan, AdaptResult
from fastbert.training.adapt_state import load_state, save_state
from fastbert.training.callbacks import Callback
from fastbert.training.masked_loop import MaskedLoop, Progress, steps_of
from fastbert.training.step import make_scaler

DEFAULT_TOKENS = 128
FEW_TOKENS = 100_000
MANY_UNKNOWN = 0.01  # share of the tokens
OTHER_ENCODER = "Choose an encoder of that language, or make one with `fastbert pretrain`."
MORE_ENTRIES = "Give a larger --vocab-size, or --vocabulary bpe, which knows every character."
LARGE_SHARE = 0.25  # of the tokens that are held out
MANY_RANDOM = 0.75  # share of the pairs; BERT's way gives more than a half where documents end soon
FEW_MASKED = 500  # at a standard deviation of about 2.5 a token the standard error of the loss is 0.1
Paths = str | Path | Sequence[str | Path]


@dataclass(frozen=True)
class NewEncoder:
    """A BERT to be trained from nothing. size: of `new_encoder.SIZES`.    vocab_size, kind: of its vocabulary."""

    size: str = "small"
    vocab_size: int = 16_000
    kind: VocabularyKind = "wordpiece"
    lowercase: bool = True


@dataclass(frozen=True)
class Adaptation:
    """A run that is ready to start. config: with every choice made.    train: the tokens that are trained on.

    held_out: the examples to measure on, with the same masks at every evaluation.
    """

    encoder: Encoder
    model: MaskedLanguageModel
    train: CorpusTokens
    held_out: MaskedEpoch
    options: ExampleOptions
    config: AdaptConfig
    runtime: Runtime
    plan: AdaptPlan

    def examples(self, epoch: int) -> MaskedEpoch:
        """Return the training examples of an epoch."""
        return epoch_examples(
            self.train, self.encoder.tokenizer.frames, self.options, seed=self.config.seed, epoch=epoch
        )

    def run(self, out: str | Path, callbacks: Sequence[Callback] = (), if_exists: IfExists = "refuse") -> AdaptResult:
        """Train and write the checkpoint. Raises what `adapt` does."""
        target = Path(out)
        with working_place(target, if_exists) as working:
            key = self.key()
            loop = self._loop(working, callbacks, key)
            progress = Progress()
            if if_exists == "resume":
                progress = load_state(working, self.model, loop.optimizer, loop.scaler, key)
            progress, _ = loop.run(progress)
            result = AdaptResult(target, self.plan, progress, key)
            place_checkpoint(target, lambda folder: self.model.save(self.encoder, folder), result.to_json())
        return result

    def found(self, folder: Path) -> AdaptResult | None:
        """Return what an earlier run with the same corpus, encoder and options wrote to a folder, None if none did."""
        found = AdaptResult.read(folder, self.plan)
        return found if found is not None and found.key == self.key() else None

    def _loop(self, working: Path, callbacks: Sequence[Callback], key: str) -> MaskedLoop:
        config = self.config
        optimizer = make_optimizer(self.model, "adamw", lr=config.lr or 0.0, weight_decay=config.weight_decay)
        scaler = make_scaler(self.runtime)
        steps = max(1, self.plan.steps - self.plan.head_steps)
        return MaskedLoop(
            model=self.model,
            optimizer=optimizer,
            scaler=scaler,
            runtime=self.runtime,
            config=config,
            schedule=make_schedule("warmup_linear", steps, config.warmup),
            head_steps=self.plan.head_steps,
            examples=self._pregenerated(working) if config.pregenerate else self.examples,
            valid=self.held_out,
            inputs=(self.encoder.tokenizer.input_names, self.encoder.tokenizer.pad_id),
            callbacks=callbacks,
            keep=lambda progress: save_state(working, self.model, optimizer, scaler, progress, key),
        )

    def _pregenerated(self, working: Path) -> Callable[[int], MaskedEpoch]:
        """Return examples that are on disk: written when the first is asked for; later epochs use them in turn."""
        place, count = working / "examples", min(self.config.pregenerate, self.config.epochs or 1)
        key = self.options.key(self.train, self.encoder.tokenizer.frames, seed=self.config.seed)

        @cache
        def written() -> PregeneratedEpochs:
            found = None
            with suppress(DataError):  # there are none, or others of a run that was killed in its first epoch
                found = open_epochs(place, key=key)
            if found is None or len(found) != count:
                shutil.rmtree(place, ignore_errors=True)
                found = write_epochs(place, map(self.examples, range(count)), key=key)
            return found

        return lambda epoch: written()[epoch % count]

    def key(self) -> str:
        """Return a hash of all that the weights at the end depend on."""
        digest = hashlib.blake2b(digest_size=20)
        options_key = self.options.key(self.train, self.encoder.tokenizer.frames, seed=self.config.seed)
        # as it was chosen: "auto" is another precision on another machine, and what was chosen may be asked for there
        config = self.config.changed(precision=self.runtime.precision)
        settings = [options_key, config.to_json(), self.encoder.tokenizer.backend.to_str()]
        for array in (self.held_out.ids_T, self.held_out.targets_M):
            digest.update(array.tobytes())
        digest.update(json.dumps(settings, sort_keys=True).encode())
        for parameter in self.model.parameters():
            digest.update(parameter.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


def adapt(
    corpus: Paths,
    encoder: str,
    out: str | Path,
    config: AdaptConfig | None = None,
    *,
    callbacks: Sequence[Callback] = (),
    on_plan: Callable[[AdaptPlan], None] = lambda plan: None,
    if_exists: IfExists = "refuse",
) -> AdaptResult:
    """Let an encoder learn the language of a corpus as a masked language model, and write it to a folder.

    corpus: a file or folder of `read_corpus`, or several.    encoder: "minilm", a folder, or a hub name.
    if_exists: "overwrite" replaces an adapted encoder at out; "resume" goes on with an interrupted run from its last
        whole epoch and ends with the weights that the unbroken run would have had.
    Raises UsageError for wrong options or bad input before any work, TrainingError if the loss diverges or the disk
    is full.
    """
    check_out(Path(out), if_exists)
    ready = prepare(corpus, encoder, config)
    on_plan(ready.plan)
    return ready.run(out, callbacks, if_exists)


def pretrain(
    corpus: Paths,
    out: str | Path,
    new: NewEncoder | None = None,
    config: AdaptConfig | None = None,
    *,
    callbacks: Sequence[Callback] = (),
    on_plan: Callable[[AdaptPlan], None] = lambda plan: None,
    if_exists: IfExists = "refuse",
) -> AdaptResult:
    """Learn a vocabulary from a corpus, train a new BERT on it from nothing, and write it. As `adapt` otherwise."""
    check_out(Path(out), if_exists)
    ready = prepare_new(corpus, new or NewEncoder(), config)
    on_plan(ready.plan)
    return ready.run(out, callbacks, if_exists)


def prepare(corpus: Paths, encoder: str, config: AdaptConfig | None = None, *, usual: Sequence[str] = ()) -> Adaptation:
    """Read the corpus and open the encoder: everything of `adapt` but the training. usual: see `read_corpus`."""
    chosen = config or AdaptConfig()
    opened = open_encoder(encoder)
    return _ready(_read(corpus, chosen, usual), opened, chosen)


def prepare_new(corpus: Paths, new: NewEncoder, config: AdaptConfig | None = None) -> Adaptation:
    """Read the corpus and make the encoder: everything of `pretrain` but the training."""
    chosen = config or AdaptConfig()
    check_size(new.size)
    train, valid = _read(corpus, chosen)
    vocabulary = train_vocabulary(train, new.vocab_size, kind=new.kind, lowercase=new.lowercase)
    with tempfile.TemporaryDirectory() as folder:
        write_new_encoder(Path(folder), vocabulary, new.size, seed=chosen.seed, lowercase=new.lowercase)
        opened = replace(open_encoder(folder), name=f"new, {new.size}")
        return _ready((train, valid), opened, chosen, from_scratch=True)


def _read(paths: Paths, config: AdaptConfig, usual: Sequence[str] = ()) -> tuple[Corpus, Corpus]:
    corpus = read_corpus(paths, text=config.text, header=config.header, usual=usual)
    return split_corpus(corpus, config.valid_share, pairs=config.next_sentence)


def _max_tokens(config: AdaptConfig, tokenizer: Tokenizer) -> int:
    """Return the tokens of a sequence. Raises EncoderError for more than the encoder takes."""
    max_tokens = config.max_tokens or min(DEFAULT_TOKENS, tokenizer.max_tokens)
    if max_tokens > tokenizer.max_tokens:
        raise EncoderError(
            f"max_tokens is {max_tokens}; this encoder takes at most {tokenizer.max_tokens}.",
            f"Use --max-tokens {tokenizer.max_tokens} or less.",
        )
    return max_tokens


def _ready(
    parts: tuple[Corpus, Corpus], encoder: Encoder, config: AdaptConfig, *, from_scratch: bool = False
) -> Adaptation:
    """Tokenise, load the weights and choose what is open."""
    tokenizer = encoder.tokenizer
    max_tokens = _max_tokens(config, tokenizer)
    runtime = choose_runtime(config.precision)
    options = ExampleOptions(
        max_tokens, Masking.of(tokenizer, config.mask_rate, config.whole_word), config.next_sentence
    )
    train, valid = (tokenize_corpus(part, tokenizer) for part in parts)
    first = epoch_examples(train, tokenizer.frames, options, seed=config.seed, epoch=0)
    _check_masked(first, "The corpus has", train, encoder, "Give more text.")
    held_out = _held_out(valid, encoder, options, config.seed)
    seed_everything(config.seed)
    model = load_masked_lm(encoder, next_sentence=config.next_sentence).to(runtime.device)
    runtime = working_runtime(model.model, runtime, tokenizer.input_names, config.precision)
    suit_attention(model, runtime)
    facts = adapt_recipe.Facts(len(first), count_parameters(model), from_scratch)
    chosen, reasons = adapt_recipe.choose(config.changed(max_tokens=max_tokens), facts)
    steps = steps_of(chosen, len(first))
    plan = AdaptPlan(
        config=chosen,
        train=f"{parts[0].describe()}, {len(train.ids_T):,} tokens",
        valid=f"{len(valid.ids_T):,} tokens of {valid.num_documents:,} documents",
        encoder=describe_encoder(encoder, model),
        runtime=runtime.describe(),
        masking=options.masking.describe(),
        tokens=len(train.ids_T),
        sequences=len(first),
        steps=steps,
        head_steps=adapt_recipe.head_steps(steps, is_new_head=bool(model.new)),
        notes=(*parts[0].notes, *_length_note(train, options)),
    )
    plan = replace(
        plan,
        reasons=(*_new_parts_note(model, plan.head_steps), *reasons),
        warnings=_warnings(plan, first, held_out, train.unknown_share(tokenizer), from_scratch=from_scratch),
    )
    ready = Adaptation(encoder, model, train, held_out, options, chosen, runtime, plan)
    seconds = ready._loop(Path(), (), "").estimate_seconds(first)  # the loop that `run` makes, but for its folder
    return replace(ready, plan=replace(plan, seconds=seconds))


def _held_out(valid: CorpusTokens, encoder: Encoder, options: ExampleOptions, seed: int) -> MaskedEpoch:
    """Return the examples of the text held out. Raises DataError if nothing can be measured on them."""
    hint = "Give more documents, or hold out a larger share with --set valid_share=0.2."
    try:
        made = epoch_examples(valid, encoder.tokenizer.frames, options, seed=seed, epoch=0)
    except DataError as error:
        raise DataError(f"The documents held out are too few or too short. {error.message}", hint) from error
    _check_masked(made, "The documents held out have", valid, encoder, hint)
    return made


def _check_masked(made: MaskedEpoch, what: str, tokens: CorpusTokens, encoder: Encoder, hint: str) -> None:
    """Raise DataError if there is nothing to predict."""
    if len(made.places_M):
        return
    message = f"{what} {len(tokens.ids_T):,} tokens, of which none is masked"
    if tokens.unknown_share(encoder.tokenizer) == 1:
        raise DataError(
            f"{message}: the vocabulary knows none of them.",
            "Choose an encoder of that language, or, to pretrain, a larger --vocab-size.",
        )
    raise DataError(f"{message}.", hint)


def _length_note(train: CorpusTokens, options: ExampleOptions) -> tuple[str, ...]:
    """Say how many documents are longer than a sequence; pairs cut them, which is a warning of its own."""
    count = int((np.diff(train.starts_D1) > options.max_tokens).sum())
    if not count or options.next_sentence:
        return ()
    return (f"{count:,} of {train.num_documents:,} documents are longer than a sequence and go on in the next.",)


def _new_parts_note(model: MaskedLanguageModel, num_steps: int) -> tuple[str, ...]:
    if not num_steps:
        return ()
    one = len(model.new_parts) == 1
    decoder = "its decoder tied to the word embeddings" if model.is_tied else "with a decoder of its own"
    return (
        f"the encoder has no {' and no '.join(model.new_parts)} and gets {'a new one' if one else 'new ones'}"
        + (f", {decoder}; " if "masked-LM head" in model.new_parts else "; ")
        + f"{'it learns' if one else 'they learn'} alone for the first {num_steps} steps",
    )


def _warnings(
    plan: AdaptPlan, first: MaskedEpoch, held_out: MaskedEpoch, unknown_share: float, *, from_scratch: bool
) -> tuple[str, ...]:
    found = []
    if unknown_share >= MANY_UNKNOWN:
        found.append(
            f"{100 * unknown_share:.0f} % of the tokens are unknown to the encoder's vocabulary; nothing is learned of "
            "them. " + (MORE_ENTRIES if from_scratch else OTHER_ENCODER)
        )
    if len(held_out.places_M) < FEW_MASKED:
        found.append(
            f"Only {len(held_out.places_M):,} tokens are masked in the text held out: its loss is a rough one."
        )
    if len(held_out.ids_T) > LARGE_SHARE * (plan.tokens + len(held_out.ids_T)):
        found.append(
            f"{len(held_out.ids_T):,} tokens are held out and not learned from, as documents are few or of very "
            "different length. Break long ones up by line ends or blank lines."
        )
    if plan.tokens < FEW_TOKENS:
        found.append(f"The corpus is small: {plan.tokens:,} tokens. Adaptation wants {FEW_TOKENS:,} and more.")
    if from_scratch and plan.tokens < 100 * FEW_TOKENS:
        found.append("An encoder from nothing wants many millions of tokens; adapting one that is trained wants few.")
    return (*found, *_pair_warnings(plan, first))


def _pair_warnings(plan: AdaptPlan, first: MaskedEpoch) -> list[str]:
    """Return what is odd about pairs for next-sentence prediction."""
    found = []
    if first.num_cut:
        found.append(
            f"{first.num_cut:,} tokens are cut from the pairs of an epoch, which are longer than "
            f"{plan.config.max_tokens} tokens; shorter lines or more --max-tokens keep them."
        )
    share = first.random_share
    if share is not None and share > MANY_RANDOM:
        found.append(
            f"{100 * share:.0f} % of the pairs are of texts that do not follow each other, where BERT has 50: "
            "documents of one line give no others. Write one sentence on each line."
        )
    return found
