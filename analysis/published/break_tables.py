"""Tables of how many explored trials break, and of PSNR, by choices of one or two parameters."""

from __future__ import annotations

import pandas as pd

from analysis.data.selection import select_trained, select_trained_or_broken
from analysis.data.study import Study
from analysis.findings.tables import format_markdown_table
from analysis.published.strata import name_choice
from analysis.stats.rates import BreakRate
from study.records.outcomes import COLLAPSED, SHOWS_NOTHING, TRAINED


def tabulate_breaks(study: Study, rows: str, columns: str) -> str:
    """Broken / all explored trials for each pair of choices, with totals of rows and columns.

    The last columns divide the row's broken trials into those that collapsed or show nothing.
    """
    trials = select_trained_or_broken(study.trials)
    across = {name_choice(columns, column): column for column in sorted(trials[columns].unique())}
    table = []
    for row, of_row in trials.groupby(rows):
        cells = {
            n: _format_counts(of_row[of_row[columns] == column]) for n, column in across.items()
        }
        table.append(
            {
                rows: row,
                **cells,
                **_summarize_row(of_row),
            }
        )
    cells = {n: format_rate(trials[trials[columns] == column]) for n, column in across.items()}
    table.append(
        {
            rows: "all",
            **cells,
            **_summarize_row(trials),
        }
    )
    return format_markdown_table(pd.DataFrame(table))


def tabulate_medians(study: Study, rows: str, columns: str) -> str:
    """Median PSNR of the explored trials that trained, for each pair of choices."""
    trained = select_trained(select_trained_or_broken(study.trials))
    table = [
        {rows: row}
        | {
            name_choice(columns, c): f"{cell['psnr'].median():.2f} dB"
            for c, cell in of_row.groupby(columns)
        }
        for row, of_row in trained.groupby(rows)
    ]
    return format_markdown_table(pd.DataFrame(table))


def format_rate(trials: pd.DataFrame) -> str:
    """Broken / all trials and the rate with its interval; a dash without trials."""
    rate = _count_rate(trials)
    return f"{rate.broken}/{rate.trials}: {rate.formatted}" if rate.trials else "–"


def _count_rate(trials: pd.DataFrame, name: str = "", confidence: float = 0.95) -> BreakRate:
    collapsed = int((trials["outcome"] == COLLAPSED).sum())
    nothing = int((trials["outcome"] == SHOWS_NOTHING).sum())
    return BreakRate.from_counts(name, len(trials), collapsed, nothing, confidence)


def _summarize_row(trials: pd.DataFrame) -> dict[str, object]:
    rate = _count_rate(trials)
    return {
        "all": format_rate(trials),
        COLLAPSED: rate.collapsed,
        SHOWS_NOTHING: rate.shows_nothing,
        "median dB, trained": _median_trained(trials),
    }


def _format_counts(trials: pd.DataFrame) -> str:
    return f"{_count_rate(trials).broken}/{len(trials)}"


def _median_trained(trials: pd.DataFrame) -> str:
    return f"{trials.loc[trials['outcome'] == TRAINED, 'psnr'].median():.2f}"
