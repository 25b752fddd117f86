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
from tests.nerf.scenes import makers

KINDS: dict[str, Callable[[Path], Path]] = {
    "tiny-NeRF": makers.tiny,
    "Blender": makers.blender,
    "transforms": makers.transforms,
    "COLMAP": makers.colmap,
    "COLMAP text": lambda folder: makers.colmap(folder, text=True),
    "LLFF": makers.llff,
    "JPEG": makers.photographs,
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
@settings(max_examples=40, deadline=None)
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
