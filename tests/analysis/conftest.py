"""Studies with a known objective, written through the same code as real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import pytest
from scipy.stats import qmc

from analysis.findings.analyze_study import Findings, analyze_study
from analysis.surrogate import posterior_draws
from nerf.config.flat import flatten
from nerf.config.parameters import Value
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from study.spec.parse_space import parse_space
from study.spec.replicate_order import replicate_role
from study.spec.space import Space
from tests.analysis.foreign_studies import ACCURACY, accuracy, make_foreign_study

STEPS = 600
Objective = Callable[[Mapping[str, Value]], float]


def near_and_rate(values: Mapping[str, Value]) -> float:
    """PSNR in dB: falls where near cuts the object, peaks at a learning rate of 2e-3."""
    cut = max(0.0, float(values["sampling.near"]) - 3.0)
    octaves = np.log10(float(values["optimisation.learning_rate"]) / 2e-3)
    return 24.0 - 6.0 * cut - 4.0 * octaves**2


DEFAULT_VARY = (
    "sampling.near", "sampling.span", "optimisation.learning_rate",
    "encoding.position_frequencies", "field.density_activation",
)  # fmt: skip


def write_study(
    folder: StudyFolder,
    *,
    explore: int = 32,
    optimize: int = 4,
    replicates: int = 0,
    alternating: int | None = None,
    vary: tuple[str, ...] = DEFAULT_VARY,
    objective: Objective = near_and_rate,
    noise: float = 0.3,
    seed: int = 0,
) -> StudyFolder:
    """A study whose trials score `objective` plus Gaussian noise, and collapse far from the scene.

    Optimise trials begin with the defaults; the others lie near them and every second is pruned.
    The first `alternating` replicates (all, if not given) repeat explored points and the best trial
    other than the defaults in turn; those after them the defaults as well.
    """
    alternating = replicates if alternating is None else alternating
    space = parse_space(vary, {})
    folder.write_spec(_spec(folder.name, space, explore, optimize, replicates, alternating, vary))
    rng = np.random.default_rng(seed)
    units = qmc.Sobol(len(vary), seed=rng).random_base2(max(explore, 1).bit_length())
    scored: list[tuple[float, Mapping[str, Value]]] = []
    for number in range(explore + optimize):
        is_explore = number < explore
        values = dict(space.point(units[number].tolist())) if is_explore else space.defaults()
        pruned = not is_explore and (number - explore) % 2 == 1
        if not is_explore and number > explore:
            values = space.point(rng.uniform(0.3, 0.6, len(vary)).tolist())
        phase = "explore" if is_explore else "optimize"
        psnr = _append(folder, space, number, phase, values, objective(values), noise, pruned, rng)
        if number != explore and not pruned:
            scored.append((psnr, values))
    for index in range(replicates):
        role, turn = replicate_role(index, explore, alternating)
        again = space.defaults()
        if role == "explored":
            again = space.point(units[turn % explore].tolist())
        elif role == "best":
            again = max(scored, key=lambda entry: entry[0])[1]
        number = explore + optimize + index
        _append(folder, space, number, "replicate", again, objective(again), noise, False, rng)
    folder.write_tables()
    return folder


def _append(
    folder: StudyFolder, space: Space, number: int, phase: str, values: Mapping[str, Value],
    clean: float, noise: float, pruned: bool, rng: np.random.Generator,
) -> float:  # fmt: skip
    """Writes one trial; returns its PSNR."""
    collapsed = float(values.get("sampling.near", 0.0)) > 4.5
    psnr = 10.9 if collapsed else clean + noise * rng.normal()
    done = STEPS // 3 if pruned or collapsed else STEPS
    config = flatten(space.config(values))
    config.pop("seed")
    name = trial_id(number)
    state = "pruned" if pruned else "collapsed" if collapsed else "completed"
    row: dict[str, Any] = {
        "trial_id": name, "number": number, "state": state, "seed": number,
        "phase": phase,
        "reason": "density is zero everywhere" if collapsed else "stopped early" if pruned else "",
        "steps_done": done, "budget_steps": STEPS, "psnr": psnr, "ssim": psnr / 40,
        "test_psnr": float("nan") if done < STEPS else psnr - 0.2, "test_ssim": psnr / 41,
        "train_seconds": 10.0 + number % 7, "started": "2026-01-01T00:00:00+00:00",
        "ended": "2026-01-01T00:01:00+00:00", "host": "synthetic", "device": "cpu", **config,
    }  # fmt: skip
    steps = np.linspace(STEPS / 18, done, 18 if done == STEPS else 6).round().astype(int)
    curve = [
        {
            "step": int(step), "seconds": step / 60, "loss": 10 ** (-psnr / 10),
            "psnr": 9.0 + (psnr - 9.0) * (1 - np.exp(-4 * step / STEPS)), "ssim": 0.5,
            "learning_rate": 1e-3,
        }
        for step in steps
    ]  # fmt: skip
    folder.append(row, curve)
    folder.render(name).parent.mkdir(exist_ok=True)
    imageio.imwrite(folder.render(name), _render(psnr, rng))
    return psnr


def _render(psnr: float, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A disc, and beside it the disc under noise of the given PSNR."""
    y, x = np.mgrid[-1:1:50j, -1:1:50j]
    truth = np.clip(np.dstack([1 - x**2 - y**2, 0.7 - x * y, 0.5 + 0.5 * y]), 0, 1)
    render = np.clip(truth + rng.normal(size=truth.shape) * 10 ** (-psnr / 20), 0, 1)
    return (np.concatenate([render, truth], axis=1) * 255).astype(np.uint8)


