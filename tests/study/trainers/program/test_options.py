"""A program as a trainer on the command line: what its options may say, and what is wrong."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from nerf.common.errors import InputError
from study import run_sweep
from study.cli.make_plan import make_plan
from study.cli.options import parse_options
from study.cli.plan import Plan
from study.records.provenance import study_document
from study.spec.space import Space
from study.spec.study_file_writer import write_study_file
from study.trainers.program.command import Program
from study.trainers.program.parameter_file import read_parameter_file

PARAMETERS = """
[lr]
default = 1e-3
low = 1e-4
high = 1e-1
log = true
doc = "Of Adam."

[model.width]
default = 64
choices = [32, 64, 128]

[far]
kind = "float"
default = 6
low = 2
high = 8
unit = "m"
label = "far bound"

[white]
default = false
"""
COMMAND = "python train.py --lr {lr} {model.width} {far} {white} {steps} {folder}"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mine.toml").write_text(PARAMETERS)
    (tmp_path / "train.py").write_text("pass")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plan(*options: str, command: str = COMMAND) -> Plan:
    named = [f"--command={command}", "--parameter-file=mine.toml", "--name=a"]
    return make_plan(parse_options([*named, "--metric=psnr", "--direction=max", *options]))


def saved(*options: str, command: str = COMMAND) -> Plan:
    """A study on disk that nothing was run of."""
    made = plan(*options, command=command)
    made.folder.create(study_document("a", made.spec, {}, ["run_sweep.py"]))
    return made


def test_a_parameter_file_declares_types_ranges_and_choices(place: Path) -> None:
    by_path = {p.path: p for p in read_parameter_file(place / "mine.toml")}
    assert {path: p.kind for path, p in by_path.items()} == {
        "lr": "float",
        "model.width": "choice",
        "far": "float",
        "white": "bool",
    }
    assert (by_path["far"].default, by_path["far"].label) == (6.0, "far bound")
    assert str(by_path["lr"].domain) == "0.0001:0.1 (log)"


def test_a_study_of_a_program_varies_what_its_file_declares(place: Path) -> None:
    spec = plan("--set=white=true").spec
    assert [d.path for d in spec.space.dimensions] == ["lr", "model.width", "far"]
    assert (spec.scene, spec.trainer, spec.workdir) == ("", COMMAND, str(place))
    call = spec.space.config({"lr": 0.01, "model.width": 32, "far": 4.0}, seed=3)
    words = call.fill_in({"steps": "300", "folder": "/f"})
    assert words[2:] == ["--lr", "0.01", "32", "4.0", "true", "300", "/f"]


def test_an_empty_word_is_left_out(place: Path) -> None:
    (place / "mine.toml").write_text('[flag]\ndefault = ""\nchoices = ["", "--fp16"]\n')
    call = plan(command="python train.py {flag} x").spec.space.config({"flag": ""})
    assert call.fill_in({}) == ["python", "train.py", "x"]


def test_a_study_is_read_without_its_parameter_file(place: Path) -> None:
    space = plan().spec.space
    (place / "mine.toml").unlink()
    assert Space.from_json(json.loads(json.dumps(space.to_json()))).dimensions == space.dimensions


def test_a_saved_study_file_is_the_same_study(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = plan("--steps=70", "--unit=dB").spec
    write_study_file(place / "study.toml", spec, {})
    monkeypatch.chdir("/")
    options = parse_options(["--study", str(place / "study.toml"), "--name=a"])
    again = make_plan(dataclasses.replace(options, studies=str(place / "studies"))).spec
    assert again == spec


def test_a_study_file_names_files_beside_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "study.toml").write_text(
        f'command = "{COMMAND}"\nparameter_file = "mine.toml"\nworkdir = "."\n'
        'metric = "psnr"\ndirection = "max"\nvary = { lr = "0.001:0.01" }\n'
    )
    monkeypatch.chdir("/")
    options = parse_options(["--study", str(place / "study.toml")])
    assert options.parameter_file == str(place / "mine.toml")
    assert Path(options.workdir or "").resolve() == place.resolve()


def test_a_study_resumes_by_the_command_that_created_it(place: Path) -> None:
    made = saved("--steps=70")
    again = plan("--resume", "--steps=70")
    assert again.spec == made.spec
    assert again.warning == ""
    bare = make_plan(parse_options(["--name=a", "--resume"]))
    assert bare.spec == made.spec


def test_changes_are_noticed(place: Path) -> None:
    saved()
    (place / "train.py").write_text("pass  # faster")
    resume = ["--name=a", "--resume"]
    assert make_plan(parse_options(resume)).warning.endswith("differently: train.py has changed")
    (place / "mine.toml").write_text(PARAMETERS.replace("high = 8", "high = 9"))
    warning = make_plan(parse_options(resume)).warning
    assert warning.endswith(f"{place / 'mine.toml'} and train.py have changed")
    with pytest.raises(InputError, match=r"train\.py have changed; restore that"):
        make_plan(parse_options(["--name=a", "--extend=4"]))
    other = plan("--resume", command=COMMAND.replace("--lr", "--rate"))
    assert "the command and" in other.warning
    assert isinstance(other.spec.space.parameters.trainer, Program)  # type: ignore[attr-defined]
    assert other.spec.space.parameters.trainer.command == other.spec.command  # type: ignore[attr-defined]


def test_a_study_resumes_without_its_parameter_file(place: Path) -> None:
    made = saved()
    (place / "mine.toml").unlink()
    again = make_plan(parse_options(["--name=a", "--resume"]))
    assert (again.spec, again.warning) == (made.spec, "")


def test_a_parameter_that_is_gone_is_named(place: Path) -> None:
    saved()
    (place / "mine.toml").write_text(PARAMETERS.replace("[far]", "[depth]"))
    with pytest.raises(InputError, match="no longer declares far as when"):
        plan("--resume", command=COMMAND.replace("far", "depth"))


def test_help_lists_its_parameters(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_sweep.main([f"--command={COMMAND}", "--parameter-file", "mine.toml", "--help"])
    shown = capsys.readouterr().out
    assert "* far = 6.0   [2:8 m]" in shown
    assert "sampling.near =" not in shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "cannot be read as TOML"),
        ("lr = 0.1", "lr must be a table with a default; write [lr]"),
        ("[lr]\nlow = 1\nhigh = 2", "lr has no default"),
        ("[lr]\ndefault = 1\nlow = 1", "lr has low, but a range needs low and high"),
        ("[lr]\ndefault = 1\nlow = 3\nhigh = 2", "lr: a domain needs finite low < high"),
        ("[lr]\ndefault = 1\nlow = nan\nhigh = 2", "lr: a domain needs finite low < high"),
        ("[lr]\ndefault = 1\nlow = 0\nhigh = 2\nlog = true", "lr: a logarithmic domain needs low"),
        ("[lr]\ndefault = 1\nhgih = 2", "lr has an unknown key hgih; did you mean high?"),
        ("[lr]\ndefault = 1\nlow = '0'\nhigh = 2", "lr: low cannot be '0'"),
        ("[lr]\ndefault = 1\nlow = true\nhigh = 2", "lr: low cannot be True"),
        ("[lr]\ndefault = 1\nchoices = [2, 3]", "lr must be 2, 3; got 1"),
        ("[lr]\ndefault = 1\nchoices = [1]\nlow = 0", "lr has choices, and so no low"),
        ("[lr]\ndefault = 1\nchoices = []", "lr: choices must be plain values, got []"),
        ("[lr]\ndefault = 'a'\nlow = 0\nhigh = 1", "lr is text, which has no range"),
        ("[lr]\nkind = 'int'\ndefault = 0.5\nlow = 0\nhigh = 1", "of kind float, not int"),
        ("[lr]\ndefault = 1", "has no parameter with a range or choices"),
        ("['a b']\ndefault = 1\nlow = 0\nhigh = 2", "must be a name of letters, digits and _"),
        (PARAMETERS + "[folder]\ndefault = ''", "folder is the trial's own folder"),
        (PARAMETERS + "[state]\ndefault = ''", "does not use state"),
    ],
)
def test_a_mistake_in_the_parameter_file_is_one_line(
    text: str, message: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "mine.toml").write_text(text)
    files = [f"--command={COMMAND}", "--parameter-file=mine.toml"]
    assert run_sweep.main([*files, "--metric=psnr", "--direction=max"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (place / "studies").exists()


@pytest.mark.parametrize(
    ("command", "options", "message"),
    [
        (COMMAND + " {lrr}", [], "unknown placeholder {lrr}; did you mean lr?"),
        ("python train.py --lr {lr}", [], "does not use model.width, far, white, which"),
        (COMMAND + " | tee log", [], "run without a shell, to which '|' would be an argument"),
        (COMMAND + " 'a", [], "cannot be split into words: No closing quotation"),
        ("", [], "--command is empty"),
        (COMMAND.replace("python", "pyton3"), [], "there is no program pyton3 on the PATH"),
        (COMMAND.replace("python", "./run"), [], "there is no program ./run in "),
        (COMMAND + " {scene}", [], "--command has {scene}, but there is no --scene"),
        (COMMAND, ["--workdir=nowhere"], "nowhere is not a folder"),
        (COMMAND, ["--trainable=a.py:train"], "leave one of them out"),
        (COMMAND, ["--vary=lrr"], "unknown parameter 'lrr'; did you mean lr?"),
        (COMMAND, ["--vary=far=2:x"], "far"),
        (COMMAND, ["--pack=4"], "--pack trains networks of this project's NeRF as one"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    command: str,
    options: list[str],
    message: str,
    place: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    named = [f"--command={command}", "--parameter-file=mine.toml"]
    assert run_sweep.main([*named, "--metric=psnr", "--direction=max", *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (place / "studies").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([f"--command={COMMAND}"], "--command needs --parameter-file"),
        (["--parameter-file=mine.toml"], "--parameter-file belongs to --command"),
        (["--workdir=."], "--workdir belongs to --command"),
        (
            [f"--command={COMMAND}", "--parameter-file=mine.toml"],
            "--command needs --metric NAME",
        ),
    ],
)
def test_options_that_belong_together(
    options: list[str], message: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_sweep.main(options) == 2
    assert message in capsys.readouterr().err
