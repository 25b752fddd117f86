"""The page of a study of several scenes: over all of them, and a row for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from analysis.claims.claim import Claim
from analysis.claims.list_claims import headline_claims, join_texts, list_claims, select_claims
from analysis.claims.scene_claims import list_scene_claims
from analysis.claims.wording import format_part, join_names
from analysis.figures.compared_shares import plot_scene_shares
from analysis.findings.analyze_study import Findings
from analysis.findings.scenes import ScenesFindings
from analysis.importance.shares import Importance
from analysis.pages.answers import view_answers
from analysis.pages.templating import TableView, list_contents, render_template, view_figure
from analysis.pages.variant_section import render_differences


def render_scenes_page(findings: ScenesFindings) -> str:
    """The page over all scenes of one study as HTML."""
    claims, study = list_scene_claims(findings), findings.first
    shares, ranked = _tabulate_shares(findings), any(_list_ranked(findings))
    figure = view_figure(plot_scene_shares(findings), "Shares on each scene") if ranked else None
    sections = [
        render_template(
            "scenes.html",
            scenes=_tabulate_scenes(findings),
            pages=[own.study.report_file.name for own in findings.by_scene.values()],
            mean=[claim.text for claim in select_claims(claims, "scenes_rate", "scenes_best")],
        )
    ]
    if findings.variants is not None:
        sections.insert(0, render_differences(findings.variants))
    if not study.has_variants:
        sections += [
            render_template(
                "scene_shares.html",
                figure=figure,
                shares=shares,
                sentences=[c.text for c in select_claims(claims, "not_ranked", "scenes_differ")],
                metric=study.metric.name,
            ),
            render_template("scene_breaking.html", levels=_tabulate_levels(findings)),
            render_template("claims.html", table=_tabulate_claims(claims), noun="points"),
        ]
    return render_template(
        "comparison.html",
        kind="study of several scenes",
        is_native=True,
        kicker=f"Hyperparameter study on {join_names(findings.labels)}",
        title=findings.name,
        names=(),
        answers=view_answers(claims),
        contents=list_contents(sections),
        sections=sections,
    )


def _tabulate_scenes(findings: ScenesFindings) -> TableView:
    metric = findings.first.metric.name
    heads = ["scene", "trials", f"best {metric}", f"default's {metric}", "break", "what matters"]
    return TableView(heads, [_row(label, own) for label, own in findings.by_scene.items()])


def _row(label: str, own: Findings) -> list[object]:
    overall, claims = own.breaking.overall, list_claims(own)
    matters = select_claims(claims, "what_matters") or headline_claims(claims)
    return [
        label,
        len(own.study.trials),
        _read_metric(own, own.best),
        _read_metric(own, own.default),
        format_part(overall.rate, overall.low, overall.high) if overall.trials else "–",
        join_texts(matters),
    ]


def _read_metric(own: Findings, trial: pd.Series | None) -> float | None:
    return None if trial is None else own.study.metric.values(float(trial["score"]))


def _list_ranked(findings: ScenesFindings) -> Iterator[bool]:
    yield findings.importance.ranked
    yield from (own.importance.ranked for own in findings.by_scene.values())


def _tabulate_shares(findings: ScenesFindings) -> TableView:
    """A row for each parameter: its share of the mean over scenes, and on each scene."""
    series = [findings.importance, *(own.importance for own in findings.by_scene.values())]
    rows = [
        [dimension.label, *(_describe_share(each, dimension.path) for each in series)]
        for dimension in findings.first.space.dimensions
    ]
    return TableView(["parameter", "averaged over scenes", *findings.labels], rows)


def _describe_share(importance: Importance, path: str) -> str:
    share = next((s for s in importance.shares if s.path == path and importance.ranked), None)
    return "–" if share is None else format_part(share.share, share.share_low, share.share_high)


def _tabulate_levels(findings: ScenesFindings) -> TableView:
    """Levels of each parameter: points that break on any scene, and runs on each scene."""
    rows = [
        [
            parameter.label,
            rate.name,
            f"{rate.broken} of {rate.trials}",
            format_part(rate.rate, rate.low, rate.high) if rate.trials else "–",
            f"{parameter.p_value:.2g}" if parameter.p_value >= 0.001 else "< 0.001",
        ]
        for parameter in findings.breaking.parameters
        for rate in parameter.rates
    ]
    return TableView(["parameter", "level", "points that break", "rate", "p"], rows)


def _tabulate_claims(claims: Sequence[Claim]) -> TableView:
    rows = [[c.kind.replace("_", " "), c.text, c.condition, c.n, c.confidence] for c in claims]
    return TableView(["kind", "claim", "condition", "n", "confidence"], rows)
