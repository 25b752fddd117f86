from __future__ import annotations

from pathlib import Path

import pytest

from nerf.common.files import UNFINISHED, cache_folder, replace_atomically, write_atomically


def test_a_write_creates_the_folder_and_replaces_the_file(tmp_path: Path) -> None:
    file = tmp_path / "new" / "result.json"
    for content in (b"first", b"second"):
        write_atomically(file, content)
        assert file.read_bytes() == content
    assert list(file.parent.iterdir()) == [file]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    file.write_bytes(b"old")

    def write_half(temporary: Path) -> None:
        temporary.write_bytes(b"ne")
        assert list(tmp_path.glob(UNFINISHED)) == [temporary]
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        replace_atomically(file, write_half)
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("base", ["", "relative/cache"])
def test_a_cache_folder_that_is_not_absolute_is_ignored(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", base)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "nerf-study"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert cache_folder() == tmp_path / "elsewhere" / "nerf-study"
