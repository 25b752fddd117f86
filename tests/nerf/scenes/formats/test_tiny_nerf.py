from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerf.scenes import load


def arrays(**changes: Any) -> dict[str, Any]:
    """A tiny-NeRF archive's arrays: 10 views of 6 x 4."""
    draw = np.random.default_rng(0)
    poses = np.tile(np.eye(4), (10, 1, 1))
    poses[:, :3, 3] = draw.normal(size=(10, 3))
    whole = {"images": draw.random((10, 4, 6, 3)), "poses": poses, "focal": np.array(7.5)}
    return {**whole, **changes}


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_arrays_are_loaded_unchanged(tmp_path: Path, dtype: type) -> None:
    written = arrays(images=arrays()["images"].astype(dtype))
    np.savez_compressed(tmp_path / "small.npz", **written)
    scene = load(str(tmp_path / "small.npz"))
    np.testing.assert_array_equal(scene.images, written["images"].astype(np.float32))
    np.testing.assert_allclose(scene.world_from_camera, written["poses"], atol=1e-6)
    np.testing.assert_array_equal(scene.focal, np.full((10, 2), 7.5))
    np.testing.assert_array_equal(scene.centre, np.tile([3.0, 2.0], (10, 1)))
    assert (scene.background == 0).all()
    assert scene.name == "small"
    assert scene.images[0].dtype == scene.world_from_camera.dtype == np.float32
    assert (scene.train, scene.val, scene.test) == ((1, 2, 3, 5, 6, 7, 9), (4,), (0, 8))


def test_bytes_become_unit_range(tmp_path: Path) -> None:
    images = np.random.default_rng(1).integers(0, 256, (10, 4, 6, 3), np.uint8)
    np.savez(tmp_path / "bytes.npz", **arrays(images=images))
    scene = load(str(tmp_path / "bytes.npz"))
    np.testing.assert_allclose(scene.images, images / 255, atol=1e-7)


def test_hash_depends_on_content_and_not_on_names(tmp_path: Path) -> None:
    for name, focal in (("a", 7.5), ("b", 7.5), ("c", 7.6)):
        np.savez(tmp_path / f"{name}.npz", **arrays(focal=np.array(focal)))
    a, b, c = (load(str(tmp_path / f"{name}.npz")).content_hash for name in "abc")
    assert a == b != c


@pytest.mark.parametrize(
    ("focal", "expected"),
    [
        (np.array([7.5]), (7.5, 7.5)),
        (np.array([7.5, 8.0]), (7.5, 8.0)),
        (np.full(10, 7.5), (7.5, 7.5)),
        (np.tile([7.5, 8.0], (10, 1)), (7.5, 8.0)),
        (np.array(8), (8, 8)),
    ],
)
def test_focal_lengths_of_every_shape(
    tmp_path: Path, focal: np.ndarray, expected: tuple[float, float]
) -> None:
    np.savez(tmp_path / "a.npz", **arrays(focal=focal))
    scene = load(str(tmp_path / "a.npz"))
    np.testing.assert_allclose(scene.focal, np.tile(expected, (10, 1)))


def test_poses_of_three_rows_under_another_name(tmp_path: Path) -> None:
    whole = arrays()
    np.savez(tmp_path / "whole.npz", **whole)
    np.savez(
        tmp_path / "three.npz",
        images=whole["images"],
        c2ws=whole["poses"][:, :3],
        focal=whole["focal"],
        extra=np.zeros(3),
    )
    scene = load(str(tmp_path / "three.npz"))
    assert scene.content_hash == load(str(tmp_path / "whole.npz")).content_hash
    assert scene.notes[0] == "arrays that are not used: extra"


def test_a_file_with_a_split_of_its_own(tmp_path: Path) -> None:
    whole = arrays()
    np.savez(
        tmp_path / "split.npz",
        images_train=whole["images"][:7],
        c2ws_train=whole["poses"][:7],
        images_val=whole["images"][7:],
        c2ws_val=whole["poses"][7:],
        c2ws_test=whole["poses"][:2],
        focal=whole["focal"],
    )
    scene = load(str(tmp_path / "split.npz"))
    assert scene.val == (7, 8, 9)
    assert {*scene.train, *scene.test} == set(range(7))
    assert "c2ws_test" in scene.notes[0]
