"""A study of several scenes: every point on each of them, each scene optimised by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.driver.trial_manager import TrialManager
from study.ledger.ledger import Ledger
from study.monitor.progress import study_progress
from study.monitor.wording import progress_line
from study.protocol.messages import Message, Outcome
from study.records.study_folder import StudyFolder
from study.search.sobol_design import explore_point
from study.search.trial_values import scene_of
from study.spec.existing_study import with_more_trials
from study.spec.scenes import StudyScene
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec
from tests.study.trials import curve

BOUNDS = {"small": (2.0, 4.0), "large": (20.0, 60.0)}
SCENES = tuple(StudyScene(f"/{name}.npz", name, ends) for name, ends in BOUNDS.items())
BEST = {"small": 1, "large": 2}
"""The explored point of the highest PSNR on each scene."""


@pytest.fixture
def spec() -> StudySpec:
    space = study_space(["sampling.near", "field.width=16:128"], [], 90)
    return StudySpec(space, "", SCENES, explore=3, optimize=2, replicates=3, steps=90)


@pytest.fixture
def manager(folder: StudyFolder, spec: StudySpec) -> Iterator[TrialManager]:
    document = {"schema": 1, "spec": spec.to_json(), "space": spec.space.to_json()}
    folder.write_spec({**document, "scenes": {name: {} for name in BOUNDS}})
    ledger = Ledger(folder, spec)
    yield TrialManager(folder, ledger, (10,))
    ledger.close()


def complete(manager: TrialManager, count: int = 99) -> None:
    """Completes the next `count` trials; PSNRs are far higher on one scene than on the other."""
    for _ in range(count):
        assignment = manager.next_trial()
        if assignment is None:
            return
        explored = sum(t.user_attrs["phase"] == "explore" for t in manager.ledger.trials())
        point = (explored - 1) // 2 if assignment.phase == "explore" else None
        psnr = (10.0 if assignment.scene == "small" else 30.0) + (point == BEST[assignment.scene])
        outcome = Outcome("completed", steps_done=90, value=psnr, host="here", device="a CPU")
        manager.on_report(Message(assignment.number, "here", "a CPU", curve(5.0, psnr), outcome))


def test_every_point_is_run_on_each_scene_at_the_same_part_of_its_depth_range(
    manager: TrialManager, spec: StudySpec, folder: StudyFolder
) -> None:
    complete(manager)
    trials = manager.ledger.trials()
    phases = ["explore"] * 6 + ["optimize"] * 4 + ["replicate"] * 6
    assert [t.user_attrs["phase"] for t in trials] == phases
    assert [scene_of(t) for t in trials] == ["small", "large"] * 8
    for place in range(3):
        pair = [manager.ledger.assignment(trials[2 * place + i]).values for i in range(2)]
        own = [spec.of_scene(name).space for name in BOUNDS]
        assert pair == [explore_point(space, 0, place, spec.nets) for space in own]
        assert pair[0]["field.width"] == pair[1]["field.width"]
        units = [
            space.dimensions[0].to_unit(values["sampling.near"])
            for space, values in zip(own, pair, strict=True)
        ]
        assert units[0] == pytest.approx(units[1], abs=1e-4)
    folder.write_tables()
    table = folder.read_trials()
    assert list(table["scene"]) == ["small", "large"] * 8
    assert list(table.columns[:4]) == ["trial_id", "number", "phase", "scene"]
    far = table.groupby("scene")["sampling.far"].unique()
    assert {name: list(values) for name, values in far.items()} == {"small": [4.0], "large": [60.0]}


def test_each_scene_repeats_its_own_best_with_the_default_first_of_its_optimised_trials(
    manager: TrialManager, spec: StudySpec
) -> None:
    complete(manager)
    trials = manager.ledger.trials()
    assert [t.user_attrs["baseline"] for t in trials[6:10]] == [True, True, False, False]
    for place, name in enumerate(BOUNDS):
        near = trials[6 + place].params["sampling.near"]
        assert near == BOUNDS[name][0]  # as the scene suggests
        replicates = trials[10 + place :: 2]
        repeated = [
            trials[place].params,
            trials[2 * BEST[name] + place].params,
            trials[6 + place].params,
        ]
        assert [t.params for t in replicates] == repeated
    assert len({t.user_attrs["seed"] for t in trials[10:12]}) == 2


def test_a_sampler_learns_from_the_trials_of_its_scene_alone(
    folder: StudyFolder, spec: StudySpec, tmp_path: Path
) -> None:
    """What TPE proposes on one scene stays the same whatever happened on the other."""
    spec = dataclasses.replace(spec, explore=8)
    proposed = []
    for name, other in (("one", 50.0), ("two", -500.0)):
        ledger = Ledger(StudyFolder(tmp_path / name), spec)
        for _ in range(19):
            assignment = ledger.ask()
            assert assignment
            if assignment.number < 18:
                own = 30.0 - abs(assignment.number - 6)
                psnr = own if assignment.scene == "small" else other + 3 * assignment.number
                ledger.tell(assignment.number, Outcome("completed", "", 90, psnr))
        proposed.append(assignment)
        ledger.close()
    assert proposed[0].scene == "small"
    assert proposed[0].values == proposed[1].values
    assert spec.of_scene("small").space.outside(proposed[0].values) == ()


def test_successive_halving_compares_trials_of_one_scene(manager: TrialManager) -> None:
    ledger = manager.ledger
    complete(manager, 6)  # each reports 5 dB, then 10 or 30
    assert sorted(ledger.reported_from(10, "small")) == [10.0, 10.0, 11.0]
    assert sorted(ledger.reported_from(10, "large")) == [30.0, 30.0, 31.0]
    complete(manager, 2)
    assert sorted(ledger.reported_from(10, "small")) == [10.0, 10.0, 10.0, 11.0]
    small = manager.next_trial()
    assert small
    assert (small.scene, small.may_be_pruned) == ("small", True)
    assert manager.on_report(Message(small.number, "here", "a CPU", curve(5.0, 11.5)))


def test_a_new_driver_goes_on_where_the_last_one_died(
    folder: StudyFolder, spec: StudySpec, manager: TrialManager
) -> None:
    complete(manager, 7)
    left = manager.next_trial()
    manager.ledger.close()
    again = TrialManager(folder, Ledger(folder, spec), (10,))
    assert again.next_trial() == left
    again.ledger.close()


def test_trials_that_a_damaged_journal_lost_come_back_on_their_scenes(
    folder: StudyFolder, spec: StudySpec, manager: TrialManager
) -> None:
    complete(manager)
    before = [(t.number, scene_of(t), t.params, t.values) for t in manager.ledger.trials()]
    manager.ledger.close()
    lines = folder.journal.read_text().splitlines(keepends=True)
    folder.journal.write_text("".join(lines[:2]))
    again = TrialManager(folder, Ledger(folder, spec), (10,))
    assert [(t.number, scene_of(t), t.params, t.values) for t in again.ledger.trials()] == before
    again.ledger.close()


def test_an_extended_study_explores_further_points_on_each_scene(
    folder: StudyFolder, spec: StudySpec, manager: TrialManager
) -> None:
    complete(manager)
    manager.ledger.close()
    longer = with_more_trials(spec, 2)
    assert (longer.trials, longer.planned["explore"]) == (spec.trials + 4, 10)
    ledger = Ledger(folder, longer)
    new = list(iter(ledger.ask, None))
    assert [a.scene for a in new] == ["small", "large"] * 2
    design = [explore_point(spec.of_scene("large").space, 0, i, spec.nets) for i in (3, 4)]
    assert [a.values for a in new[1::2]] == design
    ledger.close()


def test_progress_has_a_best_on_each_scene(manager: TrialManager, spec: StudySpec) -> None:
    complete(manager)
    progress = study_progress(manager.ledger.trials(), spec, {"small": 10.5, "large": 5.0})
    assert [(best.scene, best.number) for best in progress.bests] == [("small", 2), ("large", 5)]
    assert progress.count(outcome="shows nothing") == 7  # on the small scene alone
    assert "best 11.00 dB on small (trial 2), best 31.00 dB on large" in progress_line(
        progress, None
    )


def test_variants_share_a_seed_on_a_scene_and_come_together(
    tmp_path: Path, spec: StudySpec
) -> None:
    from study.spec.variants import Variant, variant_space

    variants = tuple(Variant(str(w), (("field.width", w),)) for w in (16, 32))
    space = variant_space(variants, {"optimisation.steps": 90})
    phases = {"explore": 0, "optimize": 0, "replicates": 0}
    spec = dataclasses.replace(spec, space=space, variants=variants, repeats=2, **phases)
    ledger = Ledger(StudyFolder(tmp_path / "variants"), spec)
    asked = list(iter(ledger.ask, None))
    assert [a.scene for a in asked] == ["small", "small", "large", "large"] * 2
    assert [a.values["field.width"] for a in asked] == [16, 32] * 4
    assert len({a.seed for a in asked[:4]}) == len({a.seed for a in asked[4:]}) == 1
    ledger.close()
