"""Suggested bounds against scenes whose true distances are known in full."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nerf.scenes import Scene, split_views
from nerf.scenes.bounds.matching import match_points
from nerf.scenes.bounds.suggest import from_distances, with_bounds
from nerf.scenes.bounds.visual_hull import silhouettes, visual_hull
from nerf.scenes.builtin import bricks
from nerf.scenes.builtin.locomotive import build_locomotive
from nerf.scenes.builtin.raytrace import LitModel, camera_rays, first_hits
from nerf.scenes.cameras.canonical_frame import focus_point, to_canonical_frame
from nerf.scenes.cameras.pixel_rays import view_directions

VIEWS, SIZE = 24, 60
FOCAL = 1.38888889 * SIZE


def scene_of(images: np.ndarray, poses: np.ndarray, focal: float) -> Scene:
    views, height, width = images.shape[:3]
    split = split_views(views)
    return Scene(
        name="known",
        source="tests",
        images=images.astype(np.float32),
        world_from_camera=poses.astype(np.float32),
        focal=np.full((views, 2), focal, np.float32),
        centre=np.tile(np.array([width / 2, height / 2], np.float32), (views, 1)),
        background=np.zeros(3, np.float32),
        train=split["train"],
        val=split["val"],
        test=split["test"],
    )


@pytest.fixture(scope="module")
def locomotive_depths() -> tuple[np.ndarray, np.ndarray]:
    """Cameras around the built-in object, and the true distance of each pixel's surface."""
    model, poses = LitModel(build_locomotive(), [], 1), bricks.camera_poses(VIEWS)
    distances = [first_hits(model, camera_rays(pose, FOCAL, SIZE))[0] for pose in poses]
    return poses, np.stack(distances)


@pytest.mark.parametrize("with_alphas", [False, True])
def test_hull_bounds_hold_the_object_tightly(
    locomotive_depths: tuple[np.ndarray, np.ndarray], with_alphas: bool
) -> None:
    poses, distances = locomotive_depths
    hit = np.isfinite(distances)
    images = np.repeat(hit[..., None] * 0.5, 3, axis=-1)
    scene = scene_of(images, poses, FOCAL)
    if with_alphas:  # the same before white, where only the alphas tell
        scene = replace(scene, alphas=hit.astype(np.float32)).with_background("white")
    found = with_bounds(scene)
    near, far = distances[hit].min(), distances[hit].max()
    assert near - 0.4 < found.bounds.near <= near
    # Seen by 18 cameras, none from below, the hull hangs lower than the object.
    assert far <= found.bounds.far < far + 1.2
    assert "hull" in found.bounds.basis


def test_hull_contains_every_surface_point(
    locomotive_depths: tuple[np.ndarray, np.ndarray],
) -> None:
    poses, distances = locomotive_depths
    scene = scene_of(np.repeat(np.isfinite(distances)[..., None], 3, -1), poses, FOCAL)
    masks = silhouettes(scene)
    assert masks is not None
    hull, edge = visual_hull(scene, masks, np.zeros(3), 1.6)
    cubes = {tuple(cube) for cube in np.floor((hull + 1.6) / edge).astype(int)}
    for view in range(0, VIEWS, 3):
        rays = camera_rays(poses[view], FOCAL, SIZE)
        hit = np.isfinite(distances[view])
        surface = rays.origins[:, hit] + distances[view][hit] * rays.directions[:, hit]
        kept = [tuple(cube) in cubes for cube in np.floor((surface.T + 1.6) / edge).astype(int)]
        assert np.mean(kept) > 0.995  # a coordinate may lie on the border of two cubes
    volume = len(hull) * edge**3
    assert volume < 0.3 * 3.2**3


def test_photographs_full_to_the_brim_have_no_silhouette() -> None:
    images = np.random.default_rng(0).uniform(0.1, 1, (VIEWS, 10, 10, 3))
    assert silhouettes(scene_of(images, bricks.camera_poses(VIEWS), 14.0)) is None


def wall(lens: tuple[float, ...] | None) -> tuple[Scene, np.ndarray]:
    """A patterned plane at z = 0 seen from 3 to 5 units above it, and each pixel's distance."""
    draw = np.random.default_rng(4)
    views, height, width = 16, 60, 80
    poses = np.tile(np.eye(4, dtype=np.float32), (views, 1, 1))
    poses[:, :2, 3] = draw.uniform(-0.8, 0.8, (views, 2))
    poses[:, 2, 3] = draw.uniform(3, 5, views)
    scene = scene_of(np.zeros((views, height, width, 3)), poses, 70.0)
    if lens:
        scene = replace(scene, distortion=np.tile(np.array(lens, np.float32), (views, 1)))
    waves, phases = draw.normal(size=(40, 2)) * 8, draw.uniform(0, 6, 40)
    images, distances = [], []
    for view in range(views):
        directions = view_directions(scene, view).astype(np.float64)
        distance = poses[view, 2, 3] / -directions[..., 2]
        ground = poses[view, :2, 3] + distance[..., None] * directions[..., :2]
        pattern = np.sin(ground @ waves.T + phases).sum(-1)
        images.append(np.repeat(0.5 + 0.5 * np.tanh(pattern / 4)[..., None], 3, -1))
        distances.append(distance)
    return replace(scene, images=np.asarray(images, np.float32)), np.stack(distances)


