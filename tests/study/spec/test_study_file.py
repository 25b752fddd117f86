"""Study files: the same options as on the command line, and errors that name file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from nerf.common.errors import InputError
from study.cli.options import Options, parse_options
from study.spec.study_file import read_study_file
from study.spec.study_file_writer import write_study_file
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec

SPEC = StudySpec(space=study_space(["field.width"], [], 90), steps=90)

TOML = """
scene = "bricks"
explore = 12
gpus-per-trial = 0.5
[vary]
"sampling.near" = "0.5:3"
field.width = [32, 64]
encoding.position_frequencies = true
[set]
field.depth = 4
field.density_activation = "relu"
"""

YAML = """
scene: bricks
explore: 12
gpus_per_trial: 0.5
vary:
  sampling.near: 0.5:3
  field: {width: [32, 64]}
  encoding.position_frequencies: true
set: {field.depth: 4, field.density_activation: relu}
"""

ARGUMENTS = [
    *("--scene", "bricks", "--explore", "12", "--gpus-per-trial", "0.5"),
    *("--vary", "sampling.near=0.5:3", "--vary", "field.width=32,64"),
    *("--vary", "encoding.position_frequencies"),
    *("--set", "field.depth=4", "--set", "field.density_activation=relu"),
]


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text)
    return file


@pytest.mark.parametrize(("name", "text"), [("a.toml", TOML), ("b.yaml", YAML)])
def test_a_file_gives_the_same_options_as_the_command_line(
    tmp_path: Path, name: str, text: str
) -> None:
    file = write(tmp_path, name, text)
    assert parse_options(["--study", str(file)]) == parse_options(ARGUMENTS)


def test_a_file_names_a_space(tmp_path: Path) -> None:
    file = write(tmp_path, "a.toml", 'space = "wide"')
    assert parse_options(["--study", str(file)]) == parse_options(["--space", "wide"])
    with pytest.raises(InputError, match=r"a.toml: space must be one of quick, wide, got 'wid'"):
        read_study_file(write(tmp_path, "a.toml", 'space = "wid"'))


def test_options_override_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "a.toml", TOML)
    own = ["--explore", "3", "--vary", "field.width=16:32", "--set", "sampling.near=1"]
    options = parse_options(["--study", str(file), *own])
    assert options.explore == 3
    assert options.vary == ("encoding.position_frequencies", "field.width=16:32")
    assert "sampling.near=1" in options.set


def test_zero_counts_as_given_and_a_missing_flag_does_not() -> None:
    options = parse_options(["--explore", "0", "--plain"])
    assert options == Options(explore=0, plain=True)
    assert options.given() == {"explore": 0, "plain": True}
    assert options.spec_fields() == {"explore": 0}


@pytest.mark.parametrize("text", ["two\nlines", 'a "quoted" \\ word', "tab\tand \x7f", "ümlaut"])
def test_any_text_survives_a_study_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a folder" / "study.toml"
    write_study_file(file, SPEC, {"name": text, "patience": 2.5, "plain": True})
    options = read_study_file(file)
    assert (options["name"], options["patience"]) == (text, 2.5)
    assert "plain" not in options


def test_a_scene_path_is_relative_to_the_study_file(tmp_path: Path) -> None:
    write(tmp_path, "mine.npz", "")
    file = write(tmp_path, "a.toml", 'scene = "mine.npz"')
    assert read_study_file(file)["scene"] == str(tmp_path / "mine.npz")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", "explor = 3", "unknown key 'explor'; did you mean explore?"),
        ("a.toml", "explore = 'three'", "explore must be a whole number, got 'three'"),
        ("a.toml", "explore = true", "explore must be a whole number, got True"),
        ("a.toml", "explore = = 3", "is not valid TOML"),
        ("a.toml", "[vary]\n'sampling.naer' = true", "vary: unknown parameter 'sampling.naer'"),
        ("a.toml", "[set]\nfield.width = 'wide'", "set: field.width must be a whole number"),
        ("a.toml", "vary = [3]", "vary must list texts like PATH=..., got 3"),
        ("a.yaml", "explore: [1, 2", "is not valid YAML"),
        ("a.yaml", "explore: 3\nsteps: 9\nexplore: 4", "explore is there twice (line 3)"),
        ("a.yaml", "set: {seed: 1, field: {width: 1, width: 2}}", "width is there twice (line 1)"),
        ("a.yaml", "- 3", "must hold a table of options"),
        ("a.yaml", "# later", "holds no options"),
        ("a.toml", "", "holds no options"),
        ("a.json", "{}", "must end in .toml, .yaml or .yml"),
    ],
)
def test_a_mistake_names_file_and_key(tmp_path: Path, name: str, text: str, message: str) -> None:
    file = write(tmp_path, name, text)
    with pytest.raises(InputError) as raised:
        read_study_file(file)
    assert str(file) in str(raised.value)
    assert message in str(raised.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.toml cannot be read: No such file or directory;"):
        read_study_file(tmp_path / "none.toml")


@pytest.mark.parametrize("pack", ["auto", "16"])
def test_the_number_of_trials_on_a_gpu_is_saved_as_it_was_given(tmp_path: Path, pack: str) -> None:
    given = parse_options(["--pack", pack])
    write_study_file(tmp_path / "a.toml", SPEC, given.given())
    assert parse_options(["--study", str(tmp_path / "a.toml")]).pack == given.pack
