"""A simulated study: runs of an objective, written and read through the same code as real ones.

Explore points are the study's real design, replicates repeat what a real study repeats. The
optimise phase is a stand-in for TPE: the default configuration, then points near the best so far,
of which those below the median of the explored runs are pruned at a third of the budget.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from optuna.trial import FrozenTrial, TrialState
from scipy.stats import norm

from analysis.data.study import Study, load_study
from analysis.external.question import Question
from analysis.external.read_study import read_external_study
from nerf.config.flat import flatten
from nerf.config.parameters import Value
from simulated.objective import (
    COLLAPSED_PSNR,
    SILENT_PSNR,
    STEPS,
    TRIVIAL_PSNRS,
    FloatArray,
    Objective,
    early_weight,
    evaluation_steps,
)
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from study.search.replicates import replicate_values
from study.search.sobol_design import explore_point
from study.spec.study_spec import StudySpec

OPTIMIZE = 8
REPLICATES = 12

_NEARBY = 0.12  # standard deviation of an optimise step, as quantiles
_CORRELATION = 0.6  # of the first, second and fourth input of a foreign sweep
_COLLAPSES_EARLY = 0.75  # the other collapsed runs are caught at the full budget


@dataclass(frozen=True)
class Run:
    """What came of one run: its outcome, final PSNR and PSNR at each step reached."""

    outcome: str
    psnr: float
    curve: tuple[float, ...]


def study_seed(objective: Objective, trials: int, index: int) -> int:
    """The seed of the `index`-th study of this size: no two studies share their draws."""
    key = (zlib.crc32(objective.name.encode()), trials, index)
    return int(np.random.SeedSequence(key).generate_state(1)[0] >> 1)


def simulate_study(objective: Objective, trials: int, index: int) -> Study:
    """The `index`-th study with `trials` explore trials; always the same."""
    seed = study_seed(objective, trials, index)
    with tempfile.TemporaryDirectory() as temporary:
        if objective.foreign:
            return _simulate_sweep(objective, trials, seed, Path(temporary))
        folder = StudyFolder(Path(temporary) / f"simulated-{index}")
        return _Simulation(objective, trials, seed, folder).run()


def run_once(objective: Objective, units: FloatArray, rng: np.random.Generator) -> Run:
    """One run at a point (axes,) with a new seed."""
    point = units[None, :]
    collapses = rng.random() < objective.collapse(point)[0]
    shows_nothing = rng.random() < objective.silent(point)[0]
    noise = float(objective.draw_noise(point, rng)[0])
    if collapses:
        reached = 1 if rng.random() < _COLLAPSES_EARLY else len(evaluation_steps())
        return Run("collapsed", COLLAPSED_PSNR, (COLLAPSED_PSNR,) * reached)
    if shows_nothing:
        psnr = SILENT_PSNR + 0.1 * rng.normal()
        return Run("shows nothing", psnr, (psnr,) * len(evaluation_steps()))
    psnr, early = float(objective.mean(point)[0]) + noise, float(objective.early(point)[0])
    weights = [early_weight(step) for step in evaluation_steps()]
    return Run("trained", psnr, tuple(w * early + (1.0 - w) * psnr for w in weights))


class _Simulation:
    """Runs and records the trials of one study, phase by phase."""

    def __init__(self, objective: Objective, trials: int, seed: int, folder: StudyFolder) -> None:
        self.objective, self.folder = objective, folder
        self.spec = StudySpec(
            space=objective.space,
            scene="synthetic",
            explore=trials,
            optimize=OPTIMIZE,
            replicates=REPLICATES,
            steps=STEPS,
            seed=seed,
        )
        self.rng = np.random.default_rng(seed)
        self.ended: list[FrozenTrial] = []
        folder.path.mkdir(parents=True)
        (folder.path / "records").mkdir()
        folder.write_spec(describe_study(objective, self.spec, folder.name))

    def run(self) -> Study:
        for index in range(self.spec.explore):
            self._add(
                "explore", explore_point(self.spec.space, self.spec.seed, index, self.spec.nets)
            )
        self._optimize()
        for index in range(self.spec.replicates):
            self._add("replicate", replicate_values(self.spec, self.ended, index))
        self.folder.write_tables()
        return load_study(self.folder)

    def _optimize(self) -> None:
        space = self.objective.space
        median = float(np.median([trial.user_attrs["psnr"] for trial in self.ended]))
        self._add("optimize", space.defaults())
        for _ in range(self.spec.optimize - 1):
            best = max(self.ended, key=lambda trial: float(trial.user_attrs["psnr"]))
            start = self._units(best.params)
            nearby = np.clip(start + _NEARBY * self.rng.normal(size=len(start)), 0.0, 1.0 - 1e-9)
            self._add("optimize", space.point(nearby.tolist()), prune_below=median)

    def _add(self, phase: str, values: Mapping[str, Value], prune_below: float = -np.inf) -> None:
        run = run_once(self.objective, self._units(values), self.rng)
        pruned = run.outcome != "collapsed" and run.psnr < prune_below
        curve = run.curve[: len(run.curve) // 3] if pruned else run.curve
        psnr = curve[-1] if pruned else run.psnr
        collapsed = run.outcome == "collapsed"
        state = "collapsed" if collapsed else "pruned" if pruned else "completed"
        number = len(self.ended)
        self.folder.append(
            self._row(number, phase, state, values, psnr, evaluation_steps()[len(curve) - 1]),
            _curve_rows(curve),
        )
        self.ended.append(_freeze(number, phase, state, values, psnr))

    def _row(
        self,
        number: int,
        phase: str,
        state: str,
        values: Mapping[str, Value],
        psnr: float,
        steps: int,
    ) -> dict[str, Any]:
        config = flatten(self.objective.space.config(values))
        del config["seed"]
        reasons = {"collapsed": "density is zero everywhere", "pruned": "stopped early"}
        return {
            "trial_id": trial_id(number), "number": number, "seed": number, "phase": phase,
            "state": state, "reason": reasons.get(state, ""), "steps_done": steps,
            "budget_steps": STEPS, "psnr": psnr, "ssim": psnr / 40,
            "test_psnr": psnr if steps == STEPS else float("nan"), "test_ssim": psnr / 40,
            "train_seconds": self._draw_seconds(number, values),
            "started": "2026-01-01T00:00:00+00:00",
            "ended": "2026-01-01T00:01:00+00:00", "host": "simulated", "device": "cpu", **config,
        }  # fmt: skip

    def _draw_seconds(self, number: int, values: Mapping[str, Value]) -> float:
        """Training time by a generator of its own: outcomes do not depend on it."""
        rng = np.random.default_rng((self.spec.seed, number))
        typical = float(self.objective.seconds(self._units(values)[None, :])[0])
        return typical * float(np.exp(self.objective.seconds_sd * rng.normal()))

    def _units(self, values: Mapping[str, Value]) -> FloatArray:
        return np.array([d.to_unit(values[d.path]) for d in self.objective.dimensions])


def _freeze(
    number: int, phase: str, state: str, values: Mapping[str, Value], psnr: float
) -> FrozenTrial:
    """The trial as a study's storage holds it."""
    completed = state == "completed"
    return FrozenTrial(
        number=number,
        state=TrialState.COMPLETE if completed else TrialState.FAIL,
        value=psnr if completed else None,
        datetime_start=None,
        datetime_complete=None,
        params=dict(values),
        distributions={},
        user_attrs={"phase": phase, "state": state, "psnr": psnr},
        system_attrs={},
        intermediate_values={},
        trial_id=number,
    )


