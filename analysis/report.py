"""Reports on studies: `python analysis/report.py STUDY [STUDY ...]`, see --help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis.data.study import Study, load_study
from analysis.findings.analyze_study import Findings, analyze_study
from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.records.study_folder import StudyFolder
from study.spec.space import Dimension
from study.spec.storage_url import is_url
from study.storage.remote import Storage, borrow, reached

__all__ = ["analyze_study", "main", "write_report"]


def write_report(folder: StudyFolder | Path | str, found: Findings | None = None) -> Path:
    """Writes report.html into the study folder and returns its path."""
    from analysis.pages.study_page import render_study_page

    found = found or analyze_study(folder)
    report = found.study.folder.report
    write_atomically(report, render_study_page(found).encode())
    return report


def write_comparison(studies: Sequence[Findings], out: Path) -> Path:
    """Writes one page about several studies; raises `InputError` where they share nothing."""
    from analysis.findings.comparison import compare_studies
    from analysis.pages.comparison_page import render_comparison_page

    write_atomically(out, render_comparison_page(studies, compare_studies(studies)).encode())
    return out


def main(arguments: list[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    try:
        borrowed = {text: borrow(text).path for text in asked.study if is_url(text)}
        for path in _write(asked, [borrowed.get(text, Path(text)) for text in asked.study]):
            print(_brought_back(path, borrowed))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _brought_back(path: Path, borrowed: Mapping[str, Path]) -> str:
    """Where a written file lies: with the study it is about, also where that was borrowed."""
    for url, folder in borrowed.items():
        if path.is_relative_to(folder):
            key = path.relative_to(folder).as_posix()
            with reached(url):
                Storage(url.rstrip("/")).write(key, path.read_bytes())
            return f"{url.rstrip('/')}/{key}"
    return str(path)


def _write(asked: argparse.Namespace, places: Sequence[Path]) -> list[Path]:
    from analysis.figures.image_files import write_study_figures
    from analysis.findings.tables import write_tables

    studies = [_study(path, asked) for path in places]
    every = []
    for study in studies:
        print(f"{study.name}: {len(study.trials)} trials", file=sys.stderr, flush=True)
        every.append(analyze_study(study))
        print(every[-1].headline)
    written = []
    for found in every:
        beside = found.study.folder.path / "analysis"
        if asked.format == "html":
            written.append(write_report(found.study.folder, found))
        else:
            written += write_tables(found, asked.format, beside)
        if asked.figures:
            written += write_study_figures(found, asked.figures, beside)
    if len(every) > 1 and asked.format == "html":
        beside = Path() if any(map(is_url, asked.study)) else every[0].study.folder.path.parent
        out = asked.out or beside / "comparison.html"
        written.append(write_comparison(every, out))
    return written


def _study(path: Path, asked: argparse.Namespace) -> Study:
    if StudyFolder(path).spec_file.exists():
        return load_study(path)
    if path.is_dir() and not any(path.rglob("result.json")):
        return load_study(path)  # which says that this is no study folder
    from analysis.data.external_sweeps import read_external_sweep

    priors = [_prior(text) for text in asked.prior]
    return read_external_sweep(path, asked.metric, priors, asked.lower_is_better)


def _prior(text: str) -> Dimension:
    """`NAME=LOW:HIGH` or `NAME=LOW:HIGH:log` as a dimension."""
    name, _, span = text.partition("=")
    ends = span.split(":")
    try:
        low, high = float(ends[0]), float(ends[1])
    except (ValueError, IndexError):
        low, high = 0.0, 0.0
    log = ends[2:] == ["log"]
    if not low < high or (ends[2:] and not log) or (log and low <= 0):
        raise InputError(f"a prior must be NAME=LOW:HIGH or NAME=LOW:HIGH:log, got {text!r}")
    return Dimension(name, "float", low, high, log, label=name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Write report.html into each study folder, and a comparison of several."
    )
    parser.add_argument(
        "study", nargs="+",
        help="a study folder, or the s3://... or gs://... URL of its copy; or an Optuna journal "
        "or SQLite file, a Ray Tune folder, a CSV",
    )  # fmt: skip
    parser.add_argument("--format", choices=("html", "csv", "md", "json"), default="html")
    parser.add_argument("--figures", choices=("svg", "png"), help="also draw figures for a paper")
    parser.add_argument("--out", type=Path, help="where the comparison goes")
    parser.add_argument("--metric", default="psnr", help="column or key to explain, of other tools")
    parser.add_argument("--lower-is-better", action="store_true", help="of that metric")
    parser.add_argument(
        "--prior", action="append", default=[], metavar="NAME=LOW:HIGH[:log]",
        help="a domain that another tool's record does not say (repeatable)",
    )  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
