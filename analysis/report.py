"""Writes reports on studies: `python analysis/report.py STUDY [STUDY ...]`, see --help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis.claims.across_claims import select_across
from analysis.claims.comparison_claims import list_comparison_claims
from analysis.claims.list_claims import headline_claims, join_texts, list_claims
from analysis.claims.write_claims import write_claims
from analysis.data.study import Study, load_study
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.comparison import Comparison, compare_studies
from analysis.findings.tables import TableFormat
from nerf.common.command_line import Parser, exit_status
from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.records.study_folder import StudyFolder
from study.spec.space import Dimension
from study.spec.storage_url import is_url
from study.storage.remote import Storage, download_study, unreachable_as_input_error


def write_report(folder: StudyFolder | Path | str, findings: Findings | None = None) -> Path:
    """Writes report.html into the study folder and returns its path.

    Analyses the study first where no `findings` are passed.
    """
    from analysis.pages.study_page import render_study_page

    findings = findings or analyze_study(folder)
    report = findings.study.folder.report
    write_atomically(report, render_study_page(findings).encode())
    return report


def write_comparison(
    studies: Sequence[Findings], out: Path, comparison: Comparison | None = None
) -> Path:
    """Writes one page about several studies and returns its path.

    Compares the studies first where no `comparison` is passed; raises `InputError` if they share no
    parameter.
    """
    from analysis.pages.comparison_page import render_comparison_page

    page = render_comparison_page(studies, comparison or compare_studies(studies))
    write_atomically(out, page.encode())
    return out


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    return exit_status(lambda: _run(_parser().parse(arguments)))


def _run(options: argparse.Namespace) -> int:
    local_copies = {place: download_study(place).path for place in options.study if is_url(place)}
    folders = [local_copies.get(place, Path(place)) for place in options.study]
    for path in _write(options, folders):
        print(_upload(path, local_copies))
    return 0


def _upload(path: Path, local_copies: Mapping[str, Path]) -> str:
    """Copies a written file to the URL of its study, if it has one; returns where the file is."""
    for url, folder in local_copies.items():
        if path.is_relative_to(folder):
            key = path.relative_to(folder).as_posix()
            with unreachable_as_input_error(url):
                Storage(url.rstrip("/")).write(key, path.read_bytes())
            return f"{url.rstrip('/')}/{key}"
    return str(path)


def _write(options: argparse.Namespace, folders: Sequence[Path]) -> list[Path]:
    """Analyses all studies and writes what was requested; returns the written files."""
    from analysis.figures.image_files import write_study_figures

    studies = [_load(path, options) for path in folders]
    all_findings = []
    for study in studies:
        print(f"{study.name}: {len(study.trials)} trials", file=sys.stderr, flush=True)
        all_findings.append(analyze_study(study))
        print(*(claim.text for claim in headline_claims(list_claims(all_findings[-1]))), sep="\n")
    written = []
    for findings in all_findings:
        folder = findings.study.folder.path / "analysis"
        if options.format == "html":
            written.append(write_report(findings.study.folder, findings))
        else:
            written += _write_tables(findings, options.format, folder)
        if options.figures:
            written += write_study_figures(findings, options.figures, folder)
    if len(all_findings) > 1:
        written += _compare(options, all_findings)
    return written


def _compare(options: argparse.Namespace, studies: Sequence[Findings]) -> list[Path]:
    """Compares the studies: what breaks to the terminal, a page or all claims to a file."""
    comparison = compare_studies(studies)
    claims = list_comparison_claims(comparison)
    print(*(claim.text for claim in select_across(claims)), sep="\n")
    any_url = any(map(is_url, options.study))
    folder = Path() if any_url else studies[0].study.folder.path.parent
    if options.format == "html":
        return [write_comparison(studies, options.out or folder / "comparison.html", comparison)]
    if options.format == "json":
        return [write_claims(claims, options.out or folder / "claims.json")]
    return []


def _write_tables(findings: Findings, kind: TableFormat, folder: Path) -> list[Path]:
    """Writes the tables of a study, as JSON with its claims beside them; returns the files."""
    from analysis.findings.tables import write_tables

    claims = list_claims(findings)
    written = write_tables(findings, join_texts(headline_claims(claims)), kind, folder)
    if kind == "json":
        written.append(write_claims(claims, folder / "claims.json"))
    return written


def _load(path: Path, options: argparse.Namespace) -> Study:
    """A study of this project, or the sweep of another tool; raises `InputError` for neither."""
    if StudyFolder(path).spec_file.exists():
        return load_study(path)
    if path.is_dir() and not any(path.rglob("result.json")):
        return load_study(path)  # raises InputError: the folder is not a study
    from analysis.data.external_sweeps import read_external_sweep

    priors = [_parse_prior(text) for text in options.prior]
    return read_external_sweep(path, options.metric, priors, options.lower_is_better)


def _parse_prior(text: str) -> Dimension:
    """`NAME=LOW:HIGH` or `NAME=LOW:HIGH:log` as a dimension."""
    name, _, domain = text.partition("=")
    ends = domain.split(":")
    try:
        low, high = float(ends[0]), float(ends[1])
    except (ValueError, IndexError):
        low, high = 0.0, 0.0
    log = ends[2:] == ["log"]
    if not low < high or (ends[2:] and not log) or (log and low <= 0):
        raise InputError(f"a prior must be NAME=LOW:HIGH or NAME=LOW:HIGH:log, got {text!r}")
    return Dimension(name, "float", low, high, log, label=name)


def _parser() -> Parser:
    parser = Parser("Write report.html into each study folder, and a comparison of several.")
    parser.add_argument(
        "study",
        nargs="+",
        help="a study folder or its s3://... or gs://... URL; or another tool's sweep: an Optuna "
        "journal or SQLite file, a Ray Tune folder, a CSV file",
    )
    parser.add_argument(
        "--format",
        choices=("html", "csv", "md", "json"),
        default="html",
        help="a report (html, the default), or tables as csv, md or json (with all claims, of each "
        "study and of the comparison)",
    )
    parser.add_argument(
        "--figures", choices=("svg", "png"), help="also write figures for a paper as image files"
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="file of the comparison (default: comparison.html, or claims.json with --format json, "
        "beside the first study)",
    )
    parser.add_argument(
        "--metric",
        default="psnr",
        help="column or key to explain, for sweeps of other tools (default: psnr)",
    )
    parser.add_argument("--lower-is-better", action="store_true", help="a lower --metric is better")
    parser.add_argument(
        "--prior",
        action="append",
        default=[],
        metavar="NAME=LOW:HIGH[:log]",
        help="domain of a parameter where another tool's record has none (repeatable)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
