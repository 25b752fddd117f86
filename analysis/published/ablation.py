"""The NeRF paper's ablation beside our own: `python analysis/published/ablation.py FOLDER`.

Reads the runs.parquet that benchmarks/ablation.py leaves. What the paper says is of single runs on
eight scenes; ours is of one scene, several seeds and a small budget.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from analysis.figures.image_files import render_figures
from analysis.figures.theme import blank_figure, escape_text, set_axis_titles
from analysis.findings.tables import format_markdown_table
from analysis.stats.paired import PairedDifference, Judgement, compare_pair, compare_all_pairs, judge_against_published
from nerf.common.command_line import Parser, exit_status
from nerf.common.errors import InputError
from nerf.common.files import write_atomically

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

LEAST = 0.9
"""dB apart in the paper from which on two rows' order is held to be known."""

MEASURES = {"test_psnr": "test views", "psnr": "validation views"}


@dataclass(frozen=True)
class Ablation:
    """What the runs say.

    values: a row a seed, a column a row of the paper's table, dB; NaN where a run has none
    to_complete: each other row less the complete one
    pairs: those far enough apart in the paper for its order to count; close_pairs: the others
    troubled: runs that did not complete or have no figure, with the reason
    """

    values: pd.DataFrame
    to_complete: tuple[PairedDifference, ...]
    pairs: tuple[Judgement, ...]
    close_pairs: tuple[Judgement, ...]
    troubled: pd.DataFrame
    budget: str

    @property
    def sentence(self) -> str:
        """How the order of the pairs compares with the paper's."""
        count = len(self.pairs)
        verdicts = [pair.verdict for pair in self.pairs]
        ordered = sum(pair.difference.mean > 0 for pair in self.pairs)
        beyond = sum(pair.significant for pair in self.pairs)
        every = count + len(self.close_pairs)
        return (
            f"Of {count} pairs that are at least {LEAST:g} dB apart in the paper, "
            f"{verdicts.count('agrees')} have its order with an interval that excludes 0, "
            f"{verdicts.count('disagrees')} the opposite one, {verdicts.count('open')} stay open; "
            f"the means alone have its order in {ordered}. Corrected for all {every} "
            f"pairs (Holm), {beyond} verdicts stand."
        )


def read_runs(folder: Path) -> pd.DataFrame:
    """The table of finished runs; raises `InputError` where there is none that can be read."""
    path = folder / "runs.parquet"
    if not path.exists():
        raise InputError(f"{path} does not exist; name a folder that benchmarks/ablation.py made")
    try:
        runs = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({str(error).splitlines()[0][:80]})") from None
    needed = {"row", "seed", "state", "reason", "steps", "seconds", *MEASURES}
    missing = sorted(needed - set(runs.columns))
    if missing:
        raise InputError(f"{path} has no column {missing[0]}; benchmarks/ablation.py writes it")
    if "complete" not in set(runs["row"]):
        raise InputError(f"{path} holds no run of the complete row yet; let the ablation go on")
    return runs


def ablation(runs: pd.DataFrame, measure: str = "test_psnr") -> Ablation:
    """What the runs say about the paper's order; `measure` is the column that is compared."""
    values = runs.pivot(index="seed", columns="row", values=measure)
    values = values[[row for row in PAPER if row in values.columns]]
    others = [row for row in values.columns if row != "complete"]
    every = judge_against_published(compare_all_pairs(values), PAPER)
    known = sum(round(pair.published, 2) >= LEAST for pair in every)
    troubled = runs[(runs["state"] != "completed") | runs[measure].isna()]
    return Ablation(
        values,
        tuple(compare_pair(row, "complete", values) for row in others),
        tuple(every[:known]),
        tuple(every[known:]),
        troubled[["row", "seed", "state", "reason"]],
        _budget(runs, measure),
    )


def _budget(runs: pd.DataFrame, measure: str) -> str:
    scene = f" on {runs['scene'].iloc[0]}" if "scene" in runs else ""
    hours = runs["seconds"].sum() / 3600
    return (
        f"{len(runs)} runs{scene}, at most {runs['steps'].max():,} steps each, {hours:.2f} hours "
        f"of training in all; PSNR of {MEASURES[measure]}. The paper's figures are means of "
        "eight scenes."
    )


