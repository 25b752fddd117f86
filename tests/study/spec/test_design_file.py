"""A design in a CSV file: its rows as variants, and each way in which a table can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nerf.common.errors import InputError
from study.cli.make_plan import make_plan
from study.cli.options import parse_options
from study.cli.plan import Plan
from study.records.provenance import study_document
from study.spec.design_file import read_design
from study.spec.study_file_writer import write_study_file
from study.spec.variants import variant_values
from study.trainers.parameter_set import NERF
from tests.study.trainers import toy

TABLE = "name,field.width,field.depth\nfirst,32,2\nsecond,64,2\n"
TRAINER = (f"--trainable={Path(toy.__file__)}:train", "--metric=loss", "--direction=min")

WRONG: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "holds no rows"),
    "a header alone": ("field.width\n\n", "holds no rows"),
    "another column": ("field.widht\n32\n64\n", "unknown parameter 'field.widht'; did you mean"),
    "no parameter": ("name\na\nb\n", "no column with a parameter"),
    "a column twice": ("field.width,field.width\n1,2\n", "the column field.width is there twice"),
    "a type": ("field.width\n32\nwide\n", "line 3: field.width must be a whole number, got 'wide'"),
    "a choice": ("field.density_activation\nrelu\nrele\n", "line 3: field.density_activation must"),
    "nan": (
        "optimisation.learning_rate\n0.01\nnan\n",
        "line 3: optimisation.learning_rate must be",
    ),
    "a value of another branch": (
        "encoding.kind,encoding.hash_levels\nhash,4\nfrequency,4\n",
        "variant 'kind frequency': encoding.hash_levels acts only where encoding.kind",
    ),
    "the default twice": (
        "encoding.kind,encoding.hash_levels\nhash,8\nhash,\n",
        "variants 'hash_levels 8' and 'row 2' are equal",
    ),
    "a short row": ("field.width,field.depth\n32\n", "line 2 has 1 cells, the first line 2"),
    "decimal commas": ("optimisation.learning_rate\n0,01\n", "numbers take a point, as 0.5"),
    "quoted decimal commas": ('optimisation.learning_rate\n"0,01"\n', "write a point"),
    "semicolons": ("field.width;field.depth\n32;2\n", "has semicolons between its cells"),
    "tabs": ("field.width\tfield.depth\n32\t2\n", "has tabs between its cells"),
    "a workbook": (b"PK\x03\x04\xff\xfe", "not UTF-8 text"),
    "an open quote": ('field.width\n"32\n64\n', "line"),
    "equal rows": ("field.width\n32\n64\n32\n", "lines 2 and 4 are equal"),
    "a name twice": ("name,field.width\na,32\na,64\n", "line 2: the name 'a' is there twice"),
    "no name": ("name,field.width\na,32\n,64\n", "line 3: the name is empty"),
    "steps": ("optimisation.steps\n10\n20\n", "optimisation.steps cannot be a column"),
    "a seed": ("seed\n1\n2\n", "--repeats gives rows their seeds"),
    "one row": ("field.width\n32\n", "needs at least two of them"),
    "a refused value": ("field.width\n32\n-64\n", "width"),
    "a derived parameter": ("sampling.span\n2\n3\n", "set sampling.far instead"),
}


@pytest.fixture
def plan_of(tmp_path: Path) -> Callable[..., Plan]:
    def make(content: str | bytes, *arguments: str) -> Plan:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "rows.csv").write_bytes(data)
        place = (f"--studies={tmp_path / 'studies'}", "--name=one")
        return make_plan(parse_options([f"--design={tmp_path / 'rows.csv'}", *place, *arguments]))

    return make


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_table_is_one_line_and_nothing_is_created(
    wrong: str, plan_of: Callable[..., Plan], tmp_path: Path
) -> None:
    content, message = WRONG[wrong]
    with pytest.raises(InputError) as caught:
        plan_of(content)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "studies").exists()


def test_rows_are_variants_with_the_names_in_the_table(
    plan_of: Callable[..., Plan], scene_loaded_once: None
) -> None:
    spec = plan_of(TABLE, "--repeats=3").spec
    assert [variant.name for variant in spec.variants] == ["first", "second"]
    assert spec.trials == spec.planned["variant"] == 6
    assert [d.path for d in spec.space.dimensions] == ["field.width"]
    assert spec.reference_values["field.depth"] == 2


@pytest.mark.parametrize(
    "written",
    [
        TABLE.encode("utf-8-sig"),
        TABLE.replace("\n", "\r\n").encode(),
        f"\n{TABLE}\n,,\n\n".encode(),
        b'"name", "field.width",field.depth \n"first",32,2\nsecond, 64,2',
    ],
)
def test_the_same_table_as_programs_write_it(tmp_path: Path, written: bytes) -> None:
    for name, content in (("plain.csv", TABLE.encode()), ("other.csv", written)):
        (tmp_path / name).write_bytes(content)
    plain, other = (read_design(tmp_path / name, NERF) for name in ("plain.csv", "other.csv"))
    assert plain == other


def test_rows_without_names_are_called_by_what_differs(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("field.width,field.depth,field.skip\n32,2,1\n64,2,1\n")
    assert [variant.name for variant in read_design(file, NERF)] == ["width 32", "width 64"]
    paths = ("field.width", "field.depth", "sampling.coarse", "optimisation.rays")
    file.write_text("\n".join([",".join(paths), "1,1,1,1", "2,2,2,2"]))
    assert [variant.name for variant in read_design(file, NERF)] == ["row 1", "row 2"]


def test_an_empty_cell_is_the_default_or_what_the_study_fixes(
    plan_of: Callable[..., Plan], scene_loaded_once: None
) -> None:
    table = "encoding.kind,encoding.hash_levels,field.width\nfrequency,,32\nhash,4,\nhash,,32\n"
    spec = plan_of(table, "--set=field.width=64").spec
    assert [v.name for v in spec.variants] == [
        "kind frequency, width 32", "kind hash, hash_levels 4", "kind hash, width 32"
    ]  # fmt: skip
    points = [variant_values(variant, spec.space) for variant in spec.variants]
    assert [point["encoding.hash_levels"] for point in points] == [8, 4, 8]
    assert [point["field.width"] for point in points] == [32, 64, 32]


def test_a_saved_table_is_rerun_resumed_and_extended_without_its_file(
    plan_of: Callable[..., Plan], tmp_path: Path
) -> None:
    table = "lr,model.width\n0.1,8\n0.2,8\n0.2,16\n"
    plan = plan_of(table, *TRAINER, "--repeats=2")
    assert plan.spec.variants[0].name == "lr 0.1, width 8"
    write_study_file(tmp_path / "again.toml", plan.spec, {})
    plan.folder.create(study_document("one", plan.spec, {}, []))
    assert plan_of(table, "--resume").spec == plan.spec
    with pytest.raises(InputError, match="rows of --design or variants of --study differ"):
        plan_of(table + "0.3,8\n", "--resume")
    (tmp_path / "rows.csv").unlink()
    place = (f"--studies={tmp_path / 'studies'}", "--name=one")
    assert make_plan(parse_options([*place, "--extend=3"])).spec.planned["variant"] == 9
    again = parse_options([f"--study={tmp_path / 'again.toml'}", place[0], "--name=two"])
    assert make_plan(again).spec.variants == plan.spec.variants


def test_a_study_file_may_name_a_table_beside_it(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("lr\n0.1\n0.2\n")
    file = tmp_path / "study.toml"
    file.write_text('design = "rows.csv"\nrepeats = 2\n')
    options = parse_options([*TRAINER, f"--study={file}", f"--studies={tmp_path}", "--name=one"])
    assert make_plan(options).spec.trials == 4
