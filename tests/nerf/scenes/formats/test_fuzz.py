"""Scenes with any bytes in their files load, or fail soon with one line."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nerf.common.errors import InputError
from nerf.scenes import load
from tests.nerf.scenes.scene_writers import WRITERS, edit_frame, edit_json, write_instant_ngp_jpeg

FUZZED = {**WRITERS, "JPEG": write_instant_ngp_jpeg}


@pytest.fixture(scope="module")
def undamaged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    """A scene of each kind: its folder, and the path in it to load."""
    scenes = {}
    for kind, write in FUZZED.items():
        folder = tmp_path_factory.mktemp("undamaged") / "scene"
        scenes[kind] = folder, str(write(folder).relative_to(folder))
    return scenes


@pytest.mark.parametrize("kind", FUZZED)
@given(
    st.integers(0, 10**6),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=9))),
    st.just(1.0) | st.floats(0, 1),
)
@settings(max_examples=40, deadline=None)
def test_any_damage_loads_or_fails_in_one_line(
    kind: str,
    undamaged: dict[str, tuple[Path, str]],
    which: int,
    edits: list[tuple[float, bytes]],
    kept_share: float,
) -> None:
    original, source = undamaged[kind]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "scene"
        shutil.copytree(original, folder)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        # One image is as good as another; the few other files are damaged more often.
        candidates = [f for f in files if f.parent.name not in ("images", "all")] + files[:1]
        victim = candidates[which % len(candidates)]
        damaged = bytearray(victim.read_bytes())
        for share, content in edits:
            at = int(share * len(damaged))
            damaged[at : at + len(content)] = content
        victim.write_bytes(damaged[: int(kept_share * len(damaged)) + 1])
        try:
            load(str(folder / source))
        except InputError as error:
            message = str(error)
        else:
            message = "loaded"
    assert "\n" not in message


CAMERA_KEYS = (
    *("frames", "w", "h", "fl_x", "fl_y", "cx", "cy", "k1", "k2", "k3", "k4", "k5", "p1"),
    *("camera_angle_x", "camera_angle_y", "x_fov", "camera_model", "is_fisheye"),
    *("equirectangular", "distortion_params", "train_filenames", "test_filenames"),
    *("ply_file_path", "file_path", "transform_matrix", "mask_path"),
)
VALUES = st.one_of(
    st.none() | st.booleans() | st.integers() | st.floats(),
    st.text(max_size=8) | st.just("x" * 300),
    st.lists(st.floats() | st.text(max_size=3) | st.lists(st.floats(), max_size=4), max_size=4),
    st.sampled_from(["images/00.png", "..", "/", "OPENCV_FISHEYE", "FULL_OPENCV"]),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@given(
    st.dictionaries(st.sampled_from(CAMERA_KEYS), VALUES, max_size=3),
    st.dictionaries(st.sampled_from(CAMERA_KEYS), VALUES, max_size=2),
)
@settings(max_examples=60, deadline=None)
def test_any_values_in_a_camera_file_load_or_fail_in_one_line(
    undamaged: dict[str, tuple[Path, str]], of_file: dict[str, Any], of_frame: dict[str, Any]
) -> None:
    folder, source = undamaged["instant-ngp"]
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "scene"
        shutil.copytree(folder, copy)
        edit_frame(copy / "transforms.json", 1, **of_frame)
        edit_json(copy / "transforms.json", **of_file)
        try:
            message = load(str(copy / source)).summary
        except InputError as error:
            message = str(error)
    assert "\n" not in message
