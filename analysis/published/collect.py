"""Copies a study's tables into a folder small enough to commit.

    python analysis/published/collect.py STUDY --into DIR

Copies trials.parquet, curves.parquet and study.json, from which `analysis/report.py` writes the
same report without renders. Absolute paths in study.json are cut to their last name.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

from nerf.common.command_line import Parser, exit_status
from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.records.study_folder import StudyFolder


def collect_tables(study: StudyFolder, into: Path) -> StudyFolder:
    """Copies a study's tables into `into`/NAME and returns that folder.

    Raises `InputError` where the folder holds another study's tables or no trial has ended.
    """
    spec = strip_folders(study.read_spec())
    collected = StudyFolder(into / study.name)
    if collected.spec_file.exists() and collected.read_spec()["created"] != spec["created"]:
        raise InputError(
            f"{collected.path} holds another study's results; remove it, or change --into"
        )
    for source, target in (
        (study.trials_file, collected.trials_file),
        (study.curves_file, collected.curves_file),
    ):
        if not source.exists():
            raise InputError(f"{source} does not exist: no trial has ended; collect it later")
        write_atomically(target, compact_table(source))
    collected.write_spec(spec)
    return collected


def compact_table(file: Path) -> bytes:
    """The same table in a third of the bytes: most of a small one is statistics and schema."""
    import pyarrow.parquet as parquet

    buffer = io.BytesIO()
    parquet.write_table(
        parquet.read_table(file),
        buffer,
        compression="zstd",
        use_dictionary=False,
        write_statistics=False,
        store_schema=False,
    )
    return buffer.getvalue()


def strip_folders(value: Any) -> Any:
    """The same JSON value with every absolute path cut to its last name."""
    if isinstance(value, dict):
        return {key: strip_folders(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [strip_folders(inner) for inner in value]
    if isinstance(value, str) and Path(value).is_absolute():
        return Path(value).name
    return value


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    return exit_status(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    parser = Parser("Copy a study's tables into a folder small enough to commit.")
    parser.add_argument("study", nargs="+", type=Path, help="a study folder")
    parser.add_argument("--into", type=Path, required=True, help="parent folder of the copy")
    options = parser.parse(arguments)
    for path in options.study:
        collected = collect_tables(StudyFolder(path), options.into)
        size = sum(file.stat().st_size for file in collected.path.iterdir()) / 1e6
        print(f"{collected.path}: {size:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
