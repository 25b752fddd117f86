"""Compares our ablation with the NeRF paper's: `python analysis/published/ablation.py FOLDER`.

FOLDER is a study of benchmarks/paper_ablation.toml. The paper reports means over eight scenes, one
run each; ours has one scene, several seeds and a small budget.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from analysis.data.study import load_study
from analysis.figures.image_files import render_figures
from analysis.figures.variant_differences import plot_variant_differences
from analysis.findings.tables import format_markdown_table
from analysis.findings.variants import label_variants
from analysis.stats.paired import (
    Judgement,
    PairedDifference,
    compare_all_pairs,
    compare_with_first,
    judge_against_published,
)
from nerf.common.command_line import Parser, exit_status
from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.records.outcomes import TRAINED

PAPER: Mapping[str, float] = {
    "complete": 31.01,
    "15 frequencies": 30.81,
    "5 frequencies": 30.59,
    "no hierarchical sampling": 30.06,
    "50 images": 29.79,
    "no positional encoding": 28.77,
    "25 images": 27.78,
    "no view dependence": 27.66,
    "none of the three": 26.67,
}
"""PSNR, dB, mean over the eight scenes of Table 2 of arXiv:2003.08934."""

MIN_PAPER_GAP = 0.9
"""dB between two rows of the paper above which we take their order as known."""

MEASURES = {"test_psnr": "test views", "psnr": "validation views"}


@dataclass(frozen=True)
class Ablation:
    """Our rows against the paper's.

    values: dB, seeds x rows of the paper's table; NaN where there is no run
    to_complete: each other row minus the complete model
    pairs: pairs of rows at least `MIN_PAPER_GAP` apart in the paper; close_pairs: the others
    left_out: runs that did not train or have no PSNR, with the reason
    """

    values: pd.DataFrame
    to_complete: tuple[PairedDifference, ...]
    pairs: tuple[Judgement, ...]
    close_pairs: tuple[Judgement, ...]
    left_out: pd.DataFrame
    budget: str

    @property
    def sentence(self) -> str:
        """How many pairs have the paper's order, with and without their intervals."""
        count = len(self.pairs)
        verdicts = [pair.verdict for pair in self.pairs]
        ordered = sum(pair.difference.mean > 0 for pair in self.pairs)
        significant = sum(pair.significant for pair in self.pairs)
        every = count + len(self.close_pairs)
        return (
            f"Of {count} pairs that are at least {MIN_PAPER_GAP:g} dB apart in the paper, "
            f"{verdicts.count('agrees')} have its order with an interval that excludes 0, "
            f"{verdicts.count('disagrees')} the opposite order, {verdicts.count('open')} are open; "
            f"the means alone have its order in {ordered}. With Holm's correction for all {every} "
            f"pairs, {significant} verdicts remain significant."
        )


def read_runs(folder: Path) -> pd.DataFrame:
    """The ablation's ended trials: the study's columns and `variant`.

    Raises `InputError` where there is no such study, or no run of the complete model yet.
    """
    study = load_study(folder)
    runs = label_variants(study)
    unknown = sorted(set(runs["variant"]) - set(PAPER))
    if runs.empty or unknown:
        raise InputError(
            f"{folder} is not a study of benchmarks/paper_ablation.toml"
            + (f": the paper has no row {unknown[0]!r}" if unknown else "; name one")
        )
    if "complete" not in set(runs["variant"]):
        raise InputError(f"{folder} has no run of the complete model yet; resume the study")
    return runs.assign(scene=study.scene["name"])


def analyze_ablation(runs: pd.DataFrame, measure: str = "test_psnr") -> Ablation:
    """Compares all pairs of rows with the paper's; `measure` is the column of `runs` to compare."""
    trained = runs["outcome"] == TRAINED
    measured = runs.assign(value=runs[measure].where(trained))
    values = measured.pivot(index="seed", columns="variant", values="value")
    values = values[[row for row in PAPER if row in values.columns]]
    every = judge_against_published(compare_all_pairs(values), PAPER)
    known = sum(round(pair.published, 2) >= MIN_PAPER_GAP for pair in every)
    left_out = runs[~trained | runs[measure].isna()]
    return Ablation(
        values,
        tuple(compare_with_first(values)),
        tuple(every[:known]),
        tuple(every[known:]),
        left_out[["variant", "seed", "outcome", "reason"]],
        _budget(runs, measure),
    )


