"""Studies of parameters that act in some trials only, on real processes."""

from __future__ import annotations

from pathlib import Path

import optuna
import pandas as pd
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from study.records.study_folder import StudyFolder
from tests.study.sweeps import end_of, start
from tests.study.trainers import branching

pytestmark = pytest.mark.slow

TRAINER = [f"--trainable={Path(branching.__file__)}:train", "--metric=loss:min", "--steps=6"]
TRIES = ["--try=optimiser=sgd,momentum=0.25", "--try=optimiser=sgd", "--try=lr=0.2"]
PHASES = ["--explore=6", "--optimise=4", "--replicates=3"]
TABLE = """optimiser,momentum,lr
adam,,0.1
sgd,,0.1
sgd,0.25,
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the study `tpe` of a space, and `rows` of a table."""
    place = tmp_path_factory.mktemp("branches")
    (place / "rows.csv").write_text(TABLE)
    for options in ([*TRIES, *PHASES, "--name=tpe"], ["--design=rows.csv", "--name=rows"]):
        status, output = end_of(start(*TRAINER, *options, cwd=place))
        assert status == 0, output
    return place


@pytest.fixture
def trials(place: Path) -> pd.DataFrame:
    return StudyFolder(place / "studies" / "tpe").read_trials()


def test_each_trial_is_trained_with_the_values_in_its_row(trials: pd.DataFrame) -> None:
    assert len(trials) == 3 + 6 + 4 + 3
    assert set(trials["state"]) <= {"completed", "pruned"}
    full = trials[trials["state"] == "completed"]
    drag = (1.0 - full["momentum"]).where(full["optimiser"] == "sgd", 0.5)
    losses = drag + (full["lr"] - 0.1).abs() + 1 / 6
    assert full["loss"].tolist() == pytest.approx(losses.tolist())


def test_points_tried_by_hand_have_the_default_of_what_they_leave_out(
    trials: pd.DataFrame,
) -> None:
    tried = trials[trials["phase"] == "try"]
    assert tried["optimiser"].tolist() == ["sgd", "sgd", "adam"]
    assert tried["momentum"].tolist() == [0.25, 0.9, 0.9]
    assert tried["lr"].tolist() == [0.1, 0.1, 0.2]


def test_for_optuna_a_trial_has_the_parameters_of_its_branch(place: Path) -> None:
    journal = StudyFolder(place / "studies" / "tpe").journal
    storage = JournalStorage(JournalFileBackend(str(journal)))
    study = optuna.load_study(study_name=None, storage=storage)
    kinds = set()
    for trial in study.trials:
        kinds.add(trial.params["optimiser"])
        own = {"momentum"} if trial.params["optimiser"] == "sgd" else set()
        assert set(trial.params) == {"optimiser", "lr", *own}
    assert kinds == {"adam", "sgd"}


def test_rows_of_a_table_leave_cells_empty(place: Path) -> None:
    folder = StudyFolder(place / "studies" / "rows")
    rows = folder.read_trials().sort_values("number")
    assert rows["optimiser"].tolist() == ["adam", "sgd", "sgd"]
    assert rows["momentum"].tolist() == [0.9, 0.9, 0.25]
    assert rows["loss"].tolist() == pytest.approx([0.5 + 1 / 6, 0.1 + 1 / 6, 0.75 + 1 / 6])
    page = folder.report.read_text()
    assert "optimiser adam, lr 0.1" in page
    assert "optimiser sgd, momentum 0.25" in page


def test_a_value_that_does_not_act_is_refused_by_name(place: Path) -> None:
    status, output = end_of(start(*TRAINER, "--try=momentum=0.5", "--name=no", cwd=place))
    assert status == 2
    assert "--try momentum=0.5: momentum acts only where optimiser == 'sgd', and" in output
    assert not (place / "studies" / "no").exists()
