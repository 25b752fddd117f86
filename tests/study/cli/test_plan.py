"""Plans made from options: what a new, a resumed and an extended study will run."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from nerf.common.errors import InputError
from study.cli.make_plan import make_plan
from study.cli.options import Options
from study.records.provenance import study_document
from study.spec.default_space import name_space


@pytest.fixture
def new(tmp_path: Path, scene_file: Path) -> Options:
    return Options(
        scene=str(scene_file),
        studies=str(tmp_path),
        name="one",
        vary=("sampling.near",),
        explore=5,
        replicates=4,
    )


@pytest.fixture
def saved(new: Options) -> Options:
    """The options that find the study of `new`, which is created but has no trials."""
    plan = make_plan(new)
    plan.folder.create(study_document("one", plan.spec, plan.scenes, []))
    return Options(studies=new.studies, name="one")


def test_a_new_study_takes_the_bounds_of_its_scene_and_creates_nothing(new: Options) -> None:
    plan = make_plan(new)
    assert plan.is_new
    assert (plan.spec.explore, plan.spec.optimize) == (5, 8)
    assert plan.spec.space.bounds == pytest.approx(
        (plan.scenes[""].bounds.near, plan.scenes[""].bounds.far), abs=1e-3
    )
    assert not plan.folder.path.exists()
    assert plan.resume_hint.endswith(f"--studies {new.studies} --name one --resume")


def test_a_named_space_brings_its_settings_and_its_number_of_trials(new: Options) -> None:
    named = dataclasses.replace(new, vary=(), explore=None, replicates=None)
    quick = make_plan(named).spec
    wide = make_plan(dataclasses.replace(named, space_name="wide")).spec
    assert (quick.explore, quick.space.config({}).field.width) == (96, 64)
    assert (wide.explore, wide.optimize, wide.replicates) == (48, 8, 12)
    assert wide.space.config(wide.space.defaults()).optimisation.rays == 256
    assert [name_space(each.space) for each in (quick, wide)] == ["quick", "wide"]
    assert name_space(make_plan(new).spec.space) == ""
    own = make_plan(dataclasses.replace(named, explore=5, set=("field.width=32",))).spec
    assert (own.explore, own.space.config({}).field.width) == (5, 32)
    with pytest.raises(InputError, match="--space wide says what varies, and so does --vary"):
        make_plan(dataclasses.replace(new, space_name="wide"))


def test_a_resumed_study_keeps_its_design_and_may_run_differently(saved: Options) -> None:
    plan = make_plan(dataclasses.replace(saved, resume=True, max_concurrent=2))
    assert not plan.is_new
    assert (plan.spec.explore, plan.spec.max_concurrent) == (5, 2)
    assert (plan.extended_document, plan.warning) == (None, "")


def test_an_extended_study_gets_more_trials_and_replicates(saved: Options) -> None:
    plan = make_plan(dataclasses.replace(saved, extend=3, more_replicates=2))
    assert (plan.spec.explore, plan.spec.replicates) == (8, 6)
    assert plan.extended_document
    assert plan.extended_document["spec"]["explore"] == 8


def test_a_grid_explores_all_its_cells_unless_told_how_many(new: Options) -> None:
    vary = ("field.width=32,64", "field.depth=2:4")
    grid = dataclasses.replace(new, design="grid", vary=vary, explore=None)
    spec = make_plan(grid).spec
    assert (spec.explore, spec.optimize, spec.replicates, spec.nets) == (6, 8, 4, 1)
    assert make_plan(dataclasses.replace(grid, explore=4)).spec.explore == 4
    with pytest.raises(InputError, match="more than the 6 cells"):
        make_plan(dataclasses.replace(grid, explore=7))


def test_another_scene_is_refused(saved: Options) -> None:
    plan = make_plan(dataclasses.replace(saved, resume=True))
    plan.folder.write_spec(
        {**plan.folder.read_spec(), "scene": {"hash": "of another scene", "baselines": {}}}
    )
    with pytest.raises(InputError, match="has changed since study one was created"):
        make_plan(dataclasses.replace(saved, resume=True))


@pytest.mark.parametrize("repeats", [1, 3])
def test_repeats_are_of_variants_only(new: Options, saved: Options, repeats: int) -> None:
    for options in (
        dataclasses.replace(new, name="two", repeats=repeats),
        dataclasses.replace(saved, resume=True, repeats=repeats),
    ):
        with pytest.raises(
            InputError, match=r"--repeats \d is for a study of variants.*replicates"
        ):
            make_plan(options)
