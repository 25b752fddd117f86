"""What the command `analysis/report.py` writes: pages, tables and figures, as it was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from analysis.claims.claim import Claim
from analysis.claims.list_claims import headline_claims, join_texts, list_claims
from analysis.claims.scene_claims import list_scene_claims
from analysis.claims.write_claims import write_claims
from analysis.figures.comparison_figures import list_comparison_figures
from analysis.figures.image_files import ImageFormat, write_figures
from analysis.figures.study_figures import StudyFigure, list_study_figures
from analysis.findings.analyze_study import Findings
from analysis.findings.comparison import Comparison
from analysis.findings.scenes import ScenesFindings
from analysis.findings.tables import TableFormat, format_markdown_table, write_tables
from analysis.findings.waiting import show_if_slow
from analysis.pages.comparison_page import render_comparison_page
from analysis.pages.scenes_page import render_scenes_page
from analysis.pages.study_page import render_study_page
from nerf.common.errors import InputError
from nerf.common.files import write_atomically

COMPARISONS = {
    "html": "comparison.html",
    "json": "claims.json",
    "csv": "comparison.csv",
    "md": "comparison.md",
}
"""Name of the file about several studies, by format."""


@dataclass(frozen=True)
class Requested:
    """What to write of each study, and of several; images: None for no image files."""

    text: Literal["html"] | TableFormat
    images: ImageFormat | None = None


def write_study_page(findings: Findings) -> Path:
    """Writes report.html into the study folder and returns its path."""
    report = findings.study.report_file
    write_atomically(report, render_study_page(findings).encode())
    return report


def write_scenes_page(findings: ScenesFindings) -> Path:
    """Writes the page over all scenes of a study as its report.html and returns the path."""
    write_atomically(findings.folder.report, render_scenes_page(findings).encode())
    return findings.folder.report


def write_scenes_files(findings: ScenesFindings, requested: Requested) -> list[Path]:
    """Writes what was requested of each scene of a study and over all; returns the files."""
    written = [
        path for own in findings.by_scene.values() for path in write_study_files(own, requested)
    ]
    if requested.text == "html":
        return [*written, write_scenes_page(findings)]
    claims, folder = list_scene_claims(findings), findings.folder.path / "analysis"
    if requested.text == "json":
        return [*written, write_claims(claims, folder / "claims.json")]
    return [
        *written,
        write_claims_table(claims, requested.text, folder / f"claims.{requested.text}"),
    ]


def write_study_files(findings: Findings, requested: Requested) -> list[Path]:
    """Writes what was requested of a study into its folder; returns the files.

    Raises `InputError` where another tool's folder cannot be written, or figures not be drawn.
    """
    name, study_folder = findings.study.title, findings.study.folder
    folder = study_folder.path / "analysis" / findings.study.scene_label
    try:
        with show_if_slow(f"writing the report on {name}"):
            written = _write_text(findings, requested.text, folder)
        if requested.images:
            written += _draw(list_study_figures(findings), requested.images, folder, name)
    except OSError as error:
        if findings.study.is_native:
            raise
        raise InputError(
            f"{study_folder.path} cannot be written ({error.strerror}); name another folder by "
            "--out"
        ) from None
    return written


def _write_text(
    findings: Findings, kind: Literal["html"] | TableFormat, folder: Path
) -> list[Path]:
    """The page of a study, or its tables, as JSON with its claims beside them."""
    if kind == "html":
        return [write_study_page(findings)]
    claims = list_claims(findings)
    written = write_tables(findings, join_texts(headline_claims(claims)), kind, folder)
    if kind == "json":
        written.append(write_claims(claims, folder / "claims.json", findings.study.decisive))
    return written


def write_comparison_page(studies: Sequence[Findings], comparison: Comparison, out: Path) -> Path:
    """Writes one page about several studies and returns its path."""
    write_atomically(out, render_comparison_page(studies, comparison).encode())
    return out


def write_comparison_files(
    studies: Sequence[Findings],
    comparison: Comparison,
    claims: Sequence[Claim],
    requested: Requested,
    out: Path,
) -> list[Path]:
    """Writes what was requested of several studies; figures into a folder beside `out`.

    out: the file, with or without its suffix, or a folder for it
    """
    out = add_suffix(out, requested.text)
    if requested.text == "html":
        written = [write_comparison_page(studies, comparison, out)]
    elif requested.text == "json":
        written = [write_claims(claims, out)]
    else:
        written = [write_claims_table(claims, requested.text, out)]
    if requested.images:
        figures = list_comparison_figures(comparison)
        written += _draw(figures, requested.images, out.with_suffix(""), "the comparison")
    return written


def add_suffix(path: Path, kind: str) -> Path:
    """`X` as `X.html`, if that is the kind; a folder as the file of a comparison within it.

    Not the folder of the figures beside a file that was written before.
    """
    if path.is_dir() and not path.with_name(f"{path.name}.{kind}").exists():
        path = path / COMPARISONS[kind]
    return path if path.suffix.lower() == f".{kind}" else path.with_name(f"{path.name}.{kind}")


def write_claims_table(claims: Sequence[Claim], kind: TableFormat, out: Path) -> Path:
    """All claims of a comparison as a table, a row each."""
    table = pd.DataFrame([claim.to_json() for claim in claims])
    if len(table):
        table["parameters"] = table["parameters"].map(" ".join)
    as_text = table.to_csv(index=False)
    if kind == "md":
        as_text = format_markdown_table(table, align_numbers=True) + "\n"
    write_atomically(out, as_text.encode())
    return out


def _draw(
    figures: Mapping[str, StudyFigure], image_format: ImageFormat, folder: Path, title: str
) -> list[Path]:
    with show_if_slow(f"drawing {len(figures)} figures of {title}"):
        return write_figures(figures, image_format, folder, title)
