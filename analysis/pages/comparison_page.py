"""Several studies side by side: a self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.claims.claim import Claim
from analysis.claims.comparison_claims import list_comparison_claims
from analysis.claims.list_claims import headline_claims, join_texts, list_claims, select_claims
from analysis.claims.wording import format_part
from analysis.figures.compared_shares import plot_compared_shares
from analysis.findings.analyze_study import Findings
from analysis.findings.comparison import ComparedParameter, Comparison
from analysis.importance.shares import SobolShare
from analysis.pages.across_section import render_across_sections
from analysis.pages.templating import TableView, render_template, view_figure

_SHARE_KINDS = ("not_ranked", "pooled_share", "disagreement")


def render_comparison_page(studies: Sequence[Findings], comparison: Comparison) -> str:
    """The page of several studies as HTML: where they agree and where they do not."""
    figure = None
    if comparison.parameters:
        figure = view_figure(plot_compared_shares(comparison), "Shares of each study")
    claims = list_comparison_claims(comparison)
    return render_template(
        "comparison.html",
        kind="NeRF study" if comparison.is_native else "hyperparameter sweeps",
        is_native=comparison.is_native,
        title=" · ".join(findings.study.name for findings in studies),
        lead=_view_lead(comparison, claims),
        sections=[
            *render_across_sections(comparison, claims),
            render_template(
                "compared_shares.html",
                figure=figure,
                sentences=[c.text for c in claims if c.kind in _SHARE_KINDS],
                shares=_tabulate_shares(comparison),
                differences=comparison.differences,
                metric=comparison.metric,
                is_native=comparison.is_native,
            ),
            render_template(
                "compared_studies.html", studies=_tabulate_studies(studies, comparison)
            ),
        ],
    )


def _view_lead(comparison: Comparison, claims: Sequence[Claim]) -> str:
    """What breaks most; then the shares: pooled, different, or why nothing is pooled."""
    breaks = join_texts(select_claims(claims, "breaks_across", "no_breaking_across")[:1])
    return f"{breaks} {_describe_shares(comparison, claims)}".strip()


def _describe_shares(comparison: Comparison, claims: Sequence[Claim]) -> str:
    """The largest pooled share, and in which shares studies differ; or why nothing is pooled."""
    pooled = select_claims(claims, "pooled_share")[:1]
    if not pooled:
        ranked = {name for compared in comparison.parameters for name in compared.shares}
        return (
            f"{len(ranked) or 'None'} of {len(ranked) + len(comparison.unranked)} studies "
            f"{'ranks' if len(ranked) == 1 else 'rank'} a parameter that another one varies, so "
            "nothing is pooled."
        )
    labels = ", ".join(c.label for c in comparison.parameters if c.disagreeing)
    differ = f"Studies differ significantly in the shares of {labels}." if labels else ""
    return f"{join_texts(pooled)} {differ}".strip()


def _tabulate_shares(comparison: Comparison) -> TableView:
    names = list(dict.fromkeys(name for c in comparison.parameters for name in c.shares))
    rows = [
        [c.label, _describe_pooled(c), *(_describe_share(c.shares.get(name)) for name in names)]
        for c in comparison.parameters
    ]
    return TableView(["parameter", "pooled", *names], rows)


def _describe_pooled(compared: ComparedParameter) -> str:
    pooled = compared.pooled
    if pooled is None:
        return "–"
    return format_part(pooled.mean, max(pooled.low, 0.0), min(pooled.high, 1.0))


def _describe_share(share: SobolShare | None) -> str:
    return "–" if share is None else format_part(share.share, share.share_low, share.share_high)


def _tabulate_studies(studies: Sequence[Findings], comparison: Comparison) -> TableView:
    if not comparison.is_native:
        return _tabulate_sweeps(studies)
    rows = [
        [
            findings.study.name,
            findings.study.scene.get("name"),
            len(findings.study.trials),
            None if findings.best is None else findings.best["score"],
            None if findings.default is None else findings.default["score"],
            join_texts(headline_claims(list_claims(findings))),
        ]
        for findings in studies
    ]
    heads = ["study", "scene", "trials", "best PSNR", "defaults' PSNR", "main finding"]
    return TableView(heads, rows)


def _tabulate_sweeps(studies: Sequence[Findings]) -> TableView:
    """A row for each study, where some are sweeps of other tools."""
    rows = [
        [
            findings.study.name,
            findings.study.source or "this program",
            len(findings.study.trials),
            _describe_best(findings),
            join_texts(headline_claims(list_claims(findings))),
        ]
        for findings in studies
    ]
    return TableView(["study", "run by", "trials", "best", "main finding"], rows)


def _describe_best(findings: Findings) -> str:
    metric = findings.study.metric
    if findings.best is None:
        return "–"
    return f"{metric.best} {metric.name} {metric.format(findings.best['score'])}"