def _spec(
    name: str,
    space: Space,
    explore: int,
    optimize: int,
    replicates: int,
    alternating: int,
    vary: tuple[str, ...],
) -> dict[str, Any]:
    return {
        "schema": 1, "name": name, "created": "2026-01-01T00:00:00+00:00",
        "scene": {
            "source": "synthetic", "name": "synthetic", "hash": "0" * 64, "height": 50, "width": 50,
            "views": {"train": [1, 2], "val": [3], "test": [0]},
            "baselines": {"black": 5.9, "mean colour": 7.1, "mean image": 8.9},
        },
        "spec": {
            "scene": "synthetic", "explore": explore, "optimize": optimize,
            "replicates": replicates, "alternating_replicates": alternating,
            "steps": STEPS, "seed": 0, "vary": list(vary), "set": {},
        },
        "space": space.to_json(), "versions": {"nerf-study": "0.1.0"},
        "git": {"commit": "", "dirty": False}, "command": ["study/run_sweep.py", "--name", name],
    }  # fmt: skip


@pytest.fixture(scope="session")
def make_study(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., StudyFolder]:
    """`make_study(name, **options of write_study)`: a fresh synthetic study folder."""

    def make(name: str = "synthetic", **options: Any) -> StudyFolder:
        folder = StudyFolder(Path(tmp_path_factory.mktemp("studies")) / name)
        return write_study(folder, **options)

    return make


@pytest.fixture(scope="session")
def study_folder(make_study: Callable[..., StudyFolder]) -> StudyFolder:
    """One ordinary study, shared by the tests that only read it."""
    return make_study()


@pytest.fixture(scope="session")
def study_findings(study_folder: StudyFolder) -> Findings:
    """The findings of `study_folder`, analysed once."""
    return analyze_study(study_folder)


@pytest.fixture(scope="session")
def replicated_findings(make_study: Callable[..., StudyFolder]) -> Findings:
    """A larger study with replicates, analysed once: its report has every section and figure."""
    return analyze_study(
        make_study("replicated", explore=64, optimize=6, replicates=16, alternating=0)
    )


@pytest.fixture(scope="session")
def minimised_findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Another tool's sweep for the lowest val_loss, with repeats, and its learning curves."""
    return analyze_study(make_foreign_study(tmp_path_factory.mktemp("min"), noise=0.15, repeats=12))


@pytest.fixture(scope="session")
def maximised_findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Another tool's sweep for the highest accuracy in per cent, with durations and no curves."""
    folder = tmp_path_factory.mktemp("max")
    return analyze_study(
        make_foreign_study(folder, ACCURACY, accuracy, noise=0.15, seconds=True, curves=False)
    )


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer posterior draws, for tests that do not look at shares and their intervals."""
    monkeypatch.setattr(posterior_draws, "_DRAWS", 16)