def _curve_rows(curve: tuple[float, ...]) -> list[dict[str, Any]]:
    return [
        {
            "step": step, "seconds": step / 60, "loss": 10 ** (-psnr / 10), "psnr": psnr,
            "ssim": psnr / 40, "learning_rate": 1e-3,
        }
        for step, psnr in zip(evaluation_steps(), curve, strict=False)
    ]  # fmt: skip


def describe_study(objective: Objective, spec: StudySpec, name: str) -> dict[str, Any]:
    """The content of study.json."""
    return {
        "schema": 1, "name": name, "created": "2026-01-01T00:00:00+00:00",
        "scene": {
            "source": "synthetic", "name": objective.name, "hash": "0" * 64, "height": 50,
            "width": 50, "views": {"train": [1, 2], "val": [3], "test": [0]},
            "baselines": TRIVIAL_PSNRS,
        },
        "spec": {**spec.to_json(), "vary": list(objective.vary), "set": {}},
        "space": spec.space.to_json(), "versions": {}, "git": {"commit": "", "dirty": False},
        "command": ["study/run_sweep.py", "--name", name],
    }  # fmt: skip


def _simulate_sweep(objective: Objective, trials: int, seed: int, folder: Path) -> Study:
    """A sweep of another tool, whose first, second and fourth input are correlated."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(trials, len(objective.dimensions)))
    common = rng.normal(size=trials)
    for j in (0, 1, 3):
        # sqrt(r) of a common variable gives each pair of inputs the correlation r.
        latent[:, j] = _CORRELATION**0.5 * common + (1.0 - _CORRELATION) ** 0.5 * latent[:, j]
    units = objective.snap(norm.cdf(latent))
    runs = [run_once(objective, point, rng) for point in units]
    rows = [objective.space.point(point.tolist()) for point in units]
    table = pd.DataFrame(rows).assign(psnr=[run.psnr for run in runs])
    file = folder / f"sweep-{seed}.csv"
    table.to_csv(file, index=False)
    return read_external_study(file, Question(priors=tuple(objective.dimensions))).study
