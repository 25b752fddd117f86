"""A study with a plugin, on real processes: made, resumed, extended, reported, its best trained."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from nerf.scenes.scene import Scene
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from study.trainers.objective import Objective
from tests.plugins.surveys import write_survey
from tests.study.sweeps import TINY, end_of, start

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PIECES = ROOT / "tests" / "plugins" / "pieces.py"
SURVEY = ROOT / "examples" / "survey_plugin.py"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, ball: Scene) -> StudyFolder:
    """Six trials in all, with a plugin that lies elsewhere than the study and one for the scene."""
    place = tmp_path_factory.mktemp("plugin")
    write_survey(place / "surveyed", ball)
    (place / "code").mkdir()
    (place / "code" / "mine.py").write_text(PIECES.read_text())
    own = ["--vary=field.hidden_activation=relu,elu", "--vary=elu.alpha", *TINY[:-2]]
    choices = ["--vary=field.density_activation=softplus,steep_softplus", "--plugin=code/mine.py"]
    choices += [f"--plugin={SURVEY}", "--scene=surveyed"]
    choices += ["--metric=edges"]
    budget = ["--explore=4", "--optimise=2", "--replicates=0", "--steps=20", "--name=a"]
    status, output = end_of(start(*own, *choices, *budget, cwd=place))
    assert status == 0, output
    assert "surveyed: survey, 12 views of 24 x 24" in output
    assert f"--plugin {place}/code/mine.py --plugin {SURVEY} --config" in output
    return StudyFolder(place / "studies" / "a")


def plugin_of(study: StudyFolder) -> Path:
    return study.path.parents[1] / "code" / "mine.py"


def run(command: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(ROOT / command), *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, cwd=cwd)


def test_its_choices_and_parameters_are_columns(study: StudyFolder) -> None:
    trials = study.read_trials()
    explored = trials[trials["phase"] == "explore"]
    assert set(explored["field.hidden_activation"]) == {"relu", "elu"}
    assert set(explored["field.density_activation"]) == {"softplus", "steep_softplus"}
    elu = explored[explored["field.hidden_activation"] == "elu"]  # where its parameter acts
    assert elu["elu.alpha"].between(0.5, 2).all()
    assert elu["elu.alpha"].nunique() == len(elu)
    assert (trials["state"] != "failed").all()


def test_its_metric_ranks_the_trials(study: StudyFolder) -> None:
    trials = study.read_trials()
    done = trials[trials["state"] == "completed"]
    assert (done["edges"] > 0).all()
    assert (done["test_edges"] > 0).all()
    assert not done["edges"].equals(done["test_edges"])
    spec = StudySpec.from_json(study.read_spec())
    assert spec.objective == Objective("edges", "%", minimize=True)
    best = tomllib.loads(study.best.read_text())
    lowest = done.loc[done["edges"].idxmin()]
    assert best["field"]["width"] == lowest["field.width"]
    curves = study.read_curves()
    last = curves[curves["trial_id"] == lowest["trial_id"]].iloc[-1]
    assert (last["step"], last["edges"] > 0, last["psnr"] > 0) == (20, True, True)


def test_it_is_reported_without_its_code(study: StudyFolder) -> None:
    document = study.spec_file.read_text()
    recorded, _ = json.loads(document)["spec"]["plugins"]
    assert recorded["file"] == str(plugin_of(study))
    code = plugin_of(study).read_text()
    plugin_of(study).unlink()
    done = run("analysis/report.py", study.path, cwd=study.path)
    assert done.returncode == 0, done.stderr
    page = study.report.read_text()
    assert "ELU" in page, "the label of its parameter"
    assert "edges (%)" in page, "its metric"
    done = run("study/status.py", study.path, cwd=study.path)
    assert done.returncode == 0, done.stderr
    plugin_of(study).write_text(code)


def test_a_resume_names_a_change_and_an_extension_refuses_it(study: StudyFolder) -> None:
    place, plugin = study.path.parents[1], plugin_of(study)
    code = plugin.read_text()
    plugin.write_text(code.replace("F.elu(x, options.alpha)", "F.elu(x, 1.1 * options.alpha)"))
    try:
        status, output = end_of(start("--name=a", "--resume", cwd=place))
        assert status == 0, output
        assert f"warning: study a was created differently: {plugin} has changed" in output
        done = run("study/run_sweep.py", "--name=a", "--extend=2", cwd=place)
        assert (done.returncode, f"{plugin} has changed" in done.stderr) == (2, True)
        plugin.write_text(code.replace('"edges"', '"rims"'))
        done = run("study/run_sweep.py", "--name=a", "--resume", cwd=place)
        lost = "the study's plugins no longer register the metric edges as when it was created"
        assert (done.returncode, lost in done.stderr) == (2, True)
        plugin.unlink()
        done = run("study/run_sweep.py", "--name=a", "--resume", cwd=place)
        assert (done.returncode, f"--plugin {plugin} cannot be read" in done.stderr) == (2, True)
    finally:
        plugin.write_text(code)
    done = run("study/run_sweep.py", "--name=a", "--resume", f"--plugin={PIECES}", cwd=place)
    assert (done.returncode, "is not one of the study's" in done.stderr) == (2, True)
    moved = place / "mine.py"
    moved.write_text(code)
    saved = ["--save-study=again.toml", "--plugin=mine.py"]
    done = run("study/run_sweep.py", "--name=a", "--resume", *saved, cwd=place)
    assert (done.returncode, done.stderr) == (0, "")
    again = run("study/run_sweep.py", "--study=again.toml", "--save-study=twice.toml", cwd=place)
    assert (again.returncode, again.stderr) == (0, "")
    assert (place / "again.toml").read_text() == (place / "twice.toml").read_text()
    assert f'"{moved}"' in (place / "again.toml").read_text()


def test_its_best_is_trained_and_shown_with_the_plugins_alone(
    study: StudyFolder, scene_file: Path
) -> None:
    place = study.path.parents[1]
    common = (f"--scene={scene_file}", f"--config={study.best}", "--steps=10", "--out=run")
    plugins = ("--plugin=code/mine.py", f"--plugin={SURVEY}")
    elu = ("--set=field.hidden_activation=elu", *common)
    done = run("nerf/train.py", *common, cwd=place)
    needed = "the plugins mine.py and survey_plugin.py"
    message = f"{study.best} needs {needed}; add --plugin {plugin_of(study)} --plugin {SURVEY}"
    assert (done.returncode, done.stderr) == (2, f"error: {message}\n")
    assert not (place / "run").exists()
    done = run("nerf/train.py", *plugins, *elu, cwd=place)
    assert done.returncode == 0, done.stderr
    assert f"nerf/video.py run --plugin {place}/code/mine.py --plugin {SURVEY}\n" in done.stdout
    for command in ("nerf/video.py", "nerf/export.py"):
        done = run(command, "run", cwd=place)
        message = f"run needs {needed}; add --plugin {plugin_of(study)} --plugin {SURVEY}"
        assert (done.returncode, done.stderr) == (2, f"error: {message}\n")
    done = run("nerf/video.py", "run", *plugins, "--frames=2", cwd=place)
    assert done.returncode == 0, done.stderr


NEVER = """
from nerf.plugins import register_metric

