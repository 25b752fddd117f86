"""Writes reports on studies: `python analysis/report.py STUDY [STUDY ...]`, see --help."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from analysis.claims.across_claims import select_across
from analysis.claims.comparison_claims import list_comparison_claims
from analysis.claims.list_claims import (
    headline_claims,
    join_texts,
    list_claims,
    name_further_shares,
    select_claims,
    summary_claims,
)
from analysis.claims.write_claims import write_claims
from analysis.data.study import Study, load_study
from analysis.external.options import add_question_options, make_question
from analysis.external.question import Question
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.comparison import Comparison, compare_studies
from analysis.findings.expectation import Expectation, check_expectation, parse_expectation
from analysis.findings.tables import TableFormat
from nerf.common.command_line import Parser, exit_status
from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.records.study_folder import StudyFolder
from study.spec.storage_url import is_url
from study.storage.remote import Storage, download_study, unreachable_as_input_error

PIPE_CLOSED = 141
"""Exit status where the reader of the output ended first: 128 + SIGPIPE, as in a shell."""

NOT_AS_EXPECTED = 1
"""Exit status if an expectation of --expect does not hold."""


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
    report_folder = options.out if len(folders) == 1 else None
    studies = [_analyze(path, question, report_folder) for path in folders]
    for path in _write(options, studies):
        print(_upload(path, local_copies))
    return 0 if _check(expectations, studies) else NOT_AS_EXPECTED


def _analyze(path: Path, question: Question, report_folder: Path | None) -> Findings:
    """Analyses one study and prints its headline; for another tool's, first what is assumed.

    report_folder: where the report on another tool's sweep goes, if not beside the sweep
    """
    is_native = StudyFolder(path).spec_file.exists()
    if is_native or (path.is_dir() and not any(path.iterdir())):
        if is_native and question != Question():
            raise InputError(
                f"{path} is a study of this program; --metric, --prior and the like are for sweeps "
                "of other tools: leave them out, or report on those alone"
            )
        if is_native and report_folder is not None:
            raise InputError(
                f"{path} is a study of this program, whose report is written into it; give --out "
                "for a comparison of several, or for another tool's sweep"
            )
        findings = _start(load_study(path))
        lines = [claim.text for claim in headline_claims(list_claims(findings))]
    else:
        from analysis.external.choose_sweep import SeveralStudies
        from analysis.external.read_study import read_external_study
        from analysis.findings.limits import limit_parameters
        from analysis.findings.other_readings import add_effects
        from analysis.findings.waiting import show_if_slow

        try:
            with show_if_slow(f"reading {path.name}"):
                external = read_external_study(path, question)
        except SeveralStudies as several:
            for line in several.listing:
                _print_line(line, "  ")
            raise
        folder = StudyFolder(report_folder) if report_folder else external.study.folder
        study = replace(external.study, folder=folder)
        others = external.other_readings
        with show_if_slow(f"analysing {study.name}"):
            findings = _start(limit_parameters(study))
        with show_if_slow(f"analysing {study.name} as it could be read otherwise"):
            findings = add_effects(findings, {i: limit_parameters(s) for i, s in others.items()})
        _print_assumptions(findings.study)
        every = list_claims(findings)
        in_branches = [c for c in select_claims(every, "in_branch") if c.unit == "fraction"]
        claims = (*summary_claims(every), *in_branches, *select_claims(every, "top_tenth"))
        lines = [*(claim.text for claim in claims), name_further_shares(findings)]
    for line in filter(None, lines):
        _print_line(line)
    return findings


def _start(study: Study) -> Findings:
    print(f"{study.name}: {study.runs.sum()} trials", file=sys.stderr, flush=True)
    return analyze_study(study)


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
    """Prints a sentence on one line; names from other tools may contain line breaks."""
    print(head + " ".join(text.split()))


def _check(expectations: Sequence[Expectation], studies: Sequence[Findings]) -> bool:
    """Prints what became of each expectation in each study; returns whether all hold."""
    checks = [check_expectation(e, findings) for findings in studies for e in expectations]
    for check in checks:
        print(check.text)
    return all(check.holds for check in checks)


def _write(options: argparse.Namespace, studies: Sequence[Findings]) -> list[Path]:
    """Writes what was requested of all studies; returns the written files."""
    from analysis.figures.image_files import write_study_figures
    from analysis.findings.waiting import show_if_slow

    written = []
    for findings in studies:
        study_folder = findings.study.folder
        folder = study_folder.path / "analysis"
        try:
            with show_if_slow(f"writing the report on {findings.study.name}"):
                if options.format == "html":
                    written.append(write_report(study_folder, findings))
                else:
                    written += _write_tables(findings, options.format, folder)
                if options.figures:
                    written += write_study_figures(findings, options.figures, folder)
        except OSError as error:
            if findings.study.is_native:
                raise
            raise InputError(
                f"{study_folder.path} cannot be written ({error.strerror}); name another folder by "
                "--out"
            ) from None
    if len(studies) > 1:
        written += _compare(options, studies)
    return written


def _upload(path: Path, local_copies: Mapping[str, Path]) -> str:
    """Copies a written file to the URL of its study, if it has one; returns where the file is."""
    for url, folder in local_copies.items():
        if path.is_relative_to(folder):
            key = path.relative_to(folder).as_posix()
            with unreachable_as_input_error(url):
                Storage(url.rstrip("/")).write(key, path.read_bytes())
            return f"{url.rstrip('/')}/{key}"
    return str(path)


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
        written.append(write_claims(claims, folder / "claims.json", findings.study.decisive))
    return written


def _parser() -> Parser:
    parser = Parser("Write report.html into each study folder, and a comparison of several.")
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
        "--figures", choices=("svg", "png"), help="also write figures for a paper as image files"
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="file of the comparison, of several studies (default: comparison.html, or claims.json "
        "with --format json, beside the first); folder of the report, of another tool's sweep "
        "alone (default: SWEEP-report beside it)",
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
