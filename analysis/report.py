"""Writes a study's report.html: `python analysis/report.py STUDY_FOLDER`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from analysis.findings import Findings, findings
from nerf.errors import InputError
from nerf.files import write_atomically
from study.folder import StudyFolder

__all__ = ["findings", "main", "write_report"]


def write_report(folder: StudyFolder | Path | str, found: Findings | None = None) -> Path:
    """Writes report.html into the study folder and returns its path."""
    from analysis.page import document

    found = found or findings(folder)
    report = found.study.folder.report
    write_atomically(report, document(found).encode())
    return report


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write a study's report.html.")
    parser.add_argument("study", type=Path, help="a study folder that study/run_sweep.py made")
    asked = parser.parse_args(arguments)
    try:
        found = findings(asked.study)
        path = write_report(asked.study, found)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(found.headline)
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
