"""examples/nerfacto.py with a program in the place of ns-train, as nerfstudio is not installed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from study.cli.make_plan import make_plan
from study.cli.options import parse_options
from study.trainers.program.failure import ProgramFailed
from tests.study.trainers.program.attempts import Attempts

ROOT = Path(__file__).parents[4]
EXAMPLE = ROOT / "examples" / "nerfacto.py"
FAKE = Path(__file__).parents[1] / "fake_ns_train.py"


def documented_command() -> list[str]:
    """The options in the example's docstring, for this Python and from the repository's root."""
    text = EXAMPLE.read_text().partition("run_sweep.py ")[2].partition("\n\n")[0]
    words = shlex.split(text.replace("\\\n", " "))
    return [word.replace("/PATH/bin/python", sys.executable) for word in words]


@pytest.fixture
def ns_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    file = tmp_path / "bin" / "ns-train"
    file.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} "$@"\n')
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.chdir(ROOT)


def test_the_command_in_its_docstring_is_a_study(ns_train: None, tmp_path: Path) -> None:
    options = parse_options([*documented_command(), f"--studies={tmp_path}", "--name=a"])
    spec = make_plan(options).spec
    assert [d.path for d in spec.space.dimensions] == ["near", "far", "lr", "distortion"]
    assert (spec.steps, spec.objective.metric) == (30000, "psnr")


def test_it_reports_what_ns_train_evaluates_and_resumes(
    ns_train: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = parse_options([*documented_command(), f"--studies={tmp_path}", "--name=a"])
    space = make_plan(options).spec.space
    call = space.config({d.path: space.defaults()[d.path] for d in space.dimensions})
    attempts = Attempts(tmp_path)
    values = dict(call.values)
    monkeypatch.setenv("FAKE_KILLED_AT", "13")
    with pytest.raises(ProgramFailed):
        attempts.run(call.program.command, values, str(ROOT))
    assert attempts.steps == [2, 4, 6, 8, 10, 12]
    end = attempts.run(call.program.command, values, str(ROOT))
    assert (end.state, attempts.steps) == ("completed", [14, 16, 18, 20])
    assert attempts.points[-1]["psnr"] == pytest.approx(20.2 - 0.05, abs=1e-5)
    assert attempts.points[-1]["lpips"] == pytest.approx(0.05, abs=1e-5)
