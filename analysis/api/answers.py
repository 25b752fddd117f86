"""The answers of a `StudyAnalysis`: the claims, the table and the figures of one question each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from analysis.api.results import Draw, Result
from analysis.api.tables import (
    NO_EFFECTS,
    tabulate_bounds,
    tabulate_breaking,
    tabulate_importance,
)
from analysis.claims.bounds_claims import claim_bounds
from analysis.claims.claim import Claim
from analysis.claims.list_claims import (
    name_further_shares,
    select_breaks,
    select_claims,
    select_matters,
)
from analysis.claims.value_claims import list_value_claims
from analysis.data.selection import select_measured
from analysis.data.study import Study
from analysis.figures.break_rates import plot_break_rates, plot_pair_break_rates
from analysis.figures.importance_bars import plot_importance_bars
from analysis.figures.near_far_map import plot_near_far_map
from analysis.figures.parameter_effect import plot_parameter_effect, plot_parameter_pair
from analysis.figures.variant_differences import plot_variant_differences
from analysis.findings.analyze_study import Findings
from analysis.findings.bounds_map import FAR, NEAR, map_bounds
from analysis.findings.tables import build_tables
from nerf.common.errors import InputError

Figures = dict[tuple[str, ...], Draw]


def answer_importance(findings: Findings, claims: Sequence[Claim]) -> Result:
    """Shares of the variance, and a figure of all."""
    texts = [*_list_texts(select_matters(claims)), name_further_shares(findings)]
    importance, figures = findings.importance, Figures()
    if importance.shares:
        figures[()] = partial(plot_importance_bars, importance, findings.study.metric.name)
    return Result(tuple(filter(None, texts)), tabulate_importance(findings), figures)


def answer_collapse(findings: Findings, claims: Sequence[Claim]) -> Result:
    """Rates of runs that break, and a figure of each parameter and pair."""
    breaking, texts, figures = findings.breaking, _list_texts(select_breaks(claims)), Figures()
    if breaking.refusal:
        texts.append(f"Nothing to compare: {breaking.refusal}")
    else:
        figures |= {(p.path,): partial(plot_break_rates, p) for p in breaking.parameters}
        figures |= {p.paths: partial(plot_pair_break_rates, p) for p in breaking.pairs}
    return Result(tuple(texts), tabulate_breaking(breaking), figures)


def answer_effects(findings: Findings, claims: Sequence[Claim]) -> Result:
    """Means of the metric at each value, and a figure of each parameter and strong pair.

    The parameter of the highest share comes first.
    """
    texts = _list_texts(list(list_value_claims(findings)))
    texts = texts or _list_texts(select_claims(claims, "not_ranked", "not_significant"))
    metric, native = findings.study.metric, findings.study.is_native
    shares = [share.path for share in findings.importance.shares]
    # A field that a derived parameter sets has no share; it comes last.
    places = {path: place for place, path in enumerate(shares)}
    ordered = sorted(findings.effects, key=lambda effect: places.get(effect.path, len(shares)))
    figures: Figures = {
        (e.path if native else e.label,): partial(plot_parameter_effect, e, metric) for e in ordered
    }
    figures |= {
        p.paths if native else p.labels: partial(plot_parameter_pair, p, metric)
        for p in findings.pair_effects
    }
    table = build_tables(findings)["effects"]
    return Result(tuple(texts), table if len(table) else NO_EFFECTS, figures)


def answer_bounds(study: Study) -> Result:
    """Runs that broke in each cell of near and far, and the map of PSNR; raises `InputError`."""
    table = tabulate_bounds(map_bounds(study.trials))
    if table.empty:
        raise InputError(
            f"{study.name} has no explored runs with different near and far bounds; give a study "
            "that varies both"
        )
    measured = select_measured(study.trials)
    caption = "Explored runs that collapsed or show nothing, of all, by near and far bound:"
    return Result(
        (*(claim.text for claim in claim_bounds(study)), caption),
        table,
        {(): partial(plot_near_far_map, measured, NEAR, FAR, study.space.bounds)},
    )


def answer_variants(findings: Findings, claims: Sequence[Claim]) -> Result:
    """Each variant against the first one, and a figure of the differences."""
    compared, figures = findings.variants, Figures()
    if compared is not None:
        figures[()] = partial(plot_variant_differences, compared.to_first, compared.first)
    return Result(tuple(_list_texts(claims)), build_tables(findings)["variants"], figures)


def _list_texts(claims: Sequence[Claim]) -> list[str]:
    return [claim.text for claim in claims]
