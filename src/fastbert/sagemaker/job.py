"""A training job: what the container holds goes in; model, report and numbers come out.

Knows nothing of terminals, nor of what becomes of an error: plan and lines go to the listeners it is given.
"""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

from fastbert import api
from fastbert.bundle import MANIFEST, Bundle, check_contents, read_bundle
from fastbert.display import View
from fastbert.errors import BundleError, MissingExtraError
from fastbert.export.exporting import export_bundle
from fastbert.export.parity import rows_of
from fastbert.inference.backends import check_packages
from fastbert.jsonable import finite
from fastbert.placing import WORKING, fill_folder
from fastbert.sagemaker.channels import by_role, find_inputs, written_options
from fastbert.sagemaker.container import Container
from fastbert.sagemaker.failure import explain
from fastbert.sagemaker.hyperparameters import JobConfig, Settings, settings
from fastbert.sagemaker.metrics import SAVED, MetricLines, metric_line, scores_of
from fastbert.sagemaker.stopping import StopRequests
from fastbert.training.learner import Learner

HYPERPARAMETERS = "hyperparameters.json"
REPORT = "report.html"
ExportKind = Literal["onnx", "onnx-int8", "openvino", "openvino-int8"]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """Everything that a job was asked for, found and checked before any work."""

    tables: api.Tables
    settings: Settings
    exports: tuple[str, ...]


def train(
    container: Container, stop: StopRequests, write: Callable[[str], None], on_view: Callable[[View], None]
) -> dict[str, object]:
    """Train as a container says; write model, report and numbers where SageMaker expects them; return the numbers.

    stop: ends the training early.    write: is given the metric lines.
    on_view: is shown the plan, and what is tried before.    Raises UsageError before any work.
    """
    job = read_job(container)
    for note in job.settings.notes:
        log.warning("%s", note)
    prepare_folder(container.model)
    container.output_data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fastbert-") as place:
        made, asked = Path(place) / "model", job.settings
        watching = [MetricLines(write), stop]
        learner = api.prepare(job.tables, data=asked.data, config=asked.train, decide=asked.decide, callbacks=watching)
        result = api.finish(learner, job.tables, made, on_view=on_view)
        fill_folder(made, container.model, MANIFEST)
        for table in Path(place).glob("*.csv"):  # predictions of rows held out
            shutil.copyfile(table, container.output_data / table.name)
    return _after(container, job, result, write)


def read_job(container: Container) -> Job:
    """Return what a container asks for. Raises UsageError for what is missing, wrong or not known."""
    container.check_hosts()
    roles = by_role(container.channels())
    given = (HYPERPARAMETERS, container.hyperparameters())
    found = settings(*written_options(roles), given)
    inputs = find_inputs(roles, found.job, found.data.labels_file)
    notes = list(found.notes)
    if inputs.labels_file is not None:
        found = replace(found, data=found.data.changed(labels_file=str(inputs.labels_file)))
    if inputs.encoder is not None:
        if "encoder" in found.train.chosen():
            notes.append(f"The encoder is that of the folder {inputs.encoder.name}/, not {found.train.encoder}.")
        found = replace(found, train=found.train.changed(encoder=str(inputs.encoder)))
    exports, left_out = _exports(found.job)
    tables = api.Tables(
        inputs.train, inputs.valid, inputs.test, inputs.unlabelled, baseline=found.job.baseline, folds=found.job.folds
    )
    return Job(tables, replace(found, notes=(*notes, *left_out)), exports)


def _exports(job: JobConfig) -> tuple[tuple[str, ...], list[str]]:
    """Return the exports to make, and why others are not. Raises MissingExtraError for one that was asked for."""
    for name in job.exports:
        try:
            check_packages(name.partition("-")[0])
        except MissingExtraError as error:
            if "export" in job.chosen():
                raise
            return (), [f"No export is made: {error.message}"]
    return job.exports, []


def _after(container: Container, job: Job, result: api.Result, write: Callable[[str], None]) -> dict[str, object]:
    """Export the saved model, and write its numbers; return them."""
    failed = add_exports(container.model, job.exports, result.learner)
    bundle = read_bundle(container.model)
    values: dict[str, object] = {
        **result.to_json(),
        "bundle": str(container.model),
        "exports": {name: export.to_json() for name, export in bundle.exports.items()},
        "exports_failed": failed,
        "job": container.job_name,
    }
    write_numbers(container.output_data, bundle, values, result.learner)
    line = metric_line({k: v for split in SAVED for k, v in scores_of(split, bundle.scores.get(split, {})).items()})
    write(line)
    return values


def prepare_folder(model: Path) -> None:
    """Make the folder of the model, or check that it can be filled. Raises BundleError if not.

    It may be there already, and be a mount point: it is filled and never replaced.
    """
    try:
        check_contents(model, overwrite=True)
    except BundleError as error:
        raise BundleError(
            f"{model} holds something else than a bundle; it is not replaced.",
            "Give the container an empty folder there.",
        ) from error
    try:
        model.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=model, prefix=WORKING):
            pass
    except OSError as error:
        raise BundleError(
            f"The folder {model} of the model cannot be written to ({error.strerror or error}).",
            "Run the container as root, as SageMaker does, or mount the volume to be written to.",
        ) from error


def add_exports(folder: Path, kinds: Sequence[str], learner: Learner) -> dict[str, str]:
    """Add exports to the saved model, checked on its validation rows; return why others were not made.

    A model that was trained for hours is not lost because a form of it cannot be made.
    """
    failed = {}
    rows = rows_of(learner.data.examples("valid"), "the validation data") if kinds else None
    for kind in kinds:
        try:
            export_bundle(folder, cast("ExportKind", kind), data=rows, head=learner.head)
        except Exception as error:  # an engine raises anything
            failed[kind] = explain(error)[0]
            log.warning("The export '%s' was not made, the model is whole without it: %s", kind, failed[kind])
    return failed


def write_numbers(folder: Path, bundle: Bundle, values: dict[str, object], learner: Learner) -> None:
    """Write what people look at after a job: report, scores with the plan, and the course of the training."""
    shutil.copyfile(bundle.folder / REPORT, folder / REPORT)
    for name, content in (("metrics.json", values), ("history.json", learner.history.to_json())):
        text = json.dumps(finite(content), indent=2, ensure_ascii=False, allow_nan=False)
        (folder / name).write_text(text + "\n", encoding="utf-8")
