"""A study of several metrics in the journal: the front, infeasible trials, what is repeated."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import TrialState

from study.driver.trial_manager import TrialManager
from study.ledger.ledger import Ledger
from study.monitor.progress import study_progress, table_progress
from study.protocol.messages import Message, Outcome
from study.records.outcomes import SHOWS_NOTHING
from study.records.study_folder import StudyFolder
from study.search.trial_values import final_values
from study.spec.pareto_front import find_most_balanced, on_front
from study.spec.study_spec import StudySpec
from study.trainers.objective import PSNR, Objective

Open = Callable[[], Ledger]
SECONDS = Objective("seconds", "s", minimize=True)
TRIVIAL = 9.0
"""PSNR (dB) of the best trivial image of the study below."""

# PSNR and seconds of the trials, in turn: 1 shows nothing, and 4 collapsed, both in no time.
FIGURES = [(20.0, 9.0), (8.0, 0.1), (18.0, 5.0), (15.0, 3.0), (6.0, 0.2), (12.0, 2.0), (11.0, 4.0)]
COLLAPSED = 4


@pytest.fixture(params=[(PSNR, SECONDS), (SECONDS, PSNR)], ids=["psnr first", "seconds first"])
def spec(spec: StudySpec, request: pytest.FixtureRequest) -> StudySpec:
    return dataclasses.replace(spec, objectives=request.param, replicates=6)


@pytest.fixture
def ledger(folder: StudyFolder, spec: StudySpec, open_ledger: Open) -> Ledger:
    """Its first seven trials have ended."""
    scene = {"baselines": {"black": TRIVIAL}}
    document = {"schema": 1, "created": "now", "scene": scene, "spec": spec.to_json()}
    folder.write_spec({**document, "space": spec.space.to_json()})
    ledger = open_ledger()
    manager = TrialManager(folder, ledger, ())
    for number, (psnr, seconds) in enumerate(FIGURES):
        assignment = manager.next_trial()
        assert assignment is not None
        point = {"step": 10, "seconds": seconds, "loss": 0.1, "psnr": psnr, "ssim": 0.5}
        state, steps = ("collapsed", 10) if number == COLLAPSED else ("completed", 90)
        value, metrics = psnr, {"ssim": 0.5}
        if spec.objective == SECONDS:
            value, metrics = seconds, {"ssim": 0.5, "psnr": psnr}
        outcome = Outcome(state, "", steps, value, metrics, train_seconds=seconds)
        manager.on_report(Message(number, "here", "a CPU", curve=(point,), outcome=outcome))
    return ledger


def load(folder: StudyFolder) -> optuna.Study:
    storage = JournalStorage(JournalFileBackend(str(folder.journal)))
    return optuna.load_study(study_name=None, storage=storage)


def scores(ledger: Ledger, trials: list[optuna.trial.FrozenTrial]) -> np.ndarray:
    objectives = ledger.spec.objectives
    return np.array(
        [[o.score(v) for o, v in zip(objectives, final_values(t), strict=True)] for t in trials]
    )


def test_optuna_has_the_directions_and_the_front_of_what_trained(
    ledger: Ledger, folder: StudyFolder
) -> None:
    study = load(folder)
    wanted = {PSNR: StudyDirection.MAXIMIZE, SECONDS: StudyDirection.MINIMIZE}
    assert study.directions == [wanted[o] for o in ledger.spec.objectives]
    assert study.metric_names == [o.title for o in ledger.spec.objectives]
    assert [t.number for t in study.best_trials] == [0, 2, 3, 5]
    trained = [t for i, t in enumerate(ledger.trials()) if i not in (1, COLLAPSED)]
    ours = [
        t.number for t, on in zip(trained, on_front(scores(ledger, trained)), strict=True) if on
    ]
    assert ours == [0, 2, 3, 5]


def test_no_trial_is_pruned(ledger: Ledger) -> None:
    assert {trial.state for trial in ledger.trials()[:7]} == {TrialState.COMPLETE}
    assert not ledger.spec.can_prune


def test_the_default_is_the_first_of_the_optimise_phase_and_others_are_proposed(
    ledger: Ledger,
) -> None:
    optimised = [t for t in ledger.trials() if t.user_attrs["phase"] == "optimize"]
    assert optimised[0].params == ledger.spec.space.defaults()
    assert all(len(t.params) == 3 for t in optimised)


def test_the_most_balanced_configuration_is_repeated(ledger: Ledger) -> None:
    again = list(iter(ledger.ask, None))
    candidates = [ledger.trials()[i] for i in (0, 2, 5, 6)]  # 3 is the default
    balanced = candidates[find_most_balanced(scores(ledger, candidates))]
    assert balanced.number == 5
    assert [a.values for a in again[1::3]] == [balanced.params] * 2


def test_outcomes_follow_from_psnr_whatever_comes_first(
    ledger: Ledger, folder: StudyFolder
) -> None:
    folder.write_tables()
    for progress in (
        study_progress(ledger.trials(), ledger.spec, {"": TRIVIAL}),
        table_progress(folder.read_trials(), ledger.spec, {"": TRIVIAL}),
    ):
        assert progress.ended[1].outcome == SHOWS_NOTHING
        assert progress.count(outcome=SHOWS_NOTHING) == 1
        (best,) = progress.bests
        assert best.number == (5 if ledger.spec.objective == SECONDS else 0)


def test_a_lost_journal_and_a_lost_record_come_back(
    ledger: Ledger, folder: StudyFolder, open_ledger: Open
) -> None:
    before = [(t.values, t.params, t.constraints) for t in ledger.trials()]
    ledger.close()
    Path(folder.journal).unlink()
    manager = TrialManager(folder, restored := open_ledger(), ())
    assert [(t.values, t.params, t.constraints) for t in restored.trials()] == before
    folder.record_file("00002").unlink()
    manager = TrialManager(folder, open_ledger(), ())
    assert any("trial 2 was missing" in notice for notice in manager.drain_notices())
    folder.write_tables()
    row = folder.read_trials().loc[2]
    assert (row["psnr"], row["train_seconds"]) == FIGURES[2]
