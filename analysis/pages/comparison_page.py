"""Several studies side by side: a self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.figures.compared_shares import plot_compared_shares
from analysis.findings.analyze_study import Findings
from analysis.findings.comparison import Comparison
from analysis.importance.shares import SobolShare
from analysis.pages.templating import TableView, render_template, view_figure


def render_comparison_page(studies: Sequence[Findings], comparison: Comparison) -> str:
    """The page of several studies as HTML: where they agree and where they do not."""
    figure = None
    if comparison.parameters:
        figure = view_figure(plot_compared_shares(comparison), "Total shares of each study")
    return render_template(
        "comparison.html",
        title=" · ".join(findings.study.name for findings in studies),
        lead=_summarize(comparison),
        sections=[
            render_template(
                "compared_shares.html",
                figure=figure,
                shares=_tabulate_shares(comparison),
                differences=comparison.differences,
            ),
            render_template("compared_studies.html", studies=_tabulate_studies(studies)),
        ],
    )


def _summarize(comparison: Comparison) -> str:
    sentences = []
    if comparison.parameters:
        first = comparison.parameters[0]
        sentences.append(
            f"Averaged over all studies, {first.label} has the largest share of the variance of "
            f"the final PSNR: {first.pooled:.0%} [{first.low:.0%}, {first.high:.0%}]."
        )
        apart = [c.label for c in comparison.parameters if c.disagreeing]
        sentences.append(
            f"They disagree about {', '.join(apart)}."
            if apart
            else "The intervals of all studies overlap."
        )
    sentences += [f"{name} has no ranking: {why}" for name, why in comparison.unranked.items()]
    return " ".join(sentences)


def _tabulate_shares(comparison: Comparison) -> TableView:
    names = list(dict.fromkeys(name for c in comparison.parameters for name in c.shares))
    rows = [
        [
            c.label,
            f"{c.pooled:.0%} [{c.low:.0%}, {c.high:.0%}]",
            *(_describe_share(c.shares.get(name)) for name in names),
            "; ".join(f"{a} and {b}" for a, b in c.disagreeing) or "none",
        ]
        for c in comparison.parameters
    ]
    return TableView(["parameter", "pooled", *names, "disagreeing"], rows)


def _describe_share(share: SobolShare | None) -> str:
    if share is None:
        return "–"
    return f"{share.total:.0%} [{share.total_low:.0%}, {share.total_high:.0%}]"


def _tabulate_studies(studies: Sequence[Findings]) -> TableView:
    rows = [
        [
            findings.study.name,
            findings.study.scene.get("name"),
            len(findings.study.trials),
            None if findings.best is None else findings.best["psnr"],
            None if findings.default is None else findings.default["psnr"],
            findings.headline,
        ]
        for findings in studies
    ]
    heads = ["study", "scene", "trials", "best PSNR", "defaults' PSNR", "main finding"]
    return TableView(heads, rows)
