"""The captures of benchmarks/captures.py: their lenses, and what the verdict on them finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from capture.all_cases import CASES
from capture.case import Truth
from capture.lenses import Camera
from capture.reading import Scene
from capture.verdict import LOST, REFUSED, RIGHT, SILENT, UNCLEAR, WRONG, judge
from capture.writing import numbered, shoot

LENSES = {
    "OPENCV": Camera(focal=(112.0, 109.0), k=(0.05, -0.02), p=(0.001, -0.0015)),
    "FULL_OPENCV": Camera(
        focal=(112.0, 109.0), k=(0.6, 0.3, 0.05, 0.9, 0.2, 0.01), p=(0.001, -0.0015)
    ),
    "OPENCV_FISHEYE": Camera(focal=(60.0, 58.0), lens="fisheye", k=(0.03, 0.005, 0.0007, 0.0001)),
}


@pytest.fixture(scope="module")
def truth() -> Truth:
    camera = Camera(24, 18, (27.0, 27.0))
    shots = shoot(numbered("{}", 12), camera=camera)
    return shots.truth(held_out=frozenset({"10", "11"}))


def read_right(truth: Truth) -> Scene:
    """A scene that has exactly the truth."""
    pictures = truth.pictures
    seen = np.concatenate([p.seen for p in pictures])
    arrays = {
        "images": np.stack([p.colours for p in pictures]),
        "directions": np.stack([p.rays for p in pictures]),
        "positions": np.stack([p.position for p in pictures]),
        "valid": np.ones((12, 18, 24), bool),
        "train": np.arange(9),
        "val": np.array([9, 10]),
        "test": np.array([11]),
        "background": np.zeros(3),
        "bounds": np.array([0.9 * seen.min(), 1.1 * seen.max()]),
    }
    return Scene(summary="a scene", arrays=arrays)


def changed(scene: Scene, **arrays: np.ndarray) -> Scene:
    assert scene.arrays is not None
    return replace(scene, arrays=scene.arrays | arrays)


@pytest.mark.parametrize("model", LENSES)
def test_rays_are_those_of_colmap(model: str) -> None:
    pycolmap = pytest.importorskip("pycolmap")
    camera = LENSES[model]
    k = camera.k if model == "OPENCV_FISHEYE" else (*camera.k[:2], *camera.p, *camera.k[2:])
    theirs = pycolmap.Camera(
        model=model, width=96, height=72, params=[*camera.focal, *camera.middle, *k]
    )
    ahead = camera.rays() * (1.0, -1.0, -1.0)
    places = np.asarray(theirs.img_from_cam(ahead.reshape(-1, 3))).reshape(72, 96, 2)
    columns, rows = np.meshgrid(np.arange(96) + 0.5, np.arange(72) + 0.5)
    np.testing.assert_allclose(places, np.stack([columns, rows], -1), atol=1e-6)


def test_the_truth_is_right(truth: Truth) -> None:
    assert judge(read_right(truth), truth).kind == RIGHT


def test_a_moved_and_scaled_scene_is_right(truth: Truth) -> None:
    scene, turn = read_right(truth), np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    positions = 2.5 * scene["positions"] @ turn.T + (3.0, -1.0, 7.0)
    moved = changed(
        scene,
        directions=scene["directions"] @ turn.T,
        positions=positions,
        bounds=2.5 * scene["bounds"],
    )
    assert judge(moved, truth).kind == RIGHT


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("rays", lambda s: changed(s, directions=_bent(s["directions"]))),
        ("positions", lambda s: changed(s, positions=s["positions"] * (1.0, 1.0, 1.05))),
        ("values", lambda s: changed(s, images=s["images"] * 0.97)),
        ("held-out", lambda s: changed(s, train=np.arange(11), val=np.array([], int))),
        ("far", lambda s: changed(s, bounds=s["bounds"] * (1.0, 0.6))),
        ("background", lambda s: changed(s, background=np.ones(3))),
        ("values", lambda s: changed(s, images=s["images"][[0, *range(11)]])),
        ("views", lambda s: changed(s, images=s["images"][:11])),
    ],
)
def test_a_planted_fault_is_found(
    name: str, change: Callable[[Scene], Scene], truth: Truth
) -> None:
    verdict = judge(change(read_right(truth)), truth)
    assert verdict.kind == WRONG
    assert name in str(verdict)


def _bent(rays: np.ndarray) -> np.ndarray:
    """Rays of one view that are 0.1 degrees off in a corner."""
    bent = rays.copy()
    bent[4, :4, :4, 0] += np.radians(0.1)
    return np.asarray(bent / np.linalg.norm(bent, axis=-1, keepdims=True))


def test_pixels_that_must_not_count_are_found(truth: Truth) -> None:
    valid = np.ones((18, 24), bool)
    valid[:5] = False
    masked = replace(truth, pictures=tuple(p.masked(valid) for p in truth.pictures))
    assert "pixels count" in str(judge(read_right(truth), masked))


def test_refusals_are_judged(truth: Truth) -> None:
    refused = Truth(refused=("a.json",))
    assert judge(Scene(error="a.json: has no focal length; add `fl_x`"), refused).kind == REFUSED
    assert judge(Scene(error="a.json: is broken"), refused).kind == UNCLEAR
    assert judge(Scene(error="it is broken; copy it"), refused).kind == UNCLEAR
    assert judge(Scene(error="a.json: is odd; convert it"), truth).kind == LOST
    assert judge(Scene(traceback="Traceback\nKeyError: 'w'"), truth).kind == WRONG


def test_what_must_be_said_is_looked_for(truth: Truth) -> None:
    scene = replace(read_right(truth), notes=("3 frames are there twice",))
    assert judge(scene, replace(truth, mentions=("twice",))).kind == "right, says what was changed"
    assert judge(scene, replace(truth, mentions=("shrunk",))).kind == SILENT


def test_every_kind_has_cases_of_its_own_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60


def test_a_capture_is_written_and_read(tmp_path: Path) -> None:
    from capture.reading import Job, read

    root = Path(__file__).parents[2]
    chosen = [case for case in CASES if case.name in ("val list is test list", "mirrored pose")]
    written = [case.write(tmp_path / case.name) for case in chosen]
    jobs = [Job(source, case.options) for (source, _), case in zip(written, chosen, strict=True)]
    scenes = read(root, jobs, tmp_path)
    kinds = [judge(s, truth).kind for s, (_, truth) in zip(scenes, written, strict=True)]
    assert kinds == ["right, says what was changed", REFUSED]
