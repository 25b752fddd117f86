"""Plugins: what they register, what they may not, and that nothing is left of a wrong one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from nerf.common.errors import InputError
from nerf.config.choices import REGISTRIES
from nerf.config.flat import build, flatten
from nerf.config.parameters import list_parameters
from nerf.config.plugin import load_named, loaded_plugins, require_plugins, unload_plugin
from nerf.config.registry import Registry
from nerf.model.nerf import Nerf
from nerf.scenes import load
from nerf.scenes.scene import Scene
from nerf.training.run import TrainingRun
from tests.plugins.surveys import write_survey
from tests.plugins.unloading import leave_no_plugin

__all__ = ["leave_no_plugin"]

EXAMPLE = Path(__file__).parents[3] / "examples" / "voxel_plugin.py"
SURVEY = EXAMPLE.with_name("survey_plugin.py")
PIECES = Path(__file__).parents[2] / "plugins" / "pieces.py"

SMALL = {
    "field.depth": 1,
    "field.width": 8,
    "optimisation.rays": 16,
    "optimisation.steps": 4,
    "optimisation.warm_up": 0,
    "sampling.coarse": 8,
}

HEAD = """
from dataclasses import dataclass
import torch
from nerf.plugins import *
"""


def write(folder: Path, code: str, name: str = "mine.py") -> str:
    (folder / name).write_text(HEAD + code)
    return str(folder / name)


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.path)
def test_every_built_in_choice_registers_as_a_plugin_s_does(registry: Registry) -> None:
    assert registry.names == registry.built_in
    for name in registry.built_in:
        assert registry.piece(name).name == name
    assert list(registry._pieces) == list(registry.built_in)


def test_pieces_are_choices_and_their_options_parameters() -> None:
    before = list(list_parameters())
    load_named([str(PIECES)])
    parameters = list_parameters()
    assert parameters["field.hidden_activation"].choices[-2:] == ("sine", "elu")
    assert [path for path in parameters if path not in before] == [
        "elu.alpha",
        "gamma.exponent",
        "waves.count",
    ]
    alpha = parameters["elu.alpha"]
    assert (alpha.default, alpha.label, alpha.doc) == (1.0, "ELU's alpha", "Depth of the ELU.")
    with pytest.raises(InputError, match="elu rejects its values: ValueError: alpha must be"):
        build({"elu.alpha": -1.0})
    unload_plugin("pieces.py")
    assert list(list_parameters()) == before
    with pytest.raises(InputError, match=r"unknown parameter 'elu\.alpha'"):
        build({"elu.alpha": 1.0})


def test_a_field_is_made_of_a_plugin_s_pieces() -> None:
    load_named([str(PIECES)])
    chosen = {"field.hidden_activation": "elu", "field.density_activation": "steep_softplus"}
    config = build({**chosen, "field.colour_activation": "hard_sigmoid", "elu.alpha": 0.5})
    assert flatten(config)["elu.alpha"] == 0.5
    field = Nerf(config, torch.Generator().manual_seed(0)).coarse
    assert field.hidden_activation(torch.tensor([-50.0])).item() == pytest.approx(-0.5)
    start = torch.tensor([field.initial_raw_density])
    assert field.density_activation(start).item() == pytest.approx(0.3), "found by bisection"
    _, rgb = field(torch.zeros(2, 3, 3), torch.eye(3)[:2])
    assert rgb.isfinite().all()


def test_a_plugin_s_colour_space_is_rendered_in(ball: Scene) -> None:
    load_named([str(PIECES)])
    run = TrainingRun(build({**SMALL, "field.colour_space": "gamma", "gamma.exponent": 1.5}), ball)
    half = torch.tensor([0.5])
    assert run.model.colour_space.to_light(half).item() == pytest.approx(0.5**1.5)
    ours = TrainingRun(build(SMALL), ball)
    assert run.evaluate().psnr != ours.evaluate().psnr, "of equal weights"


def test_a_run_trains_with_a_plugin_s_encoding_and_schedule(ball: Scene) -> None:
    load_named([str(PIECES)])
    chosen = {"encoding.kind": "waves", "waves.count": 5, "optimisation.schedule": "halves"}
    chosen |= {"optimisation.loss": "smooth"}
    run = TrainingRun(build({**SMALL, **chosen}), ball)
    rates = []
    for _ in range(4):
        run.advance()
        rates.append(run.step.last_learning_rate())
    assert rates == pytest.approx([8e-3, 8e-3, 4e-3, 4e-3])
    assert run.model.coarse.encode_position.features == 5
    again = TrainingRun(run.config, ball)
    again.restore(run.state())
    assert torch.equal(
        again.model.coarse.encode_position.directions, run.model.coarse.encode_position.directions
    )


def test_a_scene_is_read_by_a_plugin_s_format(tmp_path: Path, ball: Scene) -> None:
    folder = write_survey(tmp_path / "surveyed", ball)
    load_named([str(SURVEY)])
    scene = load(str(folder), downscale=2)
    assert scene.summary.startswith("surveyed: survey, 12 views of 12 x 12 (9 train, 1 val, 2 test")
    distances = np.linalg.norm(scene.world_from_camera[:, :3, 3], axis=1)
    np.testing.assert_allclose(distances, 4, rtol=1e-4)
    table = folder / "cameras.csv"
    rows = table.read_text()
    table.write_text(rows.replace("00.png", "../00.png"))
    (folder / "00.png").rename(tmp_path / "00.png")
    with pytest.raises(InputError, match=r"00\.png is outside the scene's folder; copy it there"):
        load(str(folder))
    assert load(str(folder), downscale=2, follow_links=True).focal.shape == (12, 2)
    table.write_text("")
    with pytest.raises(InputError, match=r"survey_plugin\.py raises ValueError: there are no cam"):
        load(str(folder))
    table.write_text("00.png,24,1,0\n")
    with pytest.raises(InputError, match=r"surveyed: the scene format 'survey' of survey_plugin"):
        load(str(folder))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"or a video, survey by --plugin\)"):
        load(str(tmp_path / "empty"))


def test_a_density_that_is_not_reached_is_refused(tmp_path: Path) -> None:
    code = "register_density_activation('low')(lambda x: 0.1 * torch.sigmoid(x))"
    load_named([write(tmp_path, code)])
    config = build({"field.density_activation": "low"})
    with pytest.raises(InputError, match=r"'low' does not reach field\.initial_density=0\.3"):
        Nerf(config, torch.Generator())


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1 / 0", r"cannot be imported: ZeroDivisionError: division by zero \(line 5\)"),
        ("def f(:", r"mine.py is not valid Python: SyntaxError: invalid syntax \(line 5\)$"),
        ("import sys; sys.exit(0)", "cannot be imported: SystemExit: 0"),
        ("x = 1", 'registers nothing; decorate .* such as @register_activation\\("elu"\\)'),
        ("register_activation('relu')(torch.relu)", "activation 'relu' exists already"),
        (
            "register_activation('a')(torch.relu); register_activation('a')(torch.relu)",
            "activation 'a' exists already",
        ),
        ("register_activation('Elu 2')(torch.relu)", "must be lower-case letters, digits and _"),
        (
            "register_activation('sum')(lambda x: x.sum(-1))",
            r"returns the shape \(3,\) for a tensor of the shape \(3, 8\)",
        ),
        ("register_activation('one')(lambda x: 1.0)", "returns float for a tensor"),
        ("register_activation('log')(torch.log)", "returns NaN or infinity"),
        ("register_activation('cut')(lambda x: x.detach())", "a tensor without a gradient"),
        ("register_density_activation('tanh')(torch.tanh)", "a density must be 0 or more"),
        ("register_schedule('text')(lambda progress: 'slow')", "returns 'slow' at 0 of the steps"),
        ("register_schedule('less')(lambda progress: 0.5 - progress)", "return a number, 0 or"),
        ("register_loss('rows')(lambda rgb, target: (rgb - target) ** 2)", "return one number"),
        ("register_loss('nan')(lambda rgb, target: rgb.sum() * float('nan'))", "NaN or infinity"),
        ("register_loss('none')(lambda rgb, target: target.mean())", "without a gradient"),
        ("register_encoding('f')(lambda box, generator: None)", "is not a torch.nn.Module with a"),
        (
            "@register_encoding('e')\nclass E(torch.nn.Module):\n    features = 4\n"
            "    def __init__(self, box, generator): super().__init__()\n"
            "    def forward(self, x): return x",
            r"returns the shape \(5, 3\) for 5 positions; return the shape \(5, 4\)",
        ),
        (
            "@register_encoding('e')\nclass E(torch.nn.Module):\n    features = 3\n"
            "    def __init__(self, box, generator):\n        super().__init__()\n"
            "        self.w = torch.nn.Parameter(torch.randn(3))\n"
            "    def forward(self, x): return x * self.w",
            "draw them from `generator`",
        ),
        ("register_activation('two')(lambda x, y: x)", "raises TypeError"),
        ("register_colour_space('s')(lambda: None)", "with the methods to_light and to_rgb; giv"),
        (
            "@register_colour_space('s')\nclass S:\n    def to_light(self, rgb): return rgb**2\n"
            "    def to_rgb(self, light): return light",
            "changes a colour by 0.25 on its way to light and back",
        ),
        (
            "@register_colour_space('s')\nclass S:\n    def to_light(self, rgb): return rgb**2\n"
            "    def to_rgb(self, light): return light**0.5",
            "has a gradient of NaN or infinity for colours between 0 and 1",
        ),
        (
            "@register_activation('seven')\ndef seven(x, options: int): return x",
            "must be annotated with a frozen dataclass",
        ),
        ("register_scene_format('s')(lambda path: path)", "'s' of mine.py returns PosixPath; retu"),
        ("register_scene_format('s')(lambda path: 1 / 0)", "'s' of mine.py raises ZeroDivisionErr"),
        (
            "register_scene_format('s')(lambda path: Capture('a', path, '', []))",
            "returns a Capture without views",
        ),
        (
            "pose = torch.eye(3).double().numpy()\nregister_scene_format('s')(lambda path: "
            "Capture('a', path, '', [View(path, pose, (1., 1.), (1., 1.))]))",
            r"returns the pose of view 0 as float64 of shape \(3, 3\); make it numbers",
        ),
        (
            "pose = torch.eye(4).double().numpy()\nregister_scene_format('s')(lambda path: "
            "Capture('a', path, '', [View(path, pose, (1., 1.), (1., 1.))]))",
            "'s' of mine.py reads an empty folder as a scene; return None",
        ),
        (
            "register_scene_format('s')(lambda path: None)\n"
            "register_scene_format('s')(lambda path: None)",
            "scene format 's' exists already",
        ),
        (
            "register_metric('psnr', 'max')(lambda a, b: 1.0)",
            "'psnr' has a name with another",
        ),
        (
            "register_metric('host', 'max')(lambda a, b: 1.0)",
            "'host' has a name with another",
        ),
        (
            "register_metric('m', 'max', '1:2')(lambda a, b: 1.0)",
            "must have no colon, got '1:2'",
        ),
        (
            "register_metric('m', 'max')(lambda a, b: 1.0)\nregister_metric('m', 'min')",
            "metric 'm' exists already",
        ),
        ("register_metric('test_b', 'max')(lambda a, b: 1.0)", "'test_b' has a name with another"),
        (
            "register_metric('m', 'down')(lambda a, b: 1.0)",
            "direction='max' or 'min', got 'down",
        ),
        ("register_metric('m', 'min')(lambda a: 1.0)", "metric 'm' of mine.py raises TypeError"),
        (
            "register_metric('m', 'min')(lambda a, b: a - b)",
            "metric 'm' of mine.py raises ValueErr",
        ),
        (
            "register_metric('m', 'min')(lambda a, b: float('nan'))",
            "'m' is nan for two images of",
        ),
        (
            "@dataclass(frozen=True)\nclass C:\n    a: float\n"
            "@register_activation('c')\ndef c(x, options: C): return x",
            "C needs a default for a",
        ),
        (
            "@dataclass(frozen=True)\nclass C:\n    a: list = None\n"
            "@register_activation('c')\ndef c(x, options: C): return x",
            r"c\.a has the type list; use float, int, bool, str",
        ),
        (
            "@dataclass(frozen=True)\nclass C:\n    a: float = 1.0\n"
            "@register_activation('grid')\ndef c(x, options: C): return x",
            "has a section 'grid' already",
        ),
    ],
)
def test_a_mistake_is_named_and_nothing_is_left(code: str, message: str, tmp_path: Path) -> None:
    before = list_parameters()
    with pytest.raises(InputError, match=message) as raised:
        load_named([write(tmp_path, code)])
    assert f"--plugin {tmp_path / 'mine.py'}" in str(raised.value)
    assert loaded_plugins() == ()
    assert list_parameters() == before


def test_a_missing_file_is_named_once() -> None:
    with pytest.raises(InputError) as raised:
        load_named(["nowhere.py"])
    message = "--plugin nowhere.py cannot be read: No such file or directory; give the path of a "
    assert str(raised.value) == f"{message}Python file"


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    files = [write(folder, "") for folder in (tmp_path, tmp_path / "other")]
    with pytest.raises(InputError, match=r"two plugins are called mine\.py"):
        load_named(files)


def test_a_changed_plugin_takes_its_own_place(tmp_path: Path) -> None:
    (old,) = load_named([write(tmp_path, "register_activation('a')(torch.tanh)")])
    load_named([write(tmp_path, "register_activation('b')(torch.tanh)")])
    assert list_parameters()["field.hidden_activation"].choices[-1] == "b"
    (change,) = require_plugins("runs/one", [old])
    assert change == f"{old.file} has changed since runs/one was made with it"
    unload_plugin("mine.py")
    with pytest.raises(InputError, match=r"runs/one needs the plugin mine\.py; add --plugin /"):
        require_plugins("runs/one", [old])


def test_the_readme_shows_the_example() -> None:
    example = EXAMPLE.read_text()
    guide = EXAMPLE.parents[1] / "study/guides/trainers.md"
    assert f"```python\n{example}```" in guide.read_text()
