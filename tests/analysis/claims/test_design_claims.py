"""Claims on trials that were not drawn from the prior, and their wording."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from analysis.claims.list_claims import (
    headline_claims,
    list_claims,
    name_further_shares,
    select_claims,
)
from analysis.data.design import Design, DesignKind
from analysis.external.design import add_design
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.other_readings import estimate_reading
from analysis.pages.study_page import render_study_page
from tests.analysis.external.designed_trials import (
    correlated_units,
    make_study,
    make_table,
    walk_table,
)


def _analyze(table: object) -> Findings:
    return analyze_study(add_design(make_study(table)))  # type: ignore[arg-type]


def test_shares_of_an_optimiser_are_over_the_prior() -> None:
    findings = _analyze(walk_table(96, 1))
    claims = list_claims(findings)
    (design,) = select_claims(claims, "design")
    assert design.text.startswith("Results decided where trials lie: ")
    assert design.estimate == findings.importance.effective
    assert f"as about {findings.importance.effective:.0f} that are" in design.text
    shares = select_claims(claims, "share")
    assert {claim.parameters for claim in shares} <= {("lr",), ("optimizer",)}
    assert all(
        claim.text.endswith("of the variance of accuracy over the prior.") for claim in shares
    )
    # What compares good trials with the prior has nothing to say.
    assert select_claims(claims, "top_tenth", "early_order", "settled_by", "seed_share") == ()
    assert findings.ped_anova.refusal.startswith("results decided where trials lie")


def test_a_parameter_that_moves_with_a_live_one_is_named_nowhere() -> None:
    claims = list_claims(_analyze(make_table(correlated_units(96))))
    effects = [c for c in claims if c.parameters and c.kind != "not_significant"]
    named = {claim.parameters[0].partition("=")[0] for claim in effects}
    assert "width" not in named
    assert "lr" in named


def test_parameters_without_a_significant_share_are_named_at_once() -> None:
    findings = _analyze(make_table(np.random.default_rng(0).random((96, 3))))
    (others,) = select_claims(list_claims(findings), "not_significant")
    shares = {s.path: s for s in findings.importance.shares}
    assert others.parameters == tuple(p for p, s in shares.items() if not s.significant)
    assert "width" in others.parameters
    most = max(100 * shares[path].share_high for path in others.parameters)
    assert others.text.startswith(f"No effect found: {', '.join(others.parameters)}: ")
    assert others.text.endswith(f"none reaches above {most:.0f} %.")


def test_significant_shares_beyond_the_headline_are_named() -> None:
    findings = _analyze(make_table(np.random.default_rng(0).random((96, 3))))
    assert name_further_shares(findings) == ""
    largest = findings.importance.shares[0]
    shares = tuple(dataclasses.replace(largest, path=name, label=name) for name in "abcde")
    importance = dataclasses.replace(findings.importance, shares=shares)
    sobol = dataclasses.replace(findings.sobol, importance=importance)
    findings = dataclasses.replace(findings, sobol=sobol)
    assert name_further_shares(findings) == "Smaller, but significant as well: d, e."
    headline = select_claims(headline_claims(list_claims(findings)), "share")
    assert [claim.parameters for claim in headline] == [("a",), ("b",), ("c",)]


def test_without_a_ranking_the_conditional_test_says_what_has_an_effect() -> None:
    findings = _analyze(walk_table(96, 1))
    refused = dataclasses.replace(
        findings,
        sobol=dataclasses.replace(
            findings.sobol,
            importance=dataclasses.replace(findings.importance, refusal="too few."),
        ),
    )
    moves = select_claims(list_claims(refused), "moves")
    assert moves
    assert all("given all other parameters; no size is claimed" in claim.text for claim in moves)
    assert {claim.parameters for claim in moves} <= {("lr",), ("optimizer",)}


@pytest.mark.parametrize(
    ("kind", "evidence", "first", "limitation"),
    [
        ("few", "40 trials", "It is not known whether the trials were drawn", "it is not known"),
        ("optimiser", "by its record, tpe", "Results decided where trials lie", "results decided"),
        ("pruned", "9 of 20", "Results decided which trials completed", "results decided which"),
        ("correlated", "x drifts", "The trials were not drawn", "the trials were not drawn"),
        ("uneven grid", "35 of 36", "The trials are a grid with gaps", "the trials are a grid"),
    ],
)
def test_all_texts_say_of_the_design_only_what_is_known(
    kind: DesignKind, evidence: str, first: str, limitation: str
) -> None:
    study = make_study(make_table(np.random.default_rng(0).random((20, 3))))
    findings = analyze_study(dataclasses.replace(study, design=Design(kind, 20, evidence)))
    (design,) = select_claims(list_claims(findings), "design")
    assert design.text.startswith(first)
    assert f": {evidence}." in design.text
    assert "Shares are" not in design.text  # there are none
    for refusal in (findings.ped_anova.refusal, findings.over_time.refusal):
        assert refusal.startswith(limitation)
    assert "20 trials are too few" in findings.importance.refusal


def test_another_reading_is_analysed_by_its_design() -> None:
    study = make_study(walk_table(48, 1))
    kinds: tuple[DesignKind, ...] = ("optimiser", "space-filling")
    for kind in kinds:
        reading = estimate_reading(dataclasses.replace(study, design=Design(kind, 48, "x")))
        assert (reading.effective is not None) == (kind == "optimiser")


def test_the_design_stands_at_the_head_of_the_page() -> None:
    findings = _analyze(make_table(np.random.default_rng(0).random((20, 3))))
    head, _, _ = render_study_page(findings).partition("</header>")
    assert "It is not known whether the trials were drawn from the prior: 20 trials" in head


def test_even_trials_are_analysed_as_drawn_from_the_prior() -> None:
    findings = _analyze(make_table(np.random.default_rng(0).random((96, 3))))
    assert findings.importance.effective is None
    assert findings.conditional_tests == ()
    assert findings.permutation_tests
    (design,) = select_claims(list_claims(findings), "design")
    assert "look like draws from the prior" in design.text
