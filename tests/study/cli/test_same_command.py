"""The command that created a study resumes and extends it; one that differs is refused.

And a file of `--save-study` is the same study as the command that wrote it.
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
from pathlib import Path

import pytest

from nerf.common.errors import InputError
from study import run_sweep
from study.cli.make_plan import make_plan
from study.cli.options import parse_options
from study.cli.plan import Plan
from study.records.provenance import study_document
from study.records.study_folder import StudyFolder
from study.spec.default_space import DEFAULT_SPACE, SPACES, NamedSpace

pytestmark = pytest.mark.usefixtures("scene_loaded_once")

VARIANTS = """
repeats = 3
set = { "field.width" = 32, "sampling.coarse" = 16 }
[variants."complete"]
[variants."narrow"]
"field.width" = 16
[variants."deep"]
"field.depth" = 6
"""

SWEEP = """
method: bayes
run_cap: 20
metric: {name: psnr, goal: maximize}
parameters:
  optimisation.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.01}
  field.width: {values: [16, 32]}
  field.depth: {value: 3}
"""

TRIALS = sum(SPACES[DEFAULT_SPACE].phases.values())
"""Of a study without options."""

COMMANDS = {
    "default": "",
    "set": "--set field.width=64 --set sampling.coarse=20 --steps 90 --seed 3",
    "set a bound": "--set sampling.near=2.5",
    "set the depth range": "--set sampling.span=2.5 --background black",
    "vary near and span": "--vary sampling.near --vary sampling.span --explore 5",
    "vary far": "--vary sampling.far --set sampling.near=1 --replicates 0 --optimize 3",
    "every kind of range": "--vary field.width=16:64:linear --vary sampling.near=0.5:1.5:step=0.5 "
    "--vary field.density_activation=relu*0.9,softplus*0.1 --vary field.depth "
    "--vary optimisation.learning_rate=0.001:0.01",
    "grid": "--design grid --vary field.width=16,32 --vary field.depth=2:3",
    "part of a grid": "--design grid --vary field.width=16,32 --vary field.depth=2:4 --explore 3",
    "nothing explored": "--explore 0 --optimize 5",
    "the wide space": "--space wide --set field.width=64",
    "launch options": "--max-concurrent 1 --retries 2 --patience 30 --cpus-per-trial 1 --plain",
    "variants": "--study variants.toml",
    "variants and options": "--study variants.toml --steps 70 --repeats 2",
    "a sweep of W&B": "--study sweep.yaml",
}


@pytest.fixture
def place(tmp_path: Path, scene_file: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Options for the scene and the study, run in a folder with both study files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "variants.toml").write_text(VARIANTS)
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    return ["--scene", str(scene_file), "--name", "one"]


def create(arguments: list[str]) -> Plan:
    plan = make_plan(parse_options(arguments))
    plan.folder.create(study_document(plan.folder.name, plan.spec, plan.scenes, []))
    return plan


def extend(arguments: list[str]) -> Plan:
    plan = make_plan(parse_options(arguments))
    assert plan.extended_document
    plan.folder.write_spec(plan.extended_document)
    return plan


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_same_command_resumes_and_extends(command: str, place: list[str]) -> None:
    arguments = [*place, *command.split()]
    new = create(arguments)
    assert make_plan(parse_options([*arguments, "--resume"])).spec == new.spec
    more = str(len(new.spec.variants) or 1)
    if new.spec.design == "grid" and new.spec.explore == new.spec.space.grid_size:
        more = "0 --replicates 2"
    for _ in range(2):  # the second time it has been extended already
        extended = extend([*arguments, "--resume", *f"--extend {more}".split()])
        assert extended.spec.trials > new.spec.trials
        assert make_plan(parse_options([*arguments, "--resume"])).spec == extended.spec


def test_the_command_of_an_earlier_version_with_other_defaults_resumes(place: list[str]) -> None:
    arguments = [*place, "--set", "field.depth=3"]
    plan = create(arguments)
    document = json.loads(plan.folder.spec_file.read_text())
    document["space"]["usual"]["field.depth"] = 7
    document["space"]["fixed"]["sampling.coarse"] = 33
    del document["space"]["dimensions"][-1]
    plan.folder.write_spec(document)
    resumed = make_plan(parse_options([*arguments, "--resume"])).spec
    assert dict(resumed.space.fixed)["sampling.coarse"] == 33


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("--set field.depth=4", r"--set field.depth=4 differs from the study's 3"),
        ("--set field.skip=2", r"--set field.skip=2 differs from the study's 0"),
        ("--set field.width=16", r"--set field.width=16 fixes what the study varies"),
        ("--set sampling.far=6", r"--set sampling.far=6.0 fixes what the study varies"),
        ("--vary field.width=16:65 --vary sampling.span", r"differs from the study's field.width"),
        ("--vary field.width", r"the study varies sampling.span as well"),
        ("--vary field.depth", r"--vary field.depth differs from .* field.depth does not vary"),
        ("--study variants.toml", r"this study has none|variants of the --study file differ"),
        ("--explore 49", r"--explore 49 differs from the study's 48"),
        ("--space wide", r"--space wide differs from what the study varies: field.width in 16:64"),
        ("--steps 9", r"--steps 9 differs from the study's 300"),
    ],
)
def test_another_command_is_refused(command: str, message: str, place: list[str]) -> None:
    own = "--set field.depth=3 --vary field.width=16:64 --vary sampling.span"
    create([*place, *own.split()])
    with pytest.raises(InputError, match=message):
        make_plan(parse_options([*place, *command.split(), "--resume"]))


def test_replicates_of_a_study_file_are_no_further_ones(place: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("replicates = 6")
    arguments = [*place, "--study", "a.toml"]
    create(arguments)
    assert extend([*arguments, "--extend", "2"]).spec.replicates == 6
    assert extend([*arguments, "--extend", "2", "--replicates", "4"]).spec.replicates == 10


def test_without_a_name_the_only_unfinished_study_is_resumed(
    place: list[str], tmp_path: Path
) -> None:
    def named(name: str) -> StudyFolder:
        folder = create([*place[:2], "--name", name]).folder
        folder.journal.touch()
        return folder

    only = named("a")
    assert make_plan(parse_options([*place[:2], "--resume"])).folder == only
    other = named("b")
    with pytest.raises(
        InputError, match=rf"--resume needs --name: .*b \(0/{TRIALS} trials\), a \(0"
    ):
        make_plan(parse_options(["--resume"]))
    with pytest.raises(
        InputError, match=rf"--extend needs --name, one of b \(0/{TRIALS} trials\), a "
    ):
        make_plan(parse_options(["--extend", "1"]))
    for number in range(TRIALS):
        file = other.record_file(f"{number:05d}")
        file.parent.mkdir(exist_ok=True)
        file.touch()
    assert make_plan(parse_options(["--resume"])).folder == only


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_saved_file_is_the_same_study_whatever_the_defaults_are(
    command: str, place: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [*place, *command.split()]
    new = make_plan(parse_options(arguments))
    assert run_sweep.main([*arguments, "--save-study", "saved/whole.toml"]) == 0
    saved = ["--study", "saved/whole.toml"]
    create(arguments)
    monkeypatch.setattr("study.spec.study_space.DEFAULT_SETTINGS", {"field.skip": 1})
    other = NamedSpace("another", ("field.depth",), settings={"field.skip": 1})
    monkeypatch.setitem(SPACES, DEFAULT_SPACE, other)
    spec = make_plan(parse_options([*saved, "--name", "two"])).spec
    space = dataclasses.replace(spec.space, fixed=new.spec.space.fixed)
    assert dict(spec.space.fixed) == dict(new.spec.space.fixed)
    assert dataclasses.replace(spec, space=space) == new.spec
    assert make_plan(parse_options([*saved, "--resume"])).spec == new.spec


def test_a_saved_file_names_the_default_of_every_parameter(
    place: list[str], tmp_path: Path
) -> None:
    assert run_sweep.main([*place, "--save-study", "whole.toml"]) == 0
    text = (tmp_path / "whole.toml").read_text()
    content = tomllib.loads(text)
    assert (content["steps"], content["seed"], content["explore"]) == (300, 0, 96)
    assert content["defaults"]["encoding.position_frequencies"] == 8
    default = '"encoding.position_frequencies" = 8'
    (tmp_path / "other.toml").write_text(text.replace(default, default.replace("8", "5")))
    plan = make_plan(parse_options(["--study", "other.toml"]))
    assert plan.spec.space.defaults()["encoding.position_frequencies"] == 5
    (tmp_path / "less.toml").write_text(text.replace(f"{default}\n", ""))
    with pytest.raises(InputError, match=r"less.toml: defaults must .* lacks encoding.position"):
        parse_options(["--study", "less.toml"])
