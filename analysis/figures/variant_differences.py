"""How much each variant of a study gains or loses against the first, with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from analysis.data.metric import PSNR, Metric
from analysis.figures.theme import blank_figure, escape_text, set_axis_titles
from analysis.stats.paired import PairedDifference


def plot_variant_differences(
    differences: Sequence[PairedDifference],
    first: str,
    published: Mapping[str, float] | None = None,
    metric: Metric = PSNR,
) -> go.Figure:
    """Mean differences from the variant `first` in the metric, with 95 % intervals.

    `published` adds a mark for each variant at the difference that somebody else reported.
    """
    rows = [escape_text(d.first) for d in differences]
    means = [d.mean for d in differences]
    intervals = [d.interval or (d.mean, d.mean) for d in differences]
    hover = metric.hover("x").replace(":", ":+", 1)
    ends = [
        metric.hover(f"customdata[{i}]").split("}")[0].replace(":", ":+", 1) + "}" for i in (0, 1)
    ]
    figure = blank_figure(height=120 + 40 * len(rows))
    figure.add_scatter(
        y=rows,
        x=means,
        mode="markers",
        name="here, 95 % interval",
        marker={"color": "var(--alive)", "size": 10},
        error_x={
            "array": [high - mean for mean, (_, high) in zip(means, intervals, strict=True)],
            "arrayminus": [mean - low for mean, (low, _) in zip(means, intervals, strict=True)],
            "color": "var(--alive)",
            "thickness": 2.5,
            "width": 0,
        },
        customdata=intervals,
        hovertemplate=f"%{{y}}<br>{hover} [{ends[0]}, {ends[1]}]<extra></extra>",
    )
    if published is not None:
        figure.add_scatter(
            y=rows,
            x=[published[d.first] for d in differences],
            mode="markers",
            name="the paper",
            marker={
                "symbol": "diamond-open",
                "color": "var(--ink)",
                "size": 11,
                "line": {"width": 2},
            },
            hovertemplate=f"%{{y}}<br>{hover} in the paper<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": "var(--chance)", "width": 1})
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_layout(paper_bgcolor="var(--card)")
    unit = f" ({metric.unit})" if metric.unit else ""
    return set_axis_titles(figure, f"{metric.name} minus that of {escape_text(first)}{unit}", "")
