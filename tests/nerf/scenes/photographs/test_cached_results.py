from __future__ import annotations

from pathlib import Path

import pytest

from nerf.scenes.photographs.cached_results import cached_result, hash_input


def fill(folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "result.txt").write_text("done")


def refuse(folder: Path) -> None:
    raise AssertionError("built again")


def test_a_result_is_built_once() -> None:
    first = cached_result("kind", "key", fill)
    assert cached_result("kind", "key", refuse) == first
    assert (first / "deep" / "result.txt").read_text() == "done"


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError])
def test_an_interrupted_result_leaves_nothing(
    interruption: type[BaseException], cache: Path
) -> None:
    def build(folder: Path) -> None:
        fill(folder)
        raise interruption

    with pytest.raises(interruption):
        cached_result("kind", "key", build)
    assert not list((cache / "kind").iterdir())


def test_the_first_of_two_processes_to_finish_wins(cache: Path) -> None:
    def build(folder: Path) -> None:
        (folder / "late.txt").touch()
        cached_result("kind", "key", fill)  # another process

    result = cached_result("kind", "key", build)
    assert [path.name for path in result.iterdir()] == ["deep"]
    assert list((cache / "kind").iterdir()) == [result]


def test_the_key_is_of_names_content_and_recipe(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b")]
    for folder, content in (("", "1"), ("copy", "1"), ("other", "2")):
        (tmp_path / folder).mkdir(exist_ok=True)
        for file in files:
            (tmp_path / folder / file.name).write_text(content)
    key = hash_input(files, 1)
    assert key == hash_input([tmp_path / "copy" / file.name for file in files], 1)
    assert key != hash_input([tmp_path / "other" / file.name for file in files], 1)
    assert key != hash_input(files, 2)
    assert key != hash_input(files[:1], 1)