def _budget(runs: pd.DataFrame, measure: str) -> str:
    hours = runs["train_seconds"].sum() / 3600
    return (
        f"{len(runs)} runs on {runs['scene'].iloc[0]}, at most {runs['steps_done'].max():,} steps "
        f"each, {hours:.2f} hours of training in all; PSNR of {MEASURES[measure]}. The paper's "
        "figures are means of eight scenes."
    )


def format_ablation(ablation: Ablation) -> str:
    """The comparison as Markdown: rows, pairs with their verdicts, budget, runs left out."""
    parts = [
        ablation.sentence,
        format_markdown_table(_rows(ablation)),
    ]
    if ablation.pairs:
        parts.append(format_markdown_table(_pairs(ablation.pairs)))
    if ablation.close_pairs:
        title = f"Pairs less than {MIN_PAPER_GAP:g} dB apart in the paper:"
        parts += [title, format_markdown_table(_pairs(ablation.close_pairs))]
    parts.append(ablation.budget)
    if len(ablation.left_out):
        parts += [
            "Runs that are left out, as they did not train:",
            format_markdown_table(ablation.left_out),
        ]
    return "\n\n".join(parts) + "\n"


def _rows(ablation: Ablation) -> pd.DataFrame:
    by_row = {d.first: d for d in ablation.to_complete}
    return pd.DataFrame(
        [
            {
                "": row,
                "runs": int(ablation.values[row].count()),
                "dB": _mean(ablation.values[row]),
                "minus complete, 95 %": by_row[row].description if row in by_row else "",
                "dB in the paper": f"{PAPER[row]:.2f}",
                "minus complete in the paper": f"{_published(row):+.2f}" if row in by_row else "",
            }
            for row in ablation.values.columns
        ]
    )


def _mean(values: pd.Series) -> str:
    return f"{values.mean():.2f}" if values.count() else "–"


def _pairs(pairs: Sequence[Judgement]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "better in the paper": pair.difference.first,
                "worse": pair.difference.second,
                "paper": f"{pair.published:+.2f}",
                "here, 95 %": pair.difference.description,
                "order": pair.verdict,
                "p": _p_value(pair.difference.p_value),
                "p, Holm": _p_value(pair.difference.holm_p_value),
            }
            for pair in pairs
        ]
    )


def _p_value(p: float | None) -> str:
    if p is None:
        return "–"
    return "≤ 0.001" if p <= 0.001 else f"{p:.3f}"


def _published(row: str) -> float:
    return PAPER[row] - PAPER["complete"]


def plot_ablation(to_complete: Sequence[PairedDifference]) -> go.Figure:
    """Each row's loss against the complete model, with its interval, and the paper's loss."""
    losses = {row: _published(row) for row in PAPER}
    return plot_variant_differences(to_complete, "the complete model", losses)


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    parser = Parser("Compare our ablation with the NeRF paper's, as Markdown and as a figure.")
    parser.add_argument("folder", type=Path, help="a study of benchmarks/paper_ablation.toml")
    parser.add_argument(
        "--measure",
        choices=tuple(MEASURES),
        default="test_psnr",
        help="the PSNR to compare (default: test_psnr)",
    )
    parser.add_argument(
        "--figures", choices=("svg", "png"), help="also write FOLDER/ablation.svg or .png"
    )
    options = parser.parse(arguments)
    ablation = analyze_ablation(read_runs(options.folder), options.measure)
    text = format_ablation(ablation)
    print(text)
    write_atomically(options.folder / "ablation.md", text.encode())
    if options.figures:
        (image,) = render_figures([plot_ablation(ablation.to_complete)], options.figures)
        write_atomically(options.folder / f"ablation.{options.figures}", image)
    return 0


if __name__ == "__main__":
    sys.exit(main())
