"""The COLMAP reader against COLMAP's own, on a written and on a real reconstruction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nerf.scenes.formats.colmap_files import read_reconstruction
from tests.nerf.scenes.real_scenes import REAL_SCENES, needs_real_scenes
from tests.nerf.scenes.scene_writers import write_colmap

pycolmap = pytest.importorskip("pycolmap")


@pytest.mark.parametrize("text", [False, True])
def test_reconstruction_agrees_with_colmaps_own_reader(tmp_path: Path, text: bool) -> None:
    assert_agrees(write_colmap(tmp_path / "scene", text=text) / "sparse" / "0")


@needs_real_scenes
def test_real_reconstruction_agrees_with_colmaps_own_reader(tmp_path: Path) -> None:
    sparse = Path(REAL_SCENES) / "cup_colmap" / "sparse" / "0"
    assert_agrees(sparse)
    pycolmap.Reconstruction(str(sparse)).write_text(str(tmp_path))
    assert_agrees(tmp_path)


def assert_agrees(sparse: Path) -> None:
    ours, theirs = read_reconstruction(sparse), pycolmap.Reconstruction(str(sparse))
    assert ours.cameras.keys() == set(theirs.cameras.keys())
    for key, camera in theirs.cameras.items():
        our_camera = ours.cameras[key]
        assert our_camera.model == camera.model.name
        assert (our_camera.width, our_camera.height) == (camera.width, camera.height)
        np.testing.assert_allclose(our_camera.parameters, camera.params)
    assert ours.images.keys() == set(theirs.images.keys())
    for key, image in theirs.images.items():
        our_image, pose = ours.images[key], image.cam_from_world()
        assert (our_image.name, our_image.camera) == (image.name, image.camera_id)
        # A quaternion and its negative are the same rotation.
        x, y, z, w = pose.rotation.quat
        assert abs(np.dot(our_image.rotation, (w, x, y, z))) == pytest.approx(1, abs=1e-9)
        np.testing.assert_allclose(our_image.translation, pose.translation, atol=1e-9)
    positions = np.array([p.xyz for p in theirs.points3D.values()])
    np.testing.assert_allclose(np.sort(ours.points, 0), np.sort(positions, 0), atol=1e-9)
    assert len(ours.observations) == sum(p.track.length() for p in theirs.points3D.values())
