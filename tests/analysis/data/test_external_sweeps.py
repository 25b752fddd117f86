"""Studies of other tools, made by these tools (or to their format) and read without them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from analysis import report
from analysis.data.external_sweeps import read_external_sweep
from analysis.findings.analyze_study import analyze_study
from nerf.common.errors import InputError
from study.spec.space import Dimension

TRIALS = 48


def objective(trial: optuna.Trial) -> float:
    """The learning rate's exponent decides; every fourth trial is pruned at its first step."""
    rate = trial.suggest_float("rate", 1e-4, 1e-1, log=True)
    trial.suggest_categorical("act", ["relu", "silu"])
    trial.suggest_int("depth", 2, 5)
    value = 20.0 + 2.0 * np.log10(rate)
    trial.report(value - 3.0, 1)
    if trial.number % 4 == 3:
        raise optuna.TrialPruned
    trial.report(value, 2)
    return float(value)


@pytest.fixture(scope="module", params=["journal", "sqlite"])
def optuna_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage that Optuna wrote, once for all tests."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = tmp_path_factory.mktemp("optuna") / f"study.{request.param}"
    made: optuna.storages.BaseStorage
    if request.param == "journal":
        made = JournalStorage(JournalFileBackend(str(path)))
    else:
        made = optuna.storages.RDBStorage(f"sqlite:///{path}")
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(storage=made, direction="maximize", sampler=sampler)
    study.optimize(objective, n_trials=TRIALS)
    return path


@pytest.fixture
def storage(optuna_file: Path, tmp_path: Path) -> Path:
    """A copy of the storage that a test may change."""
    return Path(shutil.copy(optuna_file, tmp_path))


def test_an_optuna_storage_keeps_its_priors_and_its_pruned_trials(storage: Path) -> None:
    study = read_external_sweep(storage)
    assert set(study.space.dimensions) == {
        Dimension("rate", "float", 1e-4, 1e-1, True, label="rate"),
        Dimension("act", "choice", choices=("relu", "silu"), label="act"),
        Dimension("depth", "int", 2, 5, label="depth"),
    }
    assert study.trials["state"].value_counts().to_dict() == {"completed": 36, "pruned": 12}
    assert set(study.trials["act"]) == {"relu", "silu"}
    findings = analyze_study(study)
    assert findings.importance.trials == 36
    assert [share.path for share in findings.importance.significant_shares] == ["rate"]
    assert findings.comparable.left_out == {"pruned": 12}


def test_a_truncated_journal_is_read_up_to_its_last_whole_line(storage: Path) -> None:
    if storage.suffix == ".journal":
        whole = storage.read_bytes()
        storage.write_bytes(whole[:-7])
        assert len(read_external_sweep(storage).trials) == TRIALS - 1


def test_a_ray_folder_is_read_and_its_priors_are_assumed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(24):
        rate, width = 10 ** rng.uniform(-4, -1), int(rng.choice([32, 64, 128]))
        folder = tmp_path / "results" / f"trial_{number}"
        folder.mkdir(parents=True)
        (folder / "params.json").write_text(json.dumps({"net": {"width": width}, "rate": rate}))
        lines = [{"training_iteration": i, "psnr": 20 + np.log10(rate) - 1 / i} for i in (1, 2)]
        (folder / "result.json").write_text("\n".join(map(json.dumps, lines)) + "\n")
    study = read_external_sweep(tmp_path / "results")
    assert {d.path for d in study.space.dimensions} == {"net.width", "rate"}
    assert any(str(text).startswith("rate: uniform in its logarithm") for text in study.assumed)
    assert analyze_study(study).importance.shares[0].path == "rate"


def test_a_csv_is_read_with_given_priors_and_a_loss_is_negated(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rate, noise = 10 ** rng.uniform(-4, -1, 30), rng.random(30)
    table = pd.DataFrame({"Name": np.arange(30), "State": "finished", "lr": rate, "noise": noise})
    table["loss"] = -np.log10(rate)
    table.to_csv(tmp_path / "sweep.csv", index=False)
    prior = Dimension("lr", "float", 1e-5, 1.0, True, label="lr")
    study = read_external_sweep(tmp_path / "sweep.csv", "loss", [prior], lower_is_better=True)
    assert study.space.dimensions[0] == prior
    assert study.trials["score"].corr(np.log(study.trials["lr"])) == pytest.approx(1.0)
    assert analyze_study(study).importance.shares[0].path == "lr"


def test_the_report_of_an_external_sweep_lists_what_was_assumed(
    storage: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report.main([str(storage)]) == 0
    page = Path(capsys.readouterr().out.splitlines()[-1])
    assert page.parent == storage.with_name("study-report")
    assert "Assumed, because the record does not say" in page.read_text()


@pytest.mark.parametrize("text", ["lr", "lr=1", "lr=2:1", "lr=0:1:log", "lr=a:b", "lr=1:2:cubic"])
def test_a_bad_prior_is_refused_in_one_line(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sweep.csv").write_text("lr,psnr\n1,2\n2,3\n")
    assert report.main([str(tmp_path / "sweep.csv"), "--prior", text]) == 2
    assert capsys.readouterr().err.startswith("error: a prior must be NAME=LOW:HIGH")


@pytest.mark.parametrize("content", ["", "lr,loss\n1,2\n", "lr,psnr\n", "nonsense"])
def test_files_without_a_study_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "sweep.csv"
    path.write_text(content)
    with pytest.raises(InputError):
        read_external_sweep(path)
