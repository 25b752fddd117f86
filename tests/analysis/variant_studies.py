"""Study folders of variants with invented PSNRs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from nerf.config.flat import flatten
from study.records.schema import TRIAL_COLUMNS
from study.records.study_folder import StudyFolder
from study.search.sobol_design import trial_seed
from study.search.variant_design import variant_point
from study.spec.study_file import read_study_file
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec
from study.spec.variants import Variant

PAPER_ABLATION = Path(__file__).parents[2] / "benchmarks" / "paper_ablation.toml"


def paper_spec(repeats: int) -> StudySpec:
    """The study that benchmarks/paper_ablation.toml describes."""
    options = read_study_file(PAPER_ABLATION)
    spec = variant_spec(options["variants"], options["set"], options["steps"])
    return replace(spec, repeats=repeats)


def variant_spec(variants: Sequence[Variant], settings: Sequence[str], steps: int) -> StudySpec:
    space = study_space((), settings, steps, variants)
    space = replace(space, bounds=(2.0, 6.0))
    phases = {"explore": 0, "optimize": 0, "replicates": 0}
    return StudySpec(space, **phases, variants=tuple(variants), steps=steps)


def write_variant_study(
    folder: StudyFolder, spec: StudySpec, psnr: Callable[[str, int], float | None]
) -> StudyFolder:
    """Ends each trial with `psnr(variant, repeat)` dB on validation and test views.

    None for a run that collapsed. NaN leaves the trial out, as if it had not ended.
    """
    folder.create(
        {
            "schema": 1,
            "name": folder.name,
            "created": "2026-01-01T00:00:00+00:00",
            "scene": {"name": "lego", "source": "lego", "hash": "0", "baselines": {"black": 9.0}},
            "spec": spec.to_json(),
            "space": spec.space.to_json(),
            "versions": {},
            "command": ["study/run_sweep.py", "--study", PAPER_ABLATION.name],
        }
    )
    for number in range(spec.trials):
        repeat, place = divmod(number, len(spec.variants))
        value = psnr(spec.variants[place].name, repeat)
        if value is None or value == value:
            folder.append(_row(spec, number, repeat, value), [])
    folder.write_tables()
    return folder


def _row(spec: StudySpec, number: int, repeat: int, value: float | None) -> dict[str, object]:
    seed = trial_seed(spec.seed, repeat)
    row: dict[str, object] = dict.fromkeys(TRIAL_COLUMNS, "")
    row |= flatten(spec.space.config(variant_point(spec, number), seed))
    row |= {
        "trial_id": f"{number:05d}", "number": number, "phase": "variant",
        "state": "collapsed" if value is None else "completed",
        "reason": "density | <dead>" if value is None else "",
        "steps_done": spec.steps, "budget_steps": spec.steps,
        "train_seconds": 360.0, "peak_memory": 400.0,
        "psnr": value, "ssim": value, "test_psnr": value, "test_ssim": value,
        "started": "2026-01-01T00:00:00+00:00", "ended": "2026-01-01T00:01:00+00:00",
    }  # fmt: skip
    return row