@pytest.mark.parametrize("lens", [None, (-0.2, 0.05, 0.002, -0.003)])
def test_matched_points_lie_on_the_surface(lens: tuple[float, ...] | None) -> None:
    scene, _ = wall(lens)
    points, distances = match_points(scene, 4.0)
    assert len(points) > 100
    wrong = np.abs(points[:, 2]) > 0.35  # half a step of the sweep is 0.13 at 4 units
    assert wrong.mean() < 0.03
    assert 2.7 < np.percentile(distances, 2) < np.percentile(distances, 98) < 6.2


def test_bounds_from_matches_hold_what_the_photographs_show() -> None:
    scene, distances = wall(None)
    bounds = with_bounds(scene).bounds
    assert "matched" in bounds.basis
    assert 0.7 * distances.min() < bounds.near <= distances.min()
    assert distances.max() * 0.95 <= bounds.far < 1.6 * distances.max()


def test_nothing_to_match_gives_a_guess_that_says_so() -> None:
    images = np.full((VIEWS, 20, 20, 3), 0.5)
    bounds = with_bounds(scene_of(images, bricks.camera_poses(VIEWS), 28.0)).bounds
    assert "guess" in bounds.basis
    assert 0 < bounds.near < 4 < bounds.far


def test_percentiles_leave_out_wild_points() -> None:
    distances = np.concatenate([np.linspace(2, 6, 1000), [0.001, 900.0]])
    bounds = from_distances(distances, "points")
    assert bounds.near == pytest.approx(0.9 * 2, abs=0.1)
    assert bounds.far == pytest.approx(1.1 * 6, abs=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_canonical_frame_undoes_any_similarity(seed: int) -> None:
    draw = np.random.default_rng(seed)
    turn = np.linalg.qr(draw.normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    shift, scale = draw.normal(size=3) * 10, draw.uniform(0.01, 100)
    poses = bricks.camera_poses(30).astype(np.float64)
    points = draw.normal(size=(9, 3))
    moved = poses.copy()
    moved[:, :3, :3] = turn @ poses[:, :3, :3]
    moved[:, :3, 3] = scale * poses[:, :3, 3] @ turn.T + shift
    back, back_points, applied = to_canonical_frame(moved, scale * points @ turn.T + shift)
    assert applied * scale == pytest.approx(4 / bricks.CAMERA_DISTANCE, rel=1e-2)
    np.testing.assert_allclose(np.linalg.norm(back[:, :3, 3], axis=1), 4, atol=0.02)
    # Only the turn about the upright axis is free.
    heights = poses[:, 2, 3] * 4 / bricks.CAMERA_DISTANCE
    np.testing.assert_allclose(back[:, 2, 3], heights, atol=0.1)
    np.testing.assert_allclose(
        np.linalg.norm(back_points[:, None] - back[None, :, :3, 3], axis=-1),
        applied * scale * np.linalg.norm(points[:, None] - poses[None, :, :3, 3], axis=-1),
        rtol=1e-6,
    )


def test_look_at_meets_in_the_point_that_all_look_at() -> None:
    poses = bricks.camera_poses(20).astype(np.float64)
    poses[:, :3, 3] += (1, 2, 3)
    np.testing.assert_allclose(focus_point(poses), (1, 2, 3), atol=0.02)


def test_look_at_of_parallel_cameras_is_as_far_as_the_points() -> None:
    poses = np.tile(np.eye(4), (9, 1, 1))
    poses[:, 0, 3] = np.linspace(-1, 1, 9)
    np.testing.assert_allclose(focus_point(poses, np.array([0.1, 0, -7])), (0, 0, -7), atol=0.11)
    spread = poses[:, 0, 3].std()
    np.testing.assert_allclose(focus_point(poses), (0, 0, -4 * spread), atol=1e-6)


def test_look_at_of_cameras_that_look_outward_is_their_middle() -> None:
    poses = bricks.camera_poses(20).astype(np.float64)
    poses[:, :3, :3] *= (-1, 1, -1)
    np.testing.assert_allclose(focus_point(poses), poses[:, :3, 3].mean(0))
