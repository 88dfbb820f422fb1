"""A bundle's model exported into the bundle: made, checked, and kept only if it loses little enough.

The schemes of an engine are tried from the fastest to the safest; the first that fits is kept, and if none
does, nothing is left behind. Knows nothing of terminals: each attempt goes to a listener.
"""

from __future__ import annotations

import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Literal, get_args

from fastbert._version import __version__
from fastbert.bundle import add_export, read_bundle
from fastbert.config import DataConfig
from fastbert.data.sources import Source
from fastbert.errors import (
    BundleError,
    ConfigError,
    ExportError,
    MissingExtraError,
    did_you_mean,
    first_line,
)
from fastbert.export.onnx import write_onnx
from fastbert.export.parity import Comparison, Rows, rows_of, sample_rows
from fastbert.exports import Check, Export
from fastbert.inference.backends import check_packages, open_export
from fastbert.inference.evaluation import read_examples
from fastbert.inference.predictor import Predictor
from fastbert.inference.torch_backend import TorchBackend
from fastbert.placing import WORKING

Kind = Literal["onnx", "onnx-int8", "openvino", "openvino-int8"]
MAX_LOSS = 0.005  # of the monitored score: half a point
EXACT = 1e-3  # largest difference of a probability in float32; the nine families stayed under 1e-5


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attempt:
    """One scheme that was tried. accepted: it is the one that was kept.

    check: what the comparison found, None where the engine failed.    failure: of the engine, for people.
    """

    scheme: str
    check: Check | None
    accepted: bool
    failure: str = ""

    def describe(self) -> str:
        """Return one phrase."""
        return self.failure if self.check is None else self.check.describe()


@dataclass(frozen=True)
class _Scheme:
    """How one candidate is made. write: into the file it is given.    compute: precision of what is not int8."""

    name: str
    compute: str
    write: Callable[[Path], object]


def export_bundle(
    folder: str | Path,
    kind: Kind = "onnx",
    *,
    data: Source | Rows | None = None,
    max_loss: float = MAX_LOSS,
    overwrite: bool = False,
    head: object | None = None,
    on_attempt: Callable[[Attempt], None] = lambda attempt: None,
) -> Export:
    """Add an export to a bundle and return its record.

    kind: the engine, with -int8 for 8 bits; `Predictor.load` opens the export by the same name.
    data: labelled rows, such as the validation table, to compare the scores of both models on and to
        calibrate int8 with; without labels answers are compared, without any rows float32 only.
    max_loss: of the monitored score and of that of the decided answers; of unlabelled rows the share of answers
        that may change. Rows without a text are left out, and said in the log.
    on_attempt: is shown each scheme as it was checked.
    Raises ConfigError or BundleError before any work, ExportError if no scheme loses little enough.
    """
    _check_request(kind, data, max_loss)
    bundle, (backend, _, bits) = read_bundle(folder, ignoring=kind if overwrite else None), kind.partition("-")
    if kind in bundle.exports:
        raise BundleError(f"{folder} has an export '{kind}' already.", "Allow it to be replaced with --overwrite.")
    predictor = Predictor.of(bundle, "torch", head=head)
    rows = _rows(predictor, data)
    with _working_folder(Path(folder)) as working:
        reference = predictor.backend
        assert isinstance(reference, TorchBackend)
        source = write_onnx(reference.model.cpu(), bundle, predictor.tokenizer, working / "source.onnx")
        comparison = Comparison(bundle, predictor.tokenizer, _on_cpu(reference), rows)
        shape = Export(kind, backend, bits or "fp32", "fp32", "", (), "", Check(0, "", 0, 0, 0))
        schemes = _schemes(shape, source, comparison)
        found = _first_that_fits(schemes, shape, working, comparison, (max_loss, on_attempt))
        return add_export(Path(folder), found, working)


def _check_request(kind: str, data: object, max_loss: float) -> None:
    known = get_args(Kind)
    if kind not in known:
        raise ConfigError(
            f"'{kind}' is not an export that can be made.", did_you_mean(kind, known) or f"Known: {', '.join(known)}."
        )
    check_packages(kind.partition("-")[0])
    if not 0.0 <= max_loss <= 1.0:
        raise ConfigError(f"max_loss is {max_loss}; expected a number from 0 to 1, such as {MAX_LOSS}.")
    if kind.endswith("int8") and data is None:
        raise ConfigError(
            "int8 is calibrated and checked on your own rows; none were given.",
            "Name a labelled table that the model was not trained on with --data.",
        )


def _rows(predictor: Predictor, data: Source | Rows | None) -> Rows:
    if isinstance(data, Rows):
        return data
    if data is None:
        return sample_rows(
            predictor.tokenizer, max_tokens=predictor.bundle.max_tokens, pairs=bool(predictor.bundle.reads_pairs)
        )
    examples, notes = read_examples(predictor, data, DataConfig(on_bad_row="skip"), truth_required=False)
    for note in notes:
        log.warning("%s", note)
    # What else it may be, a list or a frame, holds texts: they are not for the record.
    return rows_of(examples, Path(data).name if isinstance(data, (str, os.PathLike)) else "a table in memory")


