"""Whatever bytes a scene's files hold, it is read or refused, soon and in one line."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nerf.common.errors import InputError
from nerf.scenes import load
from tests.nerf.scenes import scene_writers

KINDS: dict[str, Callable[[Path], Path]] = {
    "tiny-NeRF": scene_writers.write_tiny_nerf,
    "Blender": scene_writers.write_blender,
    "transforms": scene_writers.write_instant_ngp,
    "COLMAP": scene_writers.write_colmap,
    "COLMAP text": lambda folder: scene_writers.write_colmap(folder, text=True),
    "LLFF": scene_writers.write_llff,
    "JPEG": scene_writers.write_instant_ngp_jpeg,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    """A whole scene of each kind: its folder, and what to load within it."""
    found = {}
    for kind, make in KINDS.items():
        folder = tmp_path_factory.mktemp("whole") / "scene"
        found[kind] = folder, str(make(folder).relative_to(folder))
    return found


@pytest.mark.parametrize("kind", KINDS)
@given(
    st.integers(0, 10**6),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=9))),
    st.just(1.0) | st.floats(0, 1),
)
@settings(max_examples=40)
def test_any_damage_is_read_or_refused(
    kind: str,
    whole: dict[str, tuple[Path, str]],
    which: int,
    edits: list[tuple[float, bytes]],
    kept: float,
) -> None:
    original, source = whole[kind]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "scene"
        shutil.copytree(original, folder)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        # One picture is as good as another; the few other files are damaged more often.
        kinds = [f for f in files if f.parent.name not in ("images", "all")] + files[:1]
        victim = kinds[which % len(kinds)]
        damaged = bytearray(victim.read_bytes())
        for share, content in edits:
            at = int(share * len(damaged))
            damaged[at : at + len(content)] = content
        victim.write_bytes(damaged[: int(kept * len(damaged)) + 1])
        try:
            load(str(folder / source))
        except InputError as error:
            message = str(error)
        else:
            message = "read"
    assert "\n" not in message
