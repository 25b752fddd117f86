"""Writes reports on studies: `python analysis/report.py STUDY [STUDY ...]`, see --help."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.claims.across_claims import select_across
from analysis.claims.comparison_claims import list_comparison_claims
from analysis.claims.list_claims import (
    list_answer_lines,
    list_claims,
    name_further_shares,
    select_sweep_claims,
)
from analysis.claims.scene_claims import list_scenes_lines
from analysis.data.study import Study, list_scenes
from analysis.external.options import add_question_options, make_question
from analysis.external.question import Question
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.comparison import compare_studies
from analysis.findings.expectation import Expectation, check_expectation, parse_expectation
from analysis.findings.scenes import ScenesFindings, analyze_scenes
from analysis.findings.waiting import show_if_slow
from nerf.common.command_line import Parser, exit_status
from nerf.common.commands import command_line
from nerf.common.errors import InputError
from nerf.common.printed_lines import print_line
from study.records.study_folder import StudyFolder
from study.spec.storage_url import is_url
from study.storage.remote import Storage, download_study, unreachable_as_input_error

if TYPE_CHECKING:
    from analysis.api.open_study import OpenedStudy
    from analysis.pages.output_files import Requested

_IMAGES = (".svg", ".png", ".pdf")

PIPE_CLOSED = 141
"""Exit status where the reader of the output ended first: 128 + SIGPIPE, as in a shell."""

NOT_AS_EXPECTED = 1
"""Exit status if an expectation of --expect does not hold."""


def write_report(folder: StudyFolder | Path | str, findings: Findings | None = None) -> Path:
    """Writes report.html into the study folder and returns its path.

    Analyses the study first where no `findings` are passed.
    """
    from analysis.pages.output_files import write_study_page

    return write_study_page(findings or analyze_study(folder))


def write_scenes_report(findings: ScenesFindings) -> Path:
    """Writes report.html over all scenes of a study into its folder and returns the path."""
    from analysis.pages.output_files import write_scenes_page

    return write_scenes_page(findings)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names from other tools may have characters that the terminal's encoding lacks.
        sys.stdout.reconfigure(errors="backslashreplace")
    return exit_status(lambda: _run_for_reader(_parser().parse(arguments)))


def _run_for_reader(options: argparse.Namespace) -> int:
    """Runs until whatever reads the output ends, as in `report.py FILE | head -1`."""
    try:
        status = _run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes at its end: into nothing, since the pipe would fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    return status


def _run(options: argparse.Namespace) -> int:
    expectations = [parse_expectation(text) for text in options.expect]
    local_copies = {place: download_study(place).path for place in options.study if is_url(place)}
    folders = [local_copies.get(place, Path(place)) for place in options.study]
    question = make_question(options)
    if any(map(_has_scenes, folders)):
        return _report_scenes(options, folders, local_copies, expectations)
    report_folder = options.out if len(folders) == 1 else None
    several = len(folders) > 1
    studies = [_analyze(path, question, report_folder, several) for path in folders]
    written = [_upload(path, local_copies) for path in _write(options, studies)]
    print(*_list_written(written), sep="\n")
    return 0 if _check(expectations, studies) else NOT_AS_EXPECTED


def _has_scenes(path: Path) -> bool:
    folder = StudyFolder(path)
    return folder.spec_file.exists() and bool(list_scenes(folder))


def _report_scenes(
    options: argparse.Namespace,
    folders: Sequence[Path],
    local_copies: Mapping[str, Path],
    expectations: Sequence[Expectation],
) -> int:
    """Reports on a study of several scenes: on each of them, and over all."""
    from analysis.pages.output_files import Requested, write_scenes_files

    path, *others = folders
    if others or options.out or make_question(options) != Question():
        raise InputError(
            f"{path if _has_scenes(path) else others[0]} is a study of several scenes, which is "
            "reported alone, into its folder; leave out the other studies and options"
        )
    with show_if_slow(f"analysing {path.name}"):
        findings = analyze_scenes(StudyFolder(path))
    for line in list_scenes_lines(findings):
        _print_line(line, "  " if line.startswith("  ") else "")
    requested = Requested(options.format, options.figures)
    written = [_upload(file, local_copies) for file in write_scenes_files(findings, requested)]
    print(*_list_written(written), sep="\n")
    return 0 if _check(expectations, list(findings.by_scene.values())) else NOT_AS_EXPECTED


def _analyze(path: Path, question: Question, report_folder: Path | None, several: bool) -> Findings:
    """Analyses one study and prints its headline; for another tool's, first what is assumed.

    report_folder: where the report on another tool's sweep goes, if not beside the sweep
    several: whether others are printed as well, so that each needs its name
    """
    opened = _open(path, question)
    study = opened.study
    if report_folder is not None:
        if study.is_native:
            raise InputError(
                f"{path} is a study of this program, whose report is written into it; give --out "
                "for a comparison of several, or for another tool's sweep"
            )
        opened = replace(opened, study=replace(study, folder=StudyFolder(report_folder)))
    with show_if_slow(f"analysing the {study.runs.sum()} trials of {study.name}"):
        findings = opened.analyze()
    claims = list_claims(findings)
    lines = list_answer_lines(claims)
    if several:
        print(f"--- {study.name}")
    if not study.is_native:
        _print_assumptions(findings.study)
        lines += [claim.text for claim in select_sweep_claims(claims)]
        lines.append(name_further_shares(findings))
    for line in filter(None, lines):
        _print_line(line, "  " if line.startswith("  ") else "")
    return findings


def _open(path: Path, question: Question) -> OpenedStudy:
    """Reads a study or sweep; of a file of several, lists them before it is refused."""
    from analysis.api.open_study import open_study
    from analysis.external.choose_sweep import SeveralStudies

    try:
        with show_if_slow(f"reading {path.name or path}"):
            return open_study(path, question)
    except SeveralStudies as several:
        for line in several.listing:
            _print_line(line, "  ")
        raise


def _print_assumptions(study: Study) -> None:
    """Prints what the record leaves open, each with its option, and what was left out."""
    if study.assumed:
        _print_line(f"Assumed, since {study.name} does not say:")
        for number, assumption in enumerate(study.assumed, start=1):
            _print_line(str(assumption), f"  {number}. ")
    if study.left_out:
        _print_line(f"Left out: {'; '.join(study.left_out)}.")
    if study.decisive:
        _print_line(f"What follows depends on assumption {' and '.join(map(str, study.decisive))}.")


def _print_line(text: str, head: str = "") -> None:
    """Prints a sentence; names from other tools may contain line breaks."""
    print_line(head + " ".join(text.split()))


def _check(expectations: Sequence[Expectation], studies: Sequence[Findings]) -> bool:
    """Prints what became of each expectation in each study; returns whether all hold."""
    checks = [check_expectation(e, findings) for findings in studies for e in expectations]
    for check in checks:
        print(check.text)
    return all(check.holds for check in checks)


def _write(options: argparse.Namespace, studies: Sequence[Findings]) -> list[Path]:
    """Writes what was requested of all studies; returns the written files."""
    from analysis.pages.output_files import COMPARISONS, Requested, write_study_files

    requested = Requested(options.format, options.figures)
    written = [path for study in studies for path in write_study_files(study, requested)]
    if len(studies) == 1:
        return written
    any_url = any(map(is_url, options.study))
    folder = Path() if any_url else studies[0].study.folder.path.parent
    out = options.out or folder / COMPARISONS[options.format]
    return [*written, *_compare(studies, requested, out)]


def _compare(studies: Sequence[Findings], requested: Requested, out: Path) -> list[Path]:
    """Compares the studies: what breaks to the terminal, the rest to files."""
    from analysis.pages.output_files import write_comparison_files

    with show_if_slow(f"comparing {len(studies)} studies"):
        comparison = compare_studies(studies)
    claims = list_comparison_claims(comparison)
    print(f"--- all {len(studies)} studies")
    for claim in select_across(claims):
        _print_line(claim.text)
    return write_comparison_files(studies, comparison, claims, requested, out)


def _list_written(files: Sequence[str]) -> list[str]:
    """A line for each file; for figures, of which there may be dozens, one for each folder."""
    figures = Counter(file.rpartition("/")[0] for file in files if file.endswith(_IMAGES))
    others = [file for file in files if not file.endswith(_IMAGES)]
    return [*others, *(f"{count} figures in {folder}" for folder, count in figures.items())]


def _upload(path: Path, local_copies: Mapping[str, Path]) -> str:
    """Copies a written file to the URL of its study, if it has one; returns where the file is."""
    for url, folder in local_copies.items():
        if path.is_relative_to(folder):
            key = path.relative_to(folder).as_posix()
            with unreachable_as_input_error(url):
                Storage(url.rstrip("/")).write(key, path.read_bytes())
            return f"{url.rstrip('/')}/{key}"
    return str(path)


def _parser() -> Parser:
    parser = Parser(
        "Write report.html into each study folder, and a comparison of several.",
        examples=[
            command_line("analysis/report.py", "studies/first"),
            command_line("analysis/report.py", "studies/first", "--figures", "pdf"),
            command_line("analysis/report.py", "studies/one", "studies/two", "--out", "both"),
        ],
    )
    parser.add_argument(
        "study",
        nargs="+",
        help="a study folder or its s3://... or gs://... URL; or another tool's sweep: an Optuna "
        "storage, a Ray Tune or MLflow folder, a table (CSV, Parquet, JSON, Excel) of runs",
    )
    parser.add_argument(
        "--format",
        choices=("html", "csv", "md", "json"),
        default="html",
        help="a report (html, the default), or tables as csv, md or json (with all claims, of each "
        "study and of the comparison)",
    )
    parser.add_argument(
        "--figures",
        choices=("svg", "png", "pdf"),
        help="also write every figure for a paper, in the widths of one and of two columns, with "
        "captions.md; pdf embeds its fonts",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="file of the comparison, of several studies (default: comparison.html, or claims.json "
        "with --format json, beside the first; the suffix of the format is added if it is "
        "missing); folder of the report, of another tool's sweep alone (default: SWEEP-report "
        "beside it)",
    )
    parser.add_argument(
        "--expect",
        action="append",
        default=[],
        metavar="'A > B'",
        help="exit with status 1 unless A's share is higher than B's with its whole 95%% interval; "
        "also 'A < B', 'A > 30%%', 'A < 5%%' (repeatable)",
    )
    add_question_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
