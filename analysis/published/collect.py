"""Copies a study's tables into a folder small enough to commit.

    python analysis/published/collect.py STUDY --into DIR

Keeps trials.parquet, curves.parquet and study.json, from which `analysis/report.py` makes the same
report again, pictures of trials apart. Folders of the machine it ran on are left out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from nerf.common.command_line import exit_status
from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.records.study_folder import StudyFolder


def collect(study: StudyFolder, into: Path) -> StudyFolder:
    """The study's tables as a folder of its name in `into`.

    Raises `InputError` where another study's results are there already.
    """
    spec = without_folders(study.read_spec())
    kept = StudyFolder(into / study.name)
    if kept.spec_file.exists() and kept.read_spec()["created"] != spec["created"]:
        raise InputError(f"{kept.path} holds another study's results; remove it, or change --into")
    for source, target in (
        (study.trials_file, kept.trials_file),
        (study.curves_file, kept.curves_file),
    ):
        if not source.exists():
            raise InputError(f"{source} does not exist: no trial has ended; collect it later")
        write_atomically(target, source.read_bytes())
    kept.write_spec(spec)
    return kept


def without_folders(value: Any) -> Any:
    """The same JSON with every absolute path cut down to its last name."""
    if isinstance(value, dict):
        return {key: without_folders(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_folders(inner) for inner in value]
    if isinstance(value, str) and Path(value).is_absolute():
        return Path(value).name
    return value


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", nargs="+", type=Path, help="a study folder")
    parser.add_argument("--into", type=Path, required=True, help="where its results go")
    asked = parser.parse_args(arguments)

    def run() -> int:
        for path in asked.study:
            kept = collect(StudyFolder(path), asked.into)
            size = sum(file.stat().st_size for file in kept.path.iterdir()) / 1e6
            print(f"{kept.path}: {size:.2f} MB")
        return 0

    return exit_status(run)


if __name__ == "__main__":
    sys.exit(main())
