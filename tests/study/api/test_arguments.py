"""Python values become the options of `run_sweep.py`."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerf.common.errors import InputError
from study import Study
from study.api.arguments import list_options, to_arguments
from study.api.study_options import StudyOptions
from study.cli.options import parse_options
from study.trainers import Domain
from tests.study.api import slow

OF_CREATE = {"trainable", "vary", "set"}


def test_every_option_of_the_command_is_a_typed_argument() -> None:
    typed = StudyOptions.__annotations__.keys() | OF_CREATE
    known = list_options().keys() - {"optimize", "allow_changes"}
    assert typed - known == set(), "no option of run_sweep.py"
    assert known - typed == set(), "add these to study/api/study_options.py"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((1e-4, 1e-1), "lr=0.0001:0.1"),
        ((1, 8), "lr=1:8"),
        ((np.float64(0.1), np.float32(0.5)), "lr=0.1:0.5"),
        ([16, 32], "lr=16,32"),
        (["relu", "softplus"], "lr=relu,softplus"),
        ([True, False], "lr=true,false"),
        ({"a": 0.9, "b": 0.1}, "lr=a*0.9,b*0.1"),
        (range(2, 9, 2), "lr=2:8:linear:step=2"),
        (Domain(1e-4, 1e-1, log=True), "lr=0.0001:0.1:log"),
        ("0.5:4:step=0.5", "lr=0.5:4:step=0.5"),
        (None, "lr"),
    ],
)
def test_ranges(value: Any, text: str) -> None:
    assert to_arguments({"vary": {"lr": value}}) == [f"--vary={text}"]


def test_options_whose_names_are_words_of_python() -> None:
    assert to_arguments({"try_": {"lr": 0.5, "width": 8}}) == ["--try=lr=0.5,width=8"]
    assert to_arguments({"try_": [{"lr": 0.5}, "width=4"], "from_": ["a", "b"]}) == [
        "--try=lr=0.5",
        "--try=width=4",
        "--from=a",
        "--from=b",
    ]


@pytest.mark.parametrize("value", [3, (1, 2, 3), ("a", "b"), {1, 2}, range(0), ["a,b"], [object()]])
def test_what_is_no_range_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match="lr"):
        to_arguments({"vary": {"lr": value}})


def test_options_are_parsed_as_those_of_the_command(tmp_path: Path) -> None:
    given = {
        "trainable": slow.train,
        "vary": {"lr": (0.1, 0.5)},
        "set": {"width": 16},
        "metric": "loss",
        "direction": "min",
        "collapse": ["loss>10@5"],
        "explore": 4,
        "optimise": 0,
        "gpus_per_trial": None,
        "follow_links": False,
        "studies": tmp_path,
        "patience": 30,
        "seed": np.int64(3),
    }
    options = parse_options(to_arguments(given))
    assert options.trainable == "tests.study.api.slow:train"
    assert (options.vary, options.set) == (("lr=0.1:0.5",), ("width=16",))
    assert (options.collapse, options.explore, options.optimize) == (("loss>10@5",), 4, 0)
    assert (options.patience, options.seed, options.follow_links) == (30.0, 3, None)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"explor": 3}, "unknown argument 'explor'; did you mean explore?"),
        ({"resume": True}, "unknown argument 'resume'"),
        ({"explore": "many"}, "--explore must be a whole number such as 10, got 'many'"),
        ({"explore": [1, 2]}, "explore takes one value"),
        ({"explore": -1}, "--explore must be 0 or more, got -1"),
        ({"steps": {"a": 1}}, "steps takes no dict"),
        ({"follow_links": "yes"}, "follow_links must be True or False"),
        ({"vary": {"lrr": None}}, "unknown parameter 'lrr'; did you mean lr?"),
        ({"metric": None}, "--trainable needs --metric NAME"),
    ],
)
def test_a_mistake_is_the_commands_one_line(
    given: dict[str, Any], message: str, tmp_path: Path
) -> None:
    usual = {
        "trainable": slow.train,
        "metric": "loss",
        "direction": "min",
        "studies": tmp_path / "s",
    }
    with pytest.raises(InputError) as caught:
        Study.create(**(usual | given))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    "function",
    [
        lambda config, run: None,
        functools.partial(slow.train),
        functools.cache(slow.train),
        slow.Config,
    ],
)
def test_a_trainer_that_no_file_defines_is_refused(function: Any) -> None:
    with pytest.raises(InputError):
        to_arguments({"trainable": function})


def test_a_function_of_a_prompt_names_the_way_out() -> None:
    space: dict[str, Any] = {"__name__": "at_a_prompt"}
    sys.modules["at_a_prompt"] = type(sys)("at_a_prompt")
    exec("def train(config, run): ...", space)
    with pytest.raises(InputError, match=r"%%writefile my_trainer.py"):
        to_arguments({"trainable": space["train"]})


def test_a_script_without_a_guard_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        Path(slow.__file__).read_text()
        + "\nfrom study import Study\n"
        + "Study.create(trainable=train, metric='loss', direction='min')\n"
    )
    command = [sys.executable, str(script)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert 'put that below if __name__ == "__main__":' in done.stderr


def test_the_package_is_cheap_to_import() -> None:
    code = "import sys, study; print(*{'numpy', 'pandas', 'ray', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.stdout.strip(), done.stderr) == ("", "")
