"""A default outside the search space: run, recorded and restored, and never shown to a sampler."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import pytest
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState

from study.driver.trial_manager import TrialManager
from study.ledger.journal import read_trials
from study.ledger.ledger import Ledger
from study.monitor.progress import study_progress, table_progress
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from study.search.trial_values import final_value, trial_values
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec
from tests.study.trials import complete_trials, record

Open = Callable[[], Ledger]
DEFAULT = 3
"""The number of the default's first trial."""


@pytest.fixture
def spec(spec: StudySpec) -> StudySpec:
    """Its widths are 16 and 32; the default is 128."""
    space = study_space(["sampling.near=1:3", "field.width=16,32"], [], spec.steps)
    return dataclasses.replace(spec, space=space, replicates=6)


def run(ledger: Ledger, folder: StudyFolder, count: int = 99) -> list[int]:
    return complete_trials(TrialManager(folder, ledger, ()), count)


def test_it_is_run_with_its_own_values(
    open_ledger: Open, folder: StudyFolder, spec: StudySpec
) -> None:
    ledger = open_ledger()
    assert len(run(ledger, folder)) == spec.trials == 13
    folder.write_tables()
    widths = list(folder.read_trials()["field.width"])
    assert [i for i, width in enumerate(widths) if width == 128] == [DEFAULT, 9, 12]
    trial = ledger.trials()[DEFAULT]
    assert trial_values(trial) == spec.space.defaults()
    assert (final_value(trial), trial.user_attrs["state"]) == (10.0 + DEFAULT, "completed")


def test_optuna_leaves_it_out(open_ledger: Open, folder: StudyFolder) -> None:
    ledger = open_ledger()
    run(ledger, folder)
    outside = [t.number for t in ledger.trials() if t.state == TrialState.FAIL]
    assert outside == [DEFAULT, 9, 12]
    assert all(not ledger.trials()[number].params for number in outside)
    assert all(len(t.params) == 2 for t in ledger.trials() if t.number not in outside)
    importances = get_param_importances(ledger._study, evaluator=PedAnovaImportanceEvaluator())
    assert set(importances) == {"sampling.near", "field.width"}


def test_it_is_the_best_where_it_is_and_then_the_next_best_is_repeated(
    open_ledger: Open, folder: StudyFolder, spec: StudySpec
) -> None:
    spec = dataclasses.replace(spec, optimize=1)
    ledger = open_ledger()
    ledger.spec = spec
    run(ledger, folder, DEFAULT + 1)
    (best,) = study_progress(ledger.trials(), spec).bests
    assert (best.number, best.values) == (DEFAULT, spec.space.defaults())
    folder.write_tables()
    assert table_progress(folder.read_trials(), spec).bests == (best,)
    explored, repeated, _ = (ledger.ask() for _ in range(3))
    assert explored is not None
    assert repeated is not None
    assert repeated.values == trial_values(ledger.trials()[2])


def test_a_running_one_is_resumed(open_ledger: Open, spec: StudySpec) -> None:
    ledger = open_ledger()
    assignments = [ledger.ask() for _ in range(5)]
    again = open_ledger().running()
    assert again == assignments
    assert again[DEFAULT].values == spec.space.defaults()


def test_a_lost_journal_is_restored_from_the_records(
    open_ledger: Open, folder: StudyFolder, spec: StudySpec
) -> None:
    ledger = open_ledger()
    run(ledger, folder)
    before = ledger.trials()
    folder.journal.unlink()
    ledger = open_ledger()
    TrialManager(folder, ledger, ())
    for old, new in zip(before, ledger.trials(), strict=True):
        assert new.state == old.state
        assert new.user_attrs["seed"] == old.user_attrs["seed"]
        assert final_value(new) == final_value(old)
        assert spec.space.outside(trial_values(new)) == spec.space.outside(trial_values(old))


def test_a_lost_record_is_restored_from_the_journal(open_ledger: Open, folder: StudyFolder) -> None:
    run(open_ledger(), folder)
    name = trial_id(DEFAULT)
    folder.record_file(name).unlink()
    TrialManager(folder, open_ledger(), ())
    row = record(folder, name)["trial"]
    assert (row["field.width"], row["psnr"], row["state"]) == (128, 10.0 + DEFAULT, "completed")
    assert math.isnan(row["test_psnr"])
    assert len(read_trials(folder)) == 13
