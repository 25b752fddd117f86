"""The READMEs name only what is there, and the front page stays short."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.md", "CONTRIBUTING.md", *(f"{p}/README.md" for p in ("nerf", "study", "analysis"))]
PAGES += ["benchmarks/README.md"]
PAGES += [f"study/guides/{p.name}" for p in sorted((ROOT / "study/guides").glob("*.md"))]
FOLDERS = ("nerf/", "study/", "analysis/", "tests/", "benchmarks/")


def linked(page: Path) -> list[str]:
    """Targets of the page's links and images that are files of this repository."""
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    return [target for target in targets if "://" not in target]


def named(page: Path) -> list[str]:
    """Paths from the repository's root that the page's text or commands name."""
    words = re.findall(r"[\w./-]+", page.read_text())
    paths = [word.rstrip(".") for word in words if word.startswith(FOLDERS)]
    return [path for path in paths if path.endswith((".py", ".md", "/"))]


@pytest.mark.parametrize("name", PAGES)
def test_every_path_on_the_page_exists(name: str) -> None:
    page = ROOT / name
    missing = [target for target in linked(page) if not (page.parent / target).exists()]
    missing += [path for path in named(page) if not (ROOT / path).exists()]
    assert missing == []


@pytest.mark.parametrize("package", ["nerf", "study", "analysis"])
def test_every_room_has_a_line_in_its_readme_and_in_help(package: str) -> None:
    rooms = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    table = set(re.findall(r"`(\w+)/`", (ROOT / package / "README.md").read_text()))
    listed = set(re.findall(r"^ {4}(\w+) ", (ROOT / package / "__init__.py").read_text(), re.M))
    assert (rooms - table, rooms - listed) == (set(), set())


def test_the_front_page_is_at_most_120_lines() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_every_package_says_what_its_rooms_are() -> None:
    files = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "*__init__.py"], capture_output=True, text=True
    ).stdout.split()
    packages = [ROOT / file for file in files if not file.startswith("tests/")]
    packages = packages or [p for f in FOLDERS[:3] for p in (ROOT / f).rglob("__init__.py")]
    assert [str(file) for file in packages if not file.read_text().startswith('"""')] == []
