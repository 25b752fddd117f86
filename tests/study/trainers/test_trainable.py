"""Loading a trainer of the user: its parameters, and what is wrong with others."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from nerf.common.errors import InputError
from nerf.config.parameters import Parameter, list_parameters
from study import run_sweep
from study.cli.options import parse_options
from study.spec.space import Space
from study.spec.study_file_writer import write_study_file
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec
from study.trainers.objective import Objective
from study.trainers.parameter_set import DeclaredParameters
from study.trainers.parse_objectives import parse_objectives
from study.trainers.trainable import load_trainable, read_trainable

TOY = str(Path(__file__).with_name("toy.py"))
HEAD = """
from dataclasses import dataclass
from typing import Annotated
from study.trainers import Domain
"""
CLASS = """
@dataclass(frozen=True)
class C:
    lr: Annotated[float, Domain(0.1, 1)] = 0.1
"""


def parameters() -> DeclaredParameters:
    return DeclaredParameters.of(read_trainable(f"{TOY}:train"))


def test_fields_and_those_of_sections_are_parameters() -> None:
    by_path = parameters().by_path
    assert list(by_path) == ["lr", "model.width", "fault", "notes"]
    assert (by_path["model.width"].kind, by_path["model.width"].unit) == ("int", "units")
    assert by_path["fault"].choices[0] == "none"


def test_choices_are_named_as_the_trainer_spells_them() -> None:
    optimiser = Parameter(
        "optimiser", "choice", "Adam", domain=None, choices=("Adam", "SGD"), doc=""
    )
    with pytest.raises(InputError, match="must be one of Adam, SGD; got 'Adm'; did you mean Adam"):
        optimiser.parse("Adm")
    assert optimiser.parse("adam") == "Adam"


def test_a_space_varies_what_has_a_range_or_choices() -> None:
    space = study_space([], ["fault=none"], 20, parameters=parameters())
    assert [d.path for d in space.dimensions] == ["lr", "model.width"]
    config = space.config({"lr": 0.5, "model.width": 8}, seed=3)
    assert (config.lr, config.model.width, config.fault) == (0.5, 8, "none")
    assert space.complete({"lr": 0.5, "model.width": 8}, seed=3)["seed"] == 3


def test_a_space_comes_back_from_json_without_the_code() -> None:
    space = study_space(["lr=0.1:0.5"], [], 20, parameters=parameters())
    read = Space.from_json(space.to_json())
    assert read.dimensions == space.dimensions
    assert read.parameters.by_path == space.parameters.by_path
    assert read.complete({"lr": 0.2}) == space.complete({"lr": 0.2})
    with pytest.raises(InputError, match="is not loaded"):
        read.config({"lr": 0.2})


def test_its_own_rules_hold_in_the_space() -> None:
    with pytest.raises(InputError, match=r"lr above .* needs a width of at most 60"):
        study_space(["lr", "model.width"], ["notes=strict"], 20, parameters=parameters())


def test_a_process_without_the_file_loads_it_by_its_text(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.py"
    file.write_text(HEAD + CLASS + "def train(config: C, run): return {}\n")
    sent = pickle.dumps(DeclaredParameters.of(read_trainable(f"{file}:train")))
    file.unlink()
    load_trainable.cache_clear()
    received = pickle.loads(sent)
    assert received.config({"lr": 0.5}, {}).lr == 0.5


def test_a_package_in_the_folder_of_the_launch_goes_to_the_nodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    assert read_trainable("mine.nets:train").local_packages() == [tmp_path / "mine"]
    assert read_trainable("torch.nn:train").local_packages() == []


def test_a_study_file_states_the_trainer_and_its_space(tmp_path: Path) -> None:
    space = study_space(["lr=0.1:0.5"], ["fault=none"], 20, parameters=parameters())
    objective = Objective("loss", "nats", minimize=True)
    objectives = (objective, Objective("seconds", "s", minimize=True))
    trainable = f"{TOY}:train"
    spec = StudySpec(space=space, trainable=trainable, objectives=objectives, scene="", steps=20)
    write_study_file(tmp_path / "study.toml", spec, {})
    options = parse_options(["--study", str(tmp_path / "study.toml")])
    assert options.trainable == spec.trainable
    assert parse_objectives(options.metric, None, None, "--trainable") == objectives
    again = study_space(
        options.vary, options.set, 20, parameter_defaults=options.defaults, parameters=parameters()
    )
    assert again == space


def test_the_readme_shows_the_example() -> None:
    root = Path(__file__).parents[3]
    example = (root / "examples" / "image_siren.py").read_text()
    assert example in (root / "study/guides/trainers.md").read_text()


def test_comments_do_not_change_its_hash(tmp_path: Path) -> None:
    hashes = set()
    for text in ("x = 1\n", "x = 1  # one\n", "x = 2\n"):
        (tmp_path / "t.py").write_text(text)
        hashes.add(read_trainable(f"{tmp_path / 't.py'}:train").code_hash())
    assert len(hashes) == 2


def test_the_nerf_is_a_trainer_like_others() -> None:
    trainable = read_trainable("study.trainers.nerf_trainer:train")
    own = [path for path, p in list_parameters().items() if not p.sets]
    parameters = DeclaredParameters.of(trainable)
    assert list(parameters.by_path) == own
    assert parameters.steps_path == "optimisation.steps"


@pytest.mark.parametrize(
    ("fields", "path"), [("solver: Solver = Solver()", ""), ("steps: int = 9", "steps")]
)
def test_a_field_steps_takes_the_budget_but_not_that_of_a_section(
    fields: str, path: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\n"
        "@dataclass(frozen=True)\nclass Solver:\n    steps: int = 8\n"
        f"@dataclass(frozen=True)\nclass Config:\n    wide: bool = True\n    {fields}\n"
        "def train(config: Config, run): ...\n"
    )
    parameters = DeclaredParameters.of(read_trainable(f"{tmp_path / 'mine.py'}:train"))
    assert parameters.steps_path == path


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import nowhere", "cannot be imported: ModuleNotFoundError: No module named 'nowhere'"),
        ("\n", "mine.py is empty; write def train(config, run)"),
        ("1 / 0", "(line 1)"),
        ("def trian(config, run): ...", "there is no function train; did you mean trian?"),
        ("def train(config, run): ...", "must be annotated with a frozen dataclass; it has none"),
        ("def train(config: dict, run): ...", "with a frozen dataclass; got dict"),
        ("def train(run): ...", "it has 1 parameters"),
        (
            f"{HEAD}@dataclass(frozen=True)\nclass C:\n    lr: float = 0.1\n"
            "def train(config: C, run): ...",
            "C has no parameter with a range or choices",
        ),
        (
            f"{HEAD}@dataclass(frozen=True)\nclass C:\n    lr: Annotated[float, Domain(0.1, 1)]\n"
            "def train(config: C, run): ...",
            "C needs a default for lr",
        ),
        (
            f"{HEAD}@dataclass(frozen=True)\nclass C:\n    lr: list = ()\n"
            "def train(config: C, run): ...",
            "lr has the type list",
        ),
        (
            f"{HEAD}@dataclass(frozen=True)\nclass C:\n"
            "    state: Annotated[float, Domain(0.1, 1)] = 0.5\ndef train(config: C, run): ...",
            "state is the name of a column of every table",
        ),
    ],
)
def test_a_mistake_is_one_line_and_creates_nothing(
    code: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(code)
    options = [f"--trainable={file}:train", "--metric=loss", "--direction=min"]
    assert run_sweep.main([*options, f"--studies={tmp_path / 'studies'}"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "studies").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([f"--trainable={TOY}:train"], "--trainable needs --metric NAME"),
        (["--trainable=nowhere.py:train"], "nowhere.py cannot be read: No such file or directory;"),
        (["--trainable=train"], "--trainable must be FILE.py:FUNCTION"),
        (
            [f"--trainable={TOY}:train", "--metric=loss", "--direction=min", "--collapse=loss"],
            "--collapse must be METRIC>LIMIT",
        ),
        (
            [f"--trainable={TOY}:train", "--metric=a b", "--direction=min"],
            "--metric must be a name that train() reports",
        ),
        (
            [f"--trainable={TOY}:train", "--metric=loss", "--direction=min", "--vary=lrr"],
            "unknown parameter 'lrr'; did you mean lr?",
        ),
        (
            [f"--trainable={TOY}:train", "--metric=loss", "--direction=min", "--pack=4"],
            "--pack trains networks of this project's NeRF as one",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_sweep.main([*options, f"--studies={tmp_path / 'studies'}"]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "studies").exists()


def test_the_guide_s_study_of_the_nerf_as_a_trainer_is_a_study(tmp_path: Path) -> None:
    guide = Path("study/guides/trainers.md").read_text(encoding="utf-8")
    (options,) = re.findall(r"`(--trainable study\.trainers[^`]*)`", guide)
    assert run_sweep.main([*options.split(), "--save-study", str(tmp_path / "study.toml")]) == 0


def test_help_lists_its_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_sweep.main([f"--trainable={TOY}:train", "--help"])
    shown = capsys.readouterr().out
    assert "* model.width = 16   [4:64 (log) units]" in shown
    assert "sampling.near =" not in shown
