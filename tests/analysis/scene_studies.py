"""Studies of two scenes made in a moment, with a known PSNR at each point of each scene."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from study.driver.trial_manager import TrialManager
from study.ledger.ledger import Ledger
from study.protocol.messages import Assignment, Message, Outcome
from study.records.study_folder import StudyFolder
from study.spec.scenes import StudyScene
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec
from study.spec.variants import Variant, variant_space

BOUNDS = {"small": (2.0, 4.0), "large": (20.0, 60.0)}
SCENES = tuple(StudyScene(f"/{name}.npz", name, ends) for name, ends in BOUNDS.items())
VARIED = ("sampling.near", "field.width=16:128", "optimisation.learning_rate")

Run = Callable[[str, tuple[float, ...], int], Outcome]
"""The outcome of a run by its scene, its place in the unit cube and its number."""


def trained(psnr: float) -> Outcome:
    return Outcome("completed", steps_done=90, value=psnr, host="here", device="a CPU")


def collapsed(psnr: float) -> Outcome:
    return Outcome("collapsed", "density is zero everywhere", steps_done=10, value=psnr)


def write_scenes(path: Path, run: Run, explore: int, replicates: int = 0) -> StudyFolder:
    """A study whose trials end as `run` says, read by `analyze_scenes` like any other."""
    phases = {"explore": explore, "optimize": 1, "replicates": replicates, "steps": 90}
    spec = StudySpec(study_space(VARIED, [], 90), "", SCENES, **phases)
    return _write(path, spec, lambda trial: run(trial.scene, _units(spec, trial), trial.number))


def write_variants(path: Path, run: Callable[[str, int, int], Outcome], seeds: int) -> StudyFolder:
    """A study of the variants base and wide, whose widths are 32 and 64.

    run: the outcome by scene, width and number of the seed
    """
    variants = (Variant("base", (("field.width", 32),)), Variant("wide", (("field.width", 64),)))
    space = variant_space(variants, {"optimisation.steps": 90})
    none = {"explore": 0, "optimize": 0, "replicates": 0, "steps": 90}
    spec = StudySpec(space, "", SCENES, **none, variants=variants, repeats=seeds)
    known: dict[int, int] = {}

    def outcome(trial: Assignment) -> Outcome:
        number = known.setdefault(trial.seed, len(known))
        width = trial.values["field.width"]
        assert isinstance(width, int)
        return run(trial.scene, width, number)

    return _write(path, spec, outcome)


def _write(path: Path, spec: StudySpec, run: Callable[[Assignment], Outcome]) -> StudyFolder:
    folder = StudyFolder(path)
    about = {name: {"name": name, "source": name, "hash": "0" * 64} for name in BOUNDS}
    document = {"schema": 1, "name": path.name, "scene": {}, "created": "2026-11-26"}
    spaces = {"spec": spec.to_json(), "space": spec.space.to_json()}
    folder.write_spec({**document, **spaces, "scenes": about})
    ledger = Ledger(folder, spec)
    manager = TrialManager(folder, ledger, ())
    while assignment := manager.next_trial():
        message = Message(assignment.number, "here", "a CPU", (), run(assignment))
        manager.on_report(message)
    ledger.close()
    folder.write_tables()
    return folder


def _units(spec: StudySpec, assignment: Assignment) -> tuple[float, ...]:
    dimensions = spec.of_scene(assignment.scene).space.dimensions
    return tuple(d.to_unit(assignment.values[d.path]) for d in dimensions)
