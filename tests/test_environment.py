"""Pins are the same wherever they are stated, and nerf-report is what `analysis` imports."""

from __future__ import annotations

import ast
import importlib.metadata
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("nerf", "study", "analysis")

IMPORTED_BY_PLOTLY = {"kaleido"}


def read_toml(path: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / path).read_text())


def test_conda_and_pip_pins_are_the_same() -> None:
    project = read_toml("pyproject.toml")["project"]
    environment = yaml.safe_load((ROOT / "environment.yaml").read_text())["dependencies"]
    (pip_pins,) = (entry["pip"] for entry in environment if isinstance(entry, dict))
    assert f"python{project['requires-python']}" in environment
    assert pip_pins == [*project["dependencies"], "--editable ."]


def test_both_distributions_state_the_same_versions() -> None:
    whole = read_toml("pyproject.toml")["project"]
    report_file = read_toml("analysis/pyproject.toml")
    report = report_file["project"]
    for key in ("version", "license", "requires-python"):
        assert report[key] == whole[key], key
    (script,) = report["scripts"].items()
    assert script in whole["scripts"].items()
    pins = {*whole["dependencies"], *whole["optional-dependencies"]["test"]}
    extras = report["optional-dependencies"].values()
    stated = [*report["dependencies"], *(pin for extra in extras for pin in extra)]
    assert set(stated) - pins == set()
    assert set(report_file["build-system"]["requires"]) - pins == set()


def test_nerf_report_holds_the_modules_that_it_imports() -> None:
    shipped = shipped_modules()
    inner = {
        name
        for module in shipped.values()
        for name in imports(module)
        if name.split(".")[0] in PACKAGES
    }
    needed = {part for name in inner for part in with_parents(name) if is_module(part)}
    assert needed - set(shipped) == set(), "list these in analysis/pyproject.toml"
    others = {name for name in shipped if name.split(".")[0] != "analysis"}
    assert others - needed == set(), "no longer imported: leave out of analysis/pyproject.toml"


def test_nerf_report_declares_what_it_imports() -> None:
    project = read_toml("analysis/pyproject.toml")["project"]
    needed = distributions(shipped_modules().values())
    at_once = distributions(shipped_modules().values(), at_once=True)
    base = names(project["dependencies"])
    extra = {name for pins in project["optional-dependencies"].values() for name in names(pins)}
    assert base == needed - extra
    assert extra - IMPORTED_BY_PLOTLY <= needed - at_once, "an extra is imported only in functions"


def names(pins: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(pin).name) for pin in pins}


def shipped_modules() -> dict[str, Path]:
    """The modules of the wheel by name, with their files in the repository."""
    targets = read_toml("analysis/pyproject.toml")["tool"]["hatch"]["build"]["targets"]
    modules = {}
    for source, destination in targets["wheel"]["force-include"].items():
        place = (ROOT / "analysis" / source).resolve()
        assert place == ROOT / destination or source == "../LICENSE"
        for file in place.rglob("*.py") if place.is_dir() else [place]:
            if file.suffix == ".py":
                parts = file.relative_to(ROOT).with_suffix("").parts
                modules[".".join(part for part in parts if part != "__init__")] = file
    return modules


def imports(file: Path, at_once: bool = False) -> Iterator[str]:
    """Full names of what a module imports, `a.b` and `a.b.c` for `from a.b import c`.

    Imports for type checkers alone are left out.

    at_once: only when it is imported itself, not by its functions later
    """
    tree = ast.parse(file.read_text())
    later = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if not is_type_checking(node) and not (at_once and isinstance(node, later)):
            pending += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert node.level == 0, f"{file}: relative imports are not used here"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def distributions(files: Iterable[Path], at_once: bool = False) -> set[str]:
    """Distributions of other projects that modules import."""
    packages = {name.split(".")[0] for file in files for name in imports(file, at_once)}
    foreign = packages - sys.stdlib_module_names - set(PACKAGES)
    owners = importlib.metadata.packages_distributions()
    return {canonicalize_name(owners.get(name, [name])[0]) for name in foreign}


def with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def is_module(name: str) -> bool:
    place = ROOT.joinpath(*name.split("."))
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()
