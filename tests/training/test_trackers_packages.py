"""What MLflow, Weights & Biases and Trackio get of a run: each package has one, in a folder of the test."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest

from fastbert import DataBunch, Predictor
from fastbert.bundle import read_bundle
from fastbert.errors import ConfigError
from fastbert.training.callbacks import Callback
from fastbert.training.trackers import MLflow, Trackio, WandB
from tests.feedback import feedback_rows, make_learner
from tests.training.test_callbacks import SECRET, make_state


@pytest.fixture
def data() -> DataBunch:
    return DataBunch.from_files(feedback_rows(), test=feedback_rows(48)[40:], valid_share=0.2)


def run(tracker: Callback, encoder: str, data: DataBunch, folder: Path) -> Path:
    return make_learner(encoder, data, callbacks=[tracker], epochs=1).fit().save(folder / "model")


@pytest.fixture
def mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return MLflow with its store in a folder of the test; a database takes 3 s to be laid out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own type hints, and of its store
        import mlflow
        import mlflow.pyfunc
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "store").as_uri())
    return mlflow


@pytest.mark.filterwarnings("ignore::FutureWarning:mlflow")  # of its store of files
def test_mlflow_gets_options_curves_scores_and_a_model_that_answers(
    mlflow: ModuleType, encoder: str, data: DataBunch, tmp_path: Path
) -> None:
    saved = run(MLflow("reviews", name="first", bundle=True, every=1), encoder, data, tmp_path)

    client = mlflow.MlflowClient()
    (found,) = client.search_runs([client.get_experiment_by_name("reviews").experiment_id])
    assert (found.info.status, found.info.run_name, found.data.params["epochs"]) == ("FINISHED", "first", "1.0")
    assert [point.step for point in client.get_metric_history(found.info.run_id, "train/loss")] == [1, 2, 3, 4]
    assert found.data.metrics["model/test/accuracy"] == read_bundle(saved).scores["test"]["accuracy"]
    model = mlflow.pyfunc.load_model(f"runs:/{found.info.run_id}/model")
    assert (
        model.predict(["the app is great"])["predicted"][0] == Predictor.load(saved)(["the app is great"])[0].labels[0]
    )


@pytest.mark.filterwarnings("ignore::FutureWarning:mlflow")  # of its store of files
def test_mlflow_marks_a_failed_run(mlflow: ModuleType) -> None:
    tracker = MLflow("reviews")
    tracker.on_start(make_state())

    tracker.on_error(make_state(), ValueError(SECRET))

    client = mlflow.MlflowClient()
    (found,) = client.search_runs([client.get_experiment_by_name("reviews").experiment_id])
    assert (found.info.status, SECRET in repr(found)) == ("FAILED", False)


def test_mlflow_says_that_its_database_needs_a_package(mlflow: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(ConfigError, match=r"needs the package sqlalchemy.\n  Install it with `pip install mlflow`, or"):
        MLflow()


def test_mlflow_reports_nothing_to_its_makers(mlflow: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.telemetry.utils import is_telemetry_disabled

    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)

    MLflow()

    assert is_telemetry_disabled()


def test_trackio_gets_curves_and_a_model_and_prints_nothing_on_standard_output(
    encoder: str, data: DataBunch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import trackio

    folder, usual = tmp_path / "trackio", trackio.utils.TRACKIO_DIR
    modules = [module for name, module in sys.modules.items() if name.split(".")[0] == "trackio"]
    places = [(module, name, place) for module in modules for name, place in vars(module).items() if name.isupper()]
    for module, name, place in places:  # read once, as it is imported
        if isinstance(place, Path) and place.is_relative_to(usual):
            monkeypatch.setattr(module, name, folder / place.relative_to(usual))

    run(Trackio("reviews", bundle=True), encoder, data, tmp_path)

    assert trackio.context_vars.current_run.get() is None
    (name,) = trackio.sqlite_storage.SQLiteStorage.get_runs("reviews")
    points = trackio.sqlite_storage.SQLiteStorage.get_logs("reviews", name)
    sent = set().union(*points)
    assert {"train/loss", "valid/accuracy", "model/test/accuracy"} <= sent
    assert (folder / "reviews.db").is_file()
    assert capsys.readouterr().out == ""


class FakeRun:
    """A run of Weights & Biases: notes what it gets."""

    id = "abc"

    def __init__(self) -> None:
        self.logged: list[tuple[dict[str, float], int]] = []
        self.summary: dict[str, float] = {}
        self.config: dict[str, object] = {}
        self.files: list[object] = []
        self.exit_code: int | None = None

    def log(self, values: dict[str, float], step: int) -> None:
        self.logged.append((values, step))

    def log_artifact(self, artifact: FakeArtifact) -> None:
        self.files.append((artifact.name, artifact.type, artifact.folder))

    def finish(self, exit_code: int) -> None:
        self.exit_code = exit_code


class FakeArtifact:
    """An artifact of Weights & Biases."""

    def __init__(self, name: str, type: str) -> None:
        self.name, self.type, self.folder = name, type, ""

    def add_dir(self, folder: str) -> None:
        self.folder = folder


class FakeWandB(ModuleType):
    """The package wandb: the real one starts a process for each of its runs."""

    Artifact = FakeArtifact
    given: ClassVar[dict[str, object]] = {}

    def __init__(self) -> None:
        super().__init__("wandb")
        self.run = FakeRun()

    def Settings(self, **settings: object) -> dict[str, object]:  # its name there
        return settings

    def init(self, **options: object) -> FakeRun:
        self.given.update(options)
        return self.run


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> FakeWandB:
    fake = FakeWandB()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    return fake


def test_wandb_gets_options_curves_scores_and_the_model(
    wandb: FakeWandB, encoder: str, data: DataBunch, tmp_path: Path
) -> None:
    run(WandB("reviews", bundle=True, every=1), encoder, data, tmp_path)

    given, sent = wandb.given, wandb.run
    assert (given["project"], given["mode"], given["settings"]) == (
        "reviews", "offline", {"console": "off", "save_code": False},
    )  # fmt: skip
    assert [step for values, step in sent.logged if "train/loss" in values] == [1, 2, 3, 4]
    assert {"model/valid/accuracy", "model/test/accuracy"} <= sent.summary.keys()
    assert (sent.files, sent.exit_code) == ([("model-abc", "model", str(tmp_path / "model"))], 0)


def test_wandb_goes_online_where_the_environment_says_so(wandb: FakeWandB, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")

    WandB().on_start(make_state())

    assert wandb.given["mode"] == "online"


def test_wandb_takes_the_options_of_a_second_fit_and_the_end_of_a_failed_one(wandb: FakeWandB) -> None:
    tracker = WandB()
    tracker.on_start(make_state())
    tracker._add({"fit2/lr": 0.1})

    tracker.on_error(make_state(1), ValueError(SECRET))

    assert (wandb.run.config, wandb.run.exit_code) == ({"fit2/lr": 0.1}, 1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of its own imports
def test_the_real_wandb_takes_a_run_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundle: Path) -> None:
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.delenv("WANDB_MODE", raising=False)
    import wandb

    tracker = WandB("reviews", bundle=True)
    tracker.on_start(make_state())
    tracker.on_step(make_state(1))
    tracker.on_save(read_bundle(bundle))
    wandb.teardown()  # ends its process

    (written,) = (tmp_path / "wandb").glob("offline-run-*/run-*.wandb")
    content = written.read_bytes()
    assert b"train/loss" in content and b"model/valid/accuracy" in content