@register_metric("small", direction="min", smallest=100)
def small(rendered, photograph):
    return 0.0
"""


def test_a_metric_that_is_never_finite_ends_the_study(tmp_path: Path, scene_file: Path) -> None:
    (tmp_path / "mine.py").write_text(NEVER)
    options = [f"--scene={scene_file}", "--plugin=mine.py", "--metric=small"]
    budget = ["--explore=8", "--optimise=0", "--replicates=0", "--steps=20", "--max-concurrent=1"]
    status, output = end_of(start(*options, *budget, *TINY, "--name=n", cwd=tmp_path))
    assert status == 2, output
    assert "no trial reports a finite small (diverged: small is nan at step" in output
    assert not (tmp_path / "studies" / "n").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--plugin=none.py"], "--plugin none.py cannot be read"),
        ([f"--plugin={PIECES}", "--pack=2"], "and the study has plugins; remove --pack"),
        ([f"--plugin={PIECES}", "--vary=elu.alpa"], "did you mean elu.alpha?"),
        ([f"--plugin={PIECES}", "--set=field.hidden_activation=el"], "sine, elu; got 'el'"),
    ],
)
def test_a_mistake_creates_nothing(options: list[str], message: str, tmp_path: Path) -> None:
    done = run("study/run_sweep.py", *options, cwd=tmp_path)
    (line,) = done.stderr.splitlines()
    assert (done.returncode, message in line) == (2, True), line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.soak
def test_the_example_trains(tmp_path: Path, scene_file: Path) -> None:
    example = f"--plugin={ROOT / 'examples' / 'voxel_plugin.py'}"
    chosen = ["--vary=encoding.kind=frequency,voxels", "--vary=voxels.cells", *TINY[:-4]]
    budget = ["--explore=4", "--optimise=0", "--replicates=0", "--steps=20", "--name=voxels"]
    status, output = end_of(start(example, *chosen, *budget, f"--scene={scene_file}", cwd=tmp_path))
    assert status == 0, output
    trials = StudyFolder(tmp_path / "studies" / "voxels").read_trials()
    assert set(trials["encoding.kind"]) == {"frequency", "voxels"}
    assert (trials["state"] != "failed").all()
