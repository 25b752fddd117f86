"""The README's tree names every file of the packages, and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def tree() -> set[str]:
    """The paths in the annotated tree."""
    block = README.split("## Where things are", 1)[1].split("```")[1]
    folders: list[str] = []
    paths = set()
    for line in block.strip("\n").split("\n"):
        found = re.match(r"( *)(\S+)", line)
        assert found, line
        depth, name = len(found[1]) // 2, found[2]
        del folders[depth:]
        if name.endswith("/"):
            folders.append(name)
        paths.add("".join(folders) + ("" if name.endswith("/") else name))
    return paths


@pytest.mark.parametrize("package", ["nerf", "study", "analysis", "benchmarks"])
def test_every_file_is_in_the_tree_with_a_phrase(package: str) -> None:
    files = {
        str(path.relative_to(ROOT))
        for path in (ROOT / package).rglob("*.py")
        if path.name != "__init__.py"
    }
    assert files - tree() == set()


def test_everything_in_the_tree_exists() -> None:
    assert [path for path in sorted(tree()) if not (ROOT / path).exists()] == []