def _on_cpu(reference: TorchBackend) -> TorchBackend:
    """Return the reference on the processor, where the exports run: speeds are then of one machine."""
    import torch

    runtime = replace(reference.runtime, device=torch.device("cpu"))
    return TorchBackend(reference.model, runtime, reference.input_names, outputs=reference.outputs)


@contextmanager
def _working_folder(bundle: Path) -> Iterator[Path]:
    """Make a folder inside the bundle, on its file system, and remove it at the end whatever happens."""
    working = bundle / f"{WORKING}{uuid.uuid4().hex[:8]}"
    try:
        working.mkdir()
    except OSError as error:
        raise BundleError(
            f"{bundle} cannot be written to ({error.strerror or error}); the export lies inside the bundle.",
            "Copy the bundle to a folder of your own.",
        ) from error
    try:
        yield working
    finally:
        shutil.rmtree(working, ignore_errors=True)


def _schemes(shape: Export, source: Path, comparison: Comparison) -> list[_Scheme]:
    """Return what can be tried, the fastest first."""
    if shape.backend == "onnx":
        if shape.precision == "fp32":
            return [_Scheme("float32", "fp32", partial(shutil.copyfile, source))]
        from fastbert.export import quantize

        return [_Scheme(name, "fp32", partial(write, source)) for name, write in quantize.SCHEMES.items()]
    from fastbert.export import openvino

    bf16 = openvino.bf16_pays() and comparison.rows.given  # on made-up texts its loss cannot be judged
    rest = "bf16" if bf16 else "fp32"
    if shape.precision == "fp32":
        write = partial(openvino.convert, source)
        exact = _Scheme("float32", "fp32", write)
        return [_Scheme("bfloat16", "bf16", write), exact] if bf16 else [exact]
    quantizer = openvino.Quantizer(source, comparison.calibration_features(), comparison.tokenizer.pad_id)
    *fast, (safest, write_safest) = quantizer.schemes.items()
    return [
        *[_Scheme(f"{name}, rest {rest}", rest, write) for name, write in fast],
        _Scheme(f"{safest}, rest fp32", "fp32", write_safest),
    ]


def _first_that_fits(
    schemes: list[_Scheme],
    shape: Export,
    working: Path,
    comparison: Comparison,
    judge: tuple[float, Callable[[Attempt], None]],
) -> Export:
    """Make and check one scheme after the other; return the record of the first that loses little enough."""
    max_loss, on_attempt = judge
    stem = f"{shape.backend}/model{'-int8' if shape.precision == 'int8' else ''}"
    endings = (".onnx",) if shape.backend == "onnx" else (".xml", ".bin")
    files = tuple(stem + ending for ending in endings)
    (working / shape.backend).mkdir()
    losses: dict[str, float] = {}
    failures: dict[str, str] = {}
    for scheme in schemes:
        precision = scheme.compute if shape.precision != "int8" else "int8"
        made = replace(
            shape, precision=precision, compute=scheme.compute, file=files[0], files=files, scheme=scheme.name
        )
        try:
            scheme.write(working / files[0])
            check = comparison.check(open_export(made, working))
        except (OSError, MissingExtraError):
            raise
        except Exception as error:  # an engine raises anything; the next scheme is a safer one
            failures[scheme.name] = f"failed ({type(error).__name__}: {first_line(error)})"
            on_attempt(Attempt(scheme.name, None, accepted=False, failure=failures[scheme.name]))
            continue
        exact = precision == "fp32"
        accepted = check.loss <= max_loss and (not exact or check.max_difference <= EXACT)
        on_attempt(Attempt(scheme.name, check, accepted))
        if accepted:
            return replace(made, check=check, attempts=losses, versions=_versions(shape.backend))
        losses[scheme.name] = check.loss
    tried = {name: f"{loss:.4f}" for name, loss in losses.items()} | failures
    raise ExportError(_refusal(shape, tried, max_loss, comparison.rows), _advice(shape))


def _refusal(shape: Export, outcomes: dict[str, str], max_loss: float, rows: Rows) -> str:
    what = "score" if rows.labelled else "answers"
    tried = "; ".join(f"{name}: {outcome}" for name, outcome in outcomes.items())
    return (
        f"No {shape.precision} export for {shape.backend} was good enough: each lost more {what} than {max_loss} on "
        f"{len(rows.checked)} {rows.data}, or differed by more than {EXACT} in float32 ({tried}). Nothing was kept."
    )


def _advice(shape: Export) -> str:
    if shape.precision == "int8":
        return "Export without --int8, give more rows with --data, or allow more with --max-loss."
    return "Please report the encoder's family; predict with --backend torch meanwhile."


def _versions(backend: str) -> dict[str, str]:
    packages = ("torch", "onnxruntime") if backend == "onnx" else ("torch", "openvino")
    return {"fastbert": __version__, **{package: version(package) for package in packages}}
