"""Variants: read from a study file, made a space, checked, saved and read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from nerf.common.errors import InputError
from nerf.training.schedule import evaluation_steps
from study.cli.make_plan import make_plan
from study.cli.options import parse_options
from study.search.variant_design import variant_point
from study.spec.existing_study import with_more_trials
from study.spec.study_file import read_study_file
from study.spec.study_file_writer import write_study_file
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec
from study.spec.variants import Variant, variant_values

FILE = """
repeats = 3
[set]
"field.width" = 16
[variants."complete"]
[variants."no encoding"]
"encoding.kind" = "none"
"encoding.direction_frequencies" = 0
[variants."two passes"]
sampling = { coarse = 8, fine = 8 }
"""

THREE = (
    Variant("complete"),
    Variant("no encoding", (("encoding.kind", "none"), ("encoding.direction_frequencies", 0))),
    Variant("two passes", (("sampling.coarse", 8), ("sampling.fine", 8))),
)


def spec(variants: tuple[Variant, ...] = THREE, repeats: int = 2) -> StudySpec:
    space = study_space((), ("field.width=16",), 10, variants)
    return StudySpec(
        space, explore=0, optimize=0, replicates=0, variants=variants, repeats=repeats, steps=10
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ablation.toml"
    path.write_text(FILE)
    return path


def test_a_study_file_holds_variants_by_name(file: Path) -> None:
    assert read_study_file(file)["variants"] == THREE


def test_each_point_is_its_variant_and_repeats_come_in_blocks() -> None:
    two = spec()
    configs = [two.space.config(variant_point(two, index)) for index in range(6)]
    assert [c.encoding.kind for c in configs] == ["frequency", "none", "frequency"] * 2
    assert [c.sampling.fine for c in configs] == [0, 0, 8] * 2
    assert {c.field.width for c in configs} == {16}
    assert {p: n for p, n in two.planned.items() if n} == {"variant": 6}


def test_only_what_differs_varies() -> None:
    paths = [d.path for d in spec().space.dimensions]
    assert paths == [
        "sampling.coarse", "sampling.fine", "encoding.kind", "encoding.direction_frequencies",
    ]  # fmt: skip


def test_it_survives_study_json() -> None:
    two = spec()
    document = {"spec": two.to_json(), "space": two.space.to_json()}
    assert StudySpec.from_json(document) == two


def test_it_is_extended_by_whole_blocks() -> None:
    assert with_more_trials(spec(), 3).repeats == 3
    for trials in (0, 2, -3):
        with pytest.raises(InputError, match="positive multiple of the study's 3 variants"):
            with_more_trials(spec(), trials)
    with pytest.raises(InputError, match=r"no replicates.*--extend 3 runs every variant"):
        with_more_trials(spec(), 3, replicates=2)


def test_variants_whose_defaults_are_invalid_together_have_a_reference_config() -> None:
    """Depth 4 is the default and a variant's; with the skip of the other it is invalid."""
    deep = Variant("deep", (("field.depth", 8), ("field.skip", 6), ("evaluation.times", 3)))
    shallow = Variant("shallow", (("field.depth", 4), ("field.skip", 3)))
    two = spec((deep, shallow))
    with pytest.raises(InputError, match="0 <= skip < depth"):
        two.space.config(two.space.nearest_defaults())
    assert two.reference_config.field.depth == 8
    assert evaluation_steps(two.reference_config) == (3, 7, 10)


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        (THREE[:1], "at least two"),
        ((*THREE, Variant("again", THREE[1].settings)), "'no encoding' and 'again' are equal"),
        ((*THREE, Variant("odd", (("field.skip", 9),))), "variant 'odd': 0 <= skip < depth"),
        ((*THREE, Variant("near", (("sampling.near", 1.0),))), "sampling.near follows from"),
        ((*THREE, Variant("span", (("sampling.span", 1.0),))), "set sampling.far instead"),
    ],
)
def test_a_mistake_is_one_line(variants: tuple[Variant, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        spec(variants)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--explore", "4"], "runs nothing else"),
        (["--vary", "field.depth"], "remove --vary"),
        (["--repeats", "0"], "--repeats must be at least 1"),
    ],
)
def test_options_that_do_not_go_with_variants(
    file: Path, options: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        make_plan(parse_options(["--study", str(file), "--studies", str(tmp_path), *options]))


def test_the_plan_and_a_saved_file_are_those_of_the_file(file: Path, tmp_path: Path) -> None:
    options = parse_options(["--study", str(file), "--studies", str(tmp_path), "--name", "a"])
    plan = make_plan(options)
    assert (plan.spec.trials, plan.spec.variants, plan.spec.explore) == (9, THREE, 0)
    saved = tmp_path / "saved.toml"
    write_study_file(saved, plan.spec, options.given())
    again = parse_options(["--study", str(saved)])
    assert (again.studies, again.name) == (str(tmp_path), "a")
    assert make_plan(again).spec == plan.spec


def test_a_file_with_an_unknown_parameter_names_the_variant(tmp_path: Path) -> None:
    path = tmp_path / "odd.toml"
    path.write_text('[variants.a]\n"field.widht" = 3\n[variants.b]\n')
    with pytest.raises(InputError, match=r"odd.toml: variants.a: .*did you mean field.width"):
        read_study_file(path)


def test_the_example_of_the_readme_is_a_study(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[3] / "study/guides/spaces.md").read_text()
    example = tmp_path / "ablation.toml"
    example.write_text(readme.partition("```toml\n")[2].partition("```")[0])
    options = parse_options(["--study", str(example), "--studies", str(tmp_path)])
    assert make_plan(options).spec.trials == 9


def test_what_all_variants_set_to_one_value_holds_in_each() -> None:
    variants = (
        Variant("narrow", (("field.width", 16), ("field.depth", 2))),
        Variant("wide", (("field.width", 64), ("field.depth", 2))),
    )
    space = study_space((), (), 10, variants)
    assert [d.path for d in space.dimensions] == ["field.width"]
    for variant in variants:
        assert space.config(variant_values(variant, space)).field.depth == 2
