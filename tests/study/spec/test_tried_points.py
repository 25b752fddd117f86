"""Points chosen by hand: what `--try` may say, in a new, a saved and an extended study."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from nerf.common.errors import InputError
from study.cli.make_plan import make_plan
from study.cli.options import Options, parse_options
from study.ledger.ledger import Ledger
from study.records.provenance import study_document
from study.records.study_folder import StudyFolder
from study.spec.parse_space import parse_space
from study.spec.study_file_writer import write_study_file
from study.spec.study_spec import StudySpec
from study.spec.tried_points import check_points, describe_outside, parse_points, point_values
from study.trainers.parameter_set import NERF
from tests.study.trainers import toy

TRAINER = f"{Path(toy.__file__)}:train"
TOY = (f"--trainable={TRAINER}", "--metric=loss", "--direction=min", "--explore=4", "--optimise=3")

WRONG = {
    "sampling.near": "takes PATH=VALUE,PATH=VALUE",
    "sampling.naer=2": "unknown parameter 'sampling.naer'; did you mean sampling.near?",
    "sampling.near=two": "sampling.near must be a number, got 'two'",
    "sampling.near=nan": "must be a finite number",
    "sampling.near=1,sampling.near=2": "is there twice",
    "field.density_activation=silu": "must be one of",
    "field.depth=4": "field.depth does not vary in this study; add --vary field.depth",
    "sampling.near=9": "near < far must hold",
    "field.width=-3": "field.width",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_point_is_refused_in_one_line(text: str, spec: StudySpec) -> None:
    with pytest.raises(InputError) as caught:
        check_points(parse_points([text], NERF), spec.space)
    assert WRONG[text] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_point_has_the_defaults_where_it_names_nothing(spec: StudySpec) -> None:
    (point,) = parse_points(["field.width=32"], NERF)
    assert point_values(point, spec.space) == {**spec.space.defaults(), "field.width": 32}
    assert not describe_outside([point], spec.space)
    (outside,) = parse_points(["field.width=300"], NERF)
    (line,) = describe_outside([outside], spec.space)
    assert "--try field.width=300 lies outside what varies (field.width)" in line
    assert parse_points([str(point)], NERF) == (point,)


BRANCHES = ["encoding.kind=frequency,hash", "encoding.hash_levels=2:6", "field.width=16:128"]


def test_a_point_has_values_of_its_own_branch_alone() -> None:
    space = parse_space(BRANCHES, {})
    texts = ["encoding.kind=hash", "encoding.kind=hash,encoding.hash_levels=4", "field.width=32"]
    values = [point_values(point, space) for point in parse_points(texts, NERF)]
    assert values == [
        {"encoding.kind": "hash", "encoding.hash_levels": 8, "field.width": 128},
        {"encoding.kind": "hash", "encoding.hash_levels": 4, "field.width": 128},
        {"encoding.kind": "frequency", "field.width": 32},
    ]
    with pytest.raises(InputError) as caught:
        check_points(parse_points(["encoding.hash_levels=4"], NERF), space)
    assert str(caught.value) == (
        "--try encoding.hash_levels=4: encoding.hash_levels acts only where encoding.kind == "
        "'hash', and encoding.kind is frequency here; leave encoding.hash_levels out, or set "
        "encoding.kind as well"
    )
    (line,) = describe_outside(parse_points(texts, NERF), space)
    assert "--try encoding.kind=hash lies outside what varies (encoding.hash_levels)" in line


def test_points_run_first_to_their_end_and_samplers_learn_from_them(
    folder: StudyFolder, spec: StudySpec
) -> None:
    points = parse_points(["field.width=32", "field.width=64,sampling.near=1.5"], NERF)
    tried = dataclasses.replace(spec, tries=points)
    ledger = Ledger(folder, tried)
    assignments = list(iter(ledger.ask, None))
    ledger.close()
    assert [a.phase for a in assignments[:3]] == ["try", "try", "explore"]
    assert len(assignments) == tried.trials == 9
    assert not any(a.may_be_pruned for a in assignments[:2])
    assert [a.values["field.width"] for a in assignments[:2]] == [32, 64]
    assert [a.is_default_config for a in assignments].index(True) == 5, "still the first optimised"
    assert len(ledger.trials()[0].params) == 3
    assert StudySpec.from_json({"spec": tried.to_json(), "space": tried.space.to_json()}) == tried


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Options]:
    """Options with more arguments, for a saved study without trials."""
    place = (f"--studies={tmp_path}", "--name=one")
    plan = make_plan(parse_options([*TOY, *place, "--try=lr=0.2,model.width=8"]))
    plan.folder.create(study_document("one", plan.spec, {}, []))
    return lambda *arguments: parse_options([*place, *arguments])


def test_the_command_that_made_a_study_resumes_it_and_another_point_is_refused(
    saved: Callable[..., Options],
) -> None:
    resumed = make_plan(saved(*TOY, "--try=lr=0.2,model.width=8", "--resume")).spec
    assert resumed.trials == 8 + StudySpec.replicates
    assert make_plan(saved("--resume")).spec == resumed
    with pytest.raises(InputError, match=r"not among the study's; add it by --extend 0 --try lr="):
        make_plan(saved("--resume", "--try=lr=0.3"))


def test_an_extended_study_gets_further_points(saved: Callable[..., Options]) -> None:
    plan = make_plan(saved("--extend=0", "--try=lr=0.3", "--try=lr=0.2,model.width=8"))
    assert [str(point) for point in plan.spec.tries] == ["lr=0.2,model.width=8", "lr=0.3"]
    with pytest.raises(InputError, match="--extend must be at least 1, got 0"):
        make_plan(saved("--extend=0", "--try=lr=0.2,model.width=8"))
    with pytest.raises(InputError, match="notes does not vary"):
        make_plan(saved("--extend=0", "--try=notes=y,fault=none"))


def test_a_study_file_states_the_points(tmp_path: Path, saved: Callable[..., Options]) -> None:
    plan = make_plan(saved("--resume"))
    file = tmp_path / "one.toml"
    write_study_file(file, plan.spec, {})
    again = make_plan(parse_options([f"--study={file}", f"--studies={tmp_path}", "--name=two"]))
    assert again.spec.tries == plan.spec.tries


def test_variants_take_no_points(tmp_path: Path) -> None:
    file = tmp_path / "variants.toml"
    file.write_text("[variants.a]\nlr = 0.1\n[variants.b]\nlr = 0.2\n")
    options = parse_options([*TOY[:3], f"--study={file}", "--try=lr=0.3"])
    with pytest.raises(InputError, match="write what --try names as a variant"):
        make_plan(options)
