"""Samplers by name: what they propose after a restart, what they learn, and what they refuse."""

from __future__ import annotations

import itertools
import math
import pickle
from pathlib import Path

import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nerf.common.errors import InputError
from nerf.config.parameters import Value
from study.ledger.ledger import Ledger
from study.protocol.messages import Outcome
from study.records.study_folder import StudyFolder
from study.spec.optimiser import SAMPLERS, describe_limits, require_sampler
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec

STEPS = 90
NUMBERS = ("sampling.near=0.5:4", "optimisation.learning_rate=0.0002:0.02")
_folders = itertools.count()


def spec_of(sampler: str, *varied: str, explore: int = 12, optimize: int = 8) -> StudySpec:
    space = study_space(varied or (*NUMBERS, "field.density_activation"), [], STEPS)
    return StudySpec(
        space=space, explore=explore, optimize=optimize, replicates=0, steps=STEPS, sampler=sampler
    )


def psnr(values: dict[str, Value]) -> float:
    """The best is at a near of 1 and a learning rate of 0.004."""
    rate = math.log10(float(values["optimisation.learning_rate"]) / 0.004)
    return 30.0 - (float(values["sampling.near"]) - 1) ** 2 - 4 * rate**2


def run(
    path: Path, spec: StudySpec, slots: int, restarts: frozenset[int]
) -> list[dict[str, Value]]:
    """The values of all trials, `slots` at a time, with a new driver before these trials."""
    folder = StudyFolder(path / f"study{next(_folders)}" / "same name")
    ledger, asked, running = Ledger(folder, spec), [], []
    while True:
        if len(asked) in restarts:
            ledger.close()
            ledger = Ledger(folder, spec)
        assignment = ledger.ask() if len(running) < slots else None
        if assignment:
            asked.append(assignment.values)
            running.append(assignment)
        elif running:
            ended = running.pop(0)
            outcome = Outcome("completed", "", STEPS, psnr(ended.values))
            ledger.tell(ended.number, outcome)
        else:
            ledger.close()
            return asked


@pytest.mark.parametrize("sampler", SAMPLERS)
@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(slots=st.integers(1, 3), restarts=st.frozensets(st.integers(0, 19), min_size=1))
def test_a_new_driver_proposes_the_exact_same_next_point(
    sampler: str, slots: int, restarts: frozenset[int], tmp_path: Path
) -> None:
    spec = spec_of(sampler)
    once = run(tmp_path, spec, slots, frozenset())
    assert len({tuple(values.items()) for values in once[12:]}) == 8
    assert run(tmp_path, spec, slots, restarts) == once


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "random"])
def test_proposals_get_better_than_random_ones(sampler: str, tmp_path: Path) -> None:
    def second_half(name: str) -> float:
        spec = spec_of(name, *NUMBERS, optimize=31)
        values = run(tmp_path, spec, 1, frozenset({20, 35}))[-15:]
        return sum(map(psnr, values)) / len(values)

    assert second_half(sampler) > second_half("random") + 1


def test_samplers_propose_different_points(tmp_path: Path) -> None:
    last = [str(run(tmp_path, spec_of(name), 1, frozenset())[-1]) for name in SAMPLERS]
    assert len(set(last)) == len(SAMPLERS)


BRANCHES = ("encoding.kind=frequency,hash", "encoding.hash_levels", *NUMBERS)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_proposes_points_of_branches(sampler: str, tmp_path: Path) -> None:
    spec = spec_of(sampler, *BRANCHES)
    proposed = run(tmp_path, spec, 2, frozenset({15}))[13:]
    assert len(proposed) == 7
    for values in proposed:
        assert ("encoding.hash_levels" in values) == (values["encoding.kind"] == "hash")
    limits = describe_limits(sampler, spec.space.dimensions)
    assert ("encoding.hash_levels will be drawn at random" in limits) == (
        sampler in ("gp", "cmaes")
    )


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("owned"),))


def test_a_journal_cannot_smuggle_code_into_the_state_of_cmaes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ledger = Ledger(StudyFolder(tmp_path / "study"), spec_of("cmaes", *NUMBERS, optimize=4))
    for _ in range(13):
        assignment = ledger.ask()
        assert assignment
        ledger.tell(assignment.number, Outcome("completed", "", STEPS, psnr(assignment.values)))
    storage: optuna.storages.BaseStorage = ledger._storage
    study_id = storage.get_all_studies()[0]._study_id
    number = storage.get_trial_id_from_study_id_trial_number(study_id, 12)
    state = pickle.dumps(Evil()).hex()
    # As an attacker writes the file: Optuna changes nothing of a trial that has ended.
    trial = storage._replay_result._trials[number]  # type: ignore[attr-defined]
    trial.system_attrs["cma:optimizer:0"] = state
    with pytest.raises(InputError, match="which no CMA-ES has"):
        ledger.ask()
    ledger.close()
    assert not (tmp_path / "owned").exists()


def test_what_a_sampler_does_not_model_or_lacks_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    dimensions = spec_of("cmaes").space.dimensions
    assert "field.density_activation will be drawn at random" in describe_limits(
        "cmaes", dimensions
    )
    assert not describe_limits("cmaes", dimensions[:2])
    assert not describe_limits("gp", dimensions)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    require_sampler("tpe")
    with pytest.raises(InputError, match=r"pip install -e '\.\[cmaes\]'"):
        require_sampler("cmaes")


@pytest.mark.parametrize(
    ("sampler", "message"),
    [
        ("auto", "OptunaHub's AutoSampler, which is not part of Optuna"),
        ("cmae", "must be one of tpe, gp, cmaes, random; got 'cmae'; did you mean cmaes?"),
    ],
)
def test_an_unknown_sampler_is_refused(sampler: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        spec_of(sampler)
