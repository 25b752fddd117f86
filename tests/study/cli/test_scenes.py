"""`--scene A --scene B`: what the command line and a study file make of several scenes."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

from nerf.common.errors import InputError
from nerf.scenes import load
from nerf.scenes.scene import Scene
from study.cli.make_plan import make_plan
from study.cli.options import parse_options
from study.cli.plan import Plan
from study.records.provenance import study_document
from study.spec.study_file_writer import write_study_file

_load = functools.cache(load)


@pytest.fixture(autouse=True)
def scenes_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The visual hull of each takes a second."""
    monkeypatch.setattr("study.cli.load_scenes.load", _load)
    monkeypatch.setattr("study.cli.load_scenes.load_saved", lambda s, _, **how: _load(s, **how))


@pytest.fixture(scope="module")
def far_file(ball: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ball twice as large and twice as far away, under the same file name."""
    file = tmp_path_factory.mktemp("other scenes") / "ball.npz"
    poses = ball.world_from_camera.copy()
    poses[:, :3, 3] *= 2
    np.savez(file, images=ball.images, poses=poses, focal=ball.focal[0, 0])
    return file


@pytest.fixture
def new(scene_file: Path, far_file: Path, tmp_path: Path) -> list[str]:
    scenes = ["--scene", str(scene_file), "--scene", str(far_file)]
    return [*scenes, f"--studies={tmp_path}", "--name=both", "--explore=4"]


def plan(*arguments: str) -> Plan:
    return make_plan(parse_options(arguments))


def create(*arguments: str) -> Plan:
    made = plan(*arguments)
    made.folder.create(study_document(made.folder.name, made.spec, made.scenes, []))
    return made


def test_ranges_follow_from_each_scene(new: list[str]) -> None:
    made = plan(*new, "--vary=sampling.near", "--vary=sampling.span=0.8:2:scene")
    assert made.spec.labels == ("ball", "ball-2")
    assert tuple(made.scenes) == made.spec.labels
    near, far = (made.spec.of_scene(label).space for label in made.spec.labels)
    assert far.bounds[0] > 1.5 * near.bounds[0]
    for space in (near, far):
        low, high = space.bounds
        assert space.dimensions[0].high == pytest.approx((low + high) / 2, abs=1e-3)
        assert space.dimensions[1].low == pytest.approx(0.8 * (high - low), abs=1e-3)
    assert made.spec.trials == 2 * (4 + 8 + 12)
    assert "48 trials of 300 steps, 24 on each of 2 scenes" in made.summary
    assert made.notes == []


def test_a_distance_in_numbers_is_named_where_scenes_have_another_scale(new: list[str]) -> None:
    (note,) = plan(*new, "--vary=sampling.near=0.5:2").notes
    assert note.startswith("sampling.near in 0.5 .. 2") or "sampling.near" in note
    assert "is the same distance on every scene" in note
    assert "on ball, " in note
    assert plan(*new, "--vary=field.width=16:32").notes == []


def test_the_file_of_save_study_is_the_same_study(new: list[str], tmp_path: Path) -> None:
    made = plan(*new)
    file = tmp_path / "both.toml"
    write_study_file(file, made.spec, parse_options(new).given())
    again = plan("--study", str(file), f"--studies={tmp_path}", "--name=again")
    assert again.spec == made.spec
    assert '"-inf:0.55:scene"' in file.read_text()


def test_a_study_resumes_with_its_scenes_in_any_order_and_no_others(
    new: list[str], scene_file: Path, far_file: Path
) -> None:
    made = create(*new)
    assert plan(*new, "--resume").spec == made.spec
    name = [part for part in new if "scene" not in part.split("=")[0] and "ball" not in part]
    turned = ["--scene", str(far_file), "--scene", str(scene_file)]
    assert plan(*name, *turned, "--resume").spec == made.spec
    assert plan(*name, "--resume", "--space=quick").spec == made.spec
    with pytest.raises(InputError, match=r"sampling.near=0:0.4:scene differs from the study's"):
        plan(*name, "--resume", "--vary=sampling.near=0:0.4:scene")
    extended = plan(*name[:2], "--extend=2").spec
    assert (extended.explore, extended.trials) == (6, made.spec.trials + 4)
    assert plan(*new, "--extend=2", "--replicates=1").spec.replicates == made.spec.replicates + 1
    for others in (["--scene", str(scene_file)], [*turned, "--scene=bricks"]):
        with pytest.raises(InputError, match=r"--scene .* differs from the study's .*ball.npz, "):
            plan(*name, *others, "--resume")


def test_one_scene_takes_parts_of_its_depth_range_too(scene_file: Path, tmp_path: Path) -> None:
    command = [f"--scene={scene_file}", f"--studies={tmp_path}", "--name=one"]
    vary = "--vary=sampling.near=0:0.4:scene"
    made = create(*command, vary)
    (near,) = made.spec.space.dimensions
    low, high = made.spec.space.bounds
    ends = pytest.approx((low, low + 0.4 * (high - low)), abs=1e-3)
    assert (near.low, near.high) == ends
    assert plan(*command, vary, "--resume").spec == made.spec
    with pytest.raises(InputError, match=r"differs from the study's sampling\.near in"):
        plan(*command, "--vary=sampling.near=0:0.5:scene", "--resume")


def test_a_study_of_one_scene_does_not_resume_with_several(
    new: list[str], scene_file: Path, far_file: Path
) -> None:
    create(*new[2:])
    with pytest.raises(InputError, match=r"--scene .*, .* differs from the study's"):
        plan(*new, "--resume")


def test_a_scene_that_has_changed_is_named(new: list[str]) -> None:
    made = create(*new)
    document = made.folder.read_spec()
    document["scenes"]["ball-2"]["hash"] = "of another scene"
    made.folder.write_spec(document)
    with pytest.raises(InputError, match=r"other scenes0/ball\.npz has changed since study both"):
        plan(*new, "--resume")


@pytest.mark.parametrize(
    ("scenes", "message"),
    [
        (["bricks", "bricks"], "--scene bricks is there twice; name each scene once"),
        (["SCENE", "COPY"], "the scenes ball and ball-2 are the same; name each scene once"),
        (["SCENE", "no-such"], "no scene '.*no-such': not built in and no such path"),
    ],
)
def test_mistakes_leave_nothing_behind(
    scenes: list[str], message: str, scene_file: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy" / "ball.npz"
    copy.parent.mkdir()
    copy.write_bytes(scene_file.read_bytes())
    paths = {"SCENE": str(scene_file), "COPY": str(copy)}
    named = [part for name in scenes for part in ("--scene", paths.get(name, name))]
    with pytest.raises(InputError, match=message):
        plan(*named, f"--studies={tmp_path / 'studies'}", "--name=both")
    assert not (tmp_path / "studies").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("field.width=16:32:scene", "only sampling.near, .* follow from a scene"),
        ("sampling.near=0.4:scene", "must be sampling.near=LOW:HIGH:scene, with two numbers"),
        ("sampling.near=0.4:0.2:scene", "low < high must hold"),
        ("sampling.far=-inf:2:scene", "both ends must be finite"),
        ("sampling.span=-1:2:scene", "above 0"),
        ("sampling.far=0.2:nan:scene", "low < high must hold"),
    ],
)
def test_wrong_parts_of_a_depth_range_are_refused(text: str, message: str, new: list[str]) -> None:
    with pytest.raises(InputError, match=message):
        plan(*new, f"--vary={text}")


def test_a_study_file_may_list_scenes_beside_it(scene_file: Path, tmp_path: Path) -> None:
    (tmp_path / "near.npz").write_bytes(scene_file.read_bytes())
    file = tmp_path / "study.toml"
    file.write_text('scene = ["near.npz", "bricks"]\n')
    named = parse_options(["--study", str(file)]).scenes
    assert [scene.source for scene in named] == [str(tmp_path / "near.npz"), "bricks"]
    file.write_text("scene = [1]\n")
    with pytest.raises(InputError, match="scene must be text, or a list of texts, got"):
        parse_options(["--study", str(file)])