def markdown(found: Ablation) -> str:
    """The rows beside the paper's, the pairs with their verdicts, and what it took."""
    parts = [found.sentence, format_markdown_table(_rows(found)), format_markdown_table(_pairs(found.pairs))]
    if found.close_pairs:
        closer = f"Closer than {LEAST:g} dB in the paper, as they come:"
        parts += [closer, format_markdown_table(_pairs(found.close_pairs))]
    parts.append(found.budget)
    if len(found.troubled):
        parts += ["Runs that did not complete:", format_markdown_table(found.troubled)]
    return "\n\n".join(parts) + "\n"


def _rows(found: Ablation) -> pd.DataFrame:
    by_row = {d.first: d for d in found.to_complete}
    return pd.DataFrame(
        [
            {
                "": row,
                "runs": int(found.values[row].count()),
                "dB": f"{found.values[row].mean():.2f}",
                "less complete, 95 %": _words(by_row[row]) if row in by_row else "",
                "dB in the paper": f"{PAPER[row]:.2f}",
                "less complete in the paper": f"{_published(row):+.2f}" if row in by_row else "",
            }
            for row in found.values.columns
        ]
    )


def _pairs(pairs: Sequence[Judgement]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "better in the paper": pair.difference.first,
                "worse": pair.difference.second,
                "paper": f"{pair.published:+.2f}",
                "here, 95 %": _words(pair.difference),
                "order": pair.verdict,
                "p": _p_value(pair.difference.p_value),
                "p, Holm": _p_value(pair.difference.holm_p_value),
            }
            for pair in pairs
        ]
    )


def _words(d: PairedDifference) -> str:
    if d.interval is None:
        return f"{d.mean:+.2f}"
    return f"{d.mean:+.2f} [{d.interval[0]:+.2f}, {d.interval[1]:+.2f}]"


def _p_value(p: float | None) -> str:
    if p is None:
        return "–"
    return "≤ 0.001" if p <= 0.001 else f"{p:.3f}"


def _published(row: str) -> float:
    return PAPER[row] - PAPER["complete"]


def drawn(found: Sequence[PairedDifference]) -> go.Figure:
    """What each row loses against the complete one, with its interval, beside the paper's loss."""
    rows = [escape_text(d.first) for d in found]
    bars = [(d.mean, d.mean) if d.interval is None else d.interval for d in found]
    figure = blank_figure(height=120 + 40 * len(rows))
    figure.add_scatter(
        y=rows, x=[d.mean for d in found], mode="markers", name="here, 95 % interval",
        marker={"color": "var(--alive)", "size": 10},
        error_x={
            "array": [high - d.mean for d, (_, high) in zip(found, bars, strict=True)],
            "arrayminus": [d.mean - low for d, (low, _) in zip(found, bars, strict=True)],
            "color": "var(--alive)", "thickness": 2.5, "width": 0,
        },
        customdata=bars,
        hovertemplate="%{y}<br>%{x:+.2f} dB [%{customdata[0]:+.2f}, %{customdata[1]:+.2f}]"
        "<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        y=rows, x=[_published(d.first) for d in found], mode="markers", name="the paper",
        marker={"symbol": "diamond-open", "color": "var(--ink)", "size": 11, "line": {"width": 2}},
        hovertemplate="%{y}<br>%{x:+.2f} dB in the paper<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": "var(--chance)", "width": 1})
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_layout(paper_bgcolor="var(--card)")
    return set_axis_titles(figure, "PSNR less that of the complete model (dB)", "")


def main() -> int:
    parser = Parser("The NeRF paper's ablation beside our own, as Markdown and as a figure.")
    parser.add_argument("folder", type=Path, help="what benchmarks/ablation.py made")
    parser.add_argument(
        "--measure", choices=tuple(MEASURES), default="test_psnr", help="which PSNR is compared"
    )
    parser.add_argument(
        "--figures", choices=("svg", "png"), help="also draw FOLDER/ablation.svg or .png"
    )
    asked = parser.parse()
    found = ablation(read_runs(asked.folder), asked.measure)
    text = markdown(found)
    print(text)
    write_atomically(asked.folder / "ablation.md", text.encode())
    if asked.figures:
        (picture,) = render_figures([drawn(found.to_complete)], asked.figures)
        write_atomically(asked.folder / f"ablation.{asked.figures}", picture)
    return 0


if __name__ == "__main__":
    sys.exit(exit_status(main))
