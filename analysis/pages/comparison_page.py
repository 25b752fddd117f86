"""Several studies side by side: a self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from analysis.claims.claim import Claim, Kind
from analysis.claims.comparison_claims import list_comparison_claims
from analysis.claims.list_claims import (
    ANSWERS,
    headline_claims,
    join_texts,
    list_claims,
    select_claims,
)
from analysis.claims.wording import format_part, join_names
from analysis.figures.compared_shares import plot_compared_shares
from analysis.findings.analyze_study import Findings
from analysis.findings.comparison import ComparedParameter, Comparison
from analysis.importance.shares import SobolShare
from analysis.pages.across_section import render_across_sections
from analysis.pages.answers import view_answers
from analysis.pages.templating import TableView, list_contents, render_template, view_figure

_MAX_NAMES_IN_TITLE = 3
_BRIEF: tuple[Kind, ...] = ("what_matters", "what_breaks", "what_to_set")
_BRIEF_OF_SWEEPS: tuple[Kind, ...] = ("what_matters", "what_fails", "what_to_set")
_SHARE_KINDS = ("not_ranked", "pooled_share", "disagreement")


def render_comparison_page(studies: Sequence[Findings], comparison: Comparison) -> str:
    """The page of several studies as HTML: where they agree and where they do not."""
    claims = list_comparison_claims(comparison)
    several = len(comparison.names) > _MAX_NAMES_IN_TITLE
    sections = [
        *render_across_sections(comparison, claims),
        _render_shares(comparison, claims),
        _render_differences(comparison),
        render_template("compared_studies.html", studies=_tabulate_studies(studies, comparison)),
    ]
    return render_template(
        "comparison.html",
        kind="NeRF studies" if comparison.is_nerf else _name_studies(comparison).lower(),
        is_native=comparison.is_native,
        kicker=_name_studies(comparison),
        title=f"{len(comparison.names)} studies" if several else " · ".join(comparison.names),
        names=comparison.names if several else (),
        answers=view_answers(claims),
        contents=list_contents(sections),
        sections=sections,
    )


def _render_shares(comparison: Comparison, claims: Sequence[Claim]) -> Markup:
    """The shares of each study and their means."""
    figure = None
    if comparison.parameters:
        figure = view_figure(plot_compared_shares(comparison), "Shares of each study")
    return render_template(
        "compared_shares.html",
        answer=_describe_agreement(comparison),
        figure=figure,
        sentences=[c.text for c in claims if c.kind in _SHARE_KINDS],
        shares=_tabulate_shares(comparison),
        metric=comparison.metric,
        is_native=comparison.is_native,
    )


def _describe_agreement(comparison: Comparison) -> str:
    """In the shares of which parameters studies differ, or why nothing is compared."""
    pooled = [c for c in comparison.parameters if c.pooled is not None]
    ranked = {name for compared in comparison.parameters for name in compared.shares}
    if not pooled:
        return (
            f"Not known: {len(ranked) or 'none'} of {len(comparison.names)} studies "
            f"{'ranks' if len(ranked) == 1 else 'rank'} a parameter that another one varies."
        )
    differ = [c.label for c in pooled if c.disagreeing]
    if not differ:
        return "Nothing speaks against it: no two studies differ significantly in a share."
    agree = [c.label for c in pooled if not c.disagreeing]
    text = f"Not wholly: some differ significantly in the share of {join_names(differ)}"
    return f"{text}, none in that of {join_names(agree)}." if agree else f"{text}."


def _render_differences(comparison: Comparison) -> Markup:
    """What else differs between the studies, each as its name and the values by study."""
    differences = dict(text.split(": ", 1) for text in comparison.differences)
    count = len(differences)
    answer = "In nothing that was recorded."
    if count:
        answer = (
            f"In {count} thing{'' if count == 1 else 's'}; all else that was recorded is equal."
        )
    return render_template("differences.html", answer=answer, differences=differences)


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
            _read_metric(findings, findings.best),
            _read_metric(findings, findings.default),
            *_answer_briefly(findings),
        ]
        for findings in studies
    ]
    metric = comparison.metric.removeprefix("the ")
    best = [f"best {metric}", f"defaults' {metric}"]
    heads = ["study", "scene", "trials", *best, *_name_questions(_BRIEF)]
    return TableView(heads, rows)


def _read_metric(findings: Findings, trial: pd.Series | None) -> float | None:
    return None if trial is None else findings.study.metric.values(float(trial["score"]))


def _name_studies(comparison: Comparison) -> str:
    """What is compared: studies of NeRFs, of other trainers, or other tools' sweeps."""
    if comparison.is_nerf:
        return "NeRF hyperparameter studies"
    return "Hyperparameter studies" if comparison.is_native else "Hyperparameter sweeps"


def _tabulate_sweeps(studies: Sequence[Findings]) -> TableView:
    """A row for each study, where some are sweeps of other tools."""
    rows = [
        [
            findings.study.name,
            findings.study.source or "this program",
            len(findings.study.trials),
            _describe_best(findings),
            *_answer_briefly(findings),
        ]
        for findings in studies
    ]
    return TableView(
        ["study", "run by", "trials", "best", *_name_questions(_BRIEF_OF_SWEEPS)], rows
    )


def _name_questions(kinds: Sequence[Kind]) -> list[str]:
    return [ANSWERS[kind].lower() for kind in kinds]


def _answer_briefly(findings: Findings) -> list[str]:
    """What matters, breaks and is to be set in one study."""
    claims = list_claims(findings)
    kinds = _BRIEF if findings.study.is_native else _BRIEF_OF_SWEEPS
    if findings.study.has_variants:
        return [join_texts(headline_claims(claims)), "", ""]
    return [join_texts(select_claims(claims, kind)) for kind in kinds]


def _describe_best(findings: Findings) -> str:
    metric = findings.study.metric
    if findings.best is None:
        return "–"
    return f"{metric.best} {metric.name} {metric.format(findings.best['score'])}"
