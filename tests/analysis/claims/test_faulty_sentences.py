"""Sentences that this program once wrote and that were false, and what stands there now."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from analysis.claims.claim import Claim
from analysis.claims.comparison_claims import list_comparison_claims
from analysis.claims.list_claims import list_claims, select_best, select_claims
from analysis.claims.value_claims import list_value_claims
from analysis.data.study import load_study
from analysis.figures.importance_bars import plot_importance_bars
from analysis.figures.variance_parts import plot_variance_parts
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.comparison import compare_studies
from analysis.findings.partial_dependence import EffectCurve
from analysis.findings.tables import build_importance_table
from analysis.pages.comparison_page import render_comparison_page
from analysis.pages.study_page import render_study_page
from analysis.published.page import RESULTS
from analysis.published.strata import (
    compare_within_strata,
    describe_pooled,
    describe_within_strata,
)
from nerf.config.parameters import Value
from study.records.study_folder import StudyFolder

Make = Callable[..., StudyFolder]
RATE = "optimisation.learning_rate"


def constant(values: Mapping[str, Value]) -> float:
    return 20.0


@pytest.fixture(scope="module")
def pure_noise(make_study: Make) -> Findings:
    return analyze_study(make_study("noise", explore=64, objective=constant, noise=1.0))


def with_curve(findings: Findings, path: str, **changes: object) -> Findings:
    """The findings with another curve of one parameter, as if the trials had told less."""
    effects = []
    for effect in findings.effects:
        if effect.path == path:
            assert effect.curve is not None
            curve: EffectCurve = dataclasses.replace(effect.curve, **changes)  # type: ignore[arg-type]
            effect = dataclasses.replace(effect, curve=curve)
        effects.append(effect)
    return dataclasses.replace(findings, effects=tuple(effects))


def texts(claims: tuple[Claim, ...] | list[Claim]) -> str:
    return " ".join(claim.text for claim in claims)


def test_values_that_are_not_proved_worse_are_not_called_as_good(
    replicated_findings: Findings,
) -> None:
    curve = next(e.curve for e in replicated_findings.effects if e.path == RATE)
    assert curve is not None
    count = len(curve.values)
    verdicts = ("worse", *("open",) * (count - 3), "as good", "as good")
    findings = with_curve(
        replicated_findings, RATE, verdicts=verdicts, margin=0.2, matters=True, at_edge=""
    )
    claims = [c for c in list_value_claims(findings) if c.parameters[0].startswith(RATE)]
    (good,) = select_claims(claims, "as_good")
    assert good.parameters == (f"{RATE}={curve.values[-2]!r}:{curve.values[-1]!r}",)
    assert "loses at most 0.2 dB on average" in good.text
    (open_,) = select_claims(claims, "not_told_apart")
    assert open_.parameters == (f"{RATE}={curve.values[1]!r}:{curve.values[-3]!r}",)
    assert "is as good" not in texts(claims)


def test_a_parameter_without_a_significant_effect_has_no_best_value(
    replicated_findings: Findings,
) -> None:
    findings = with_curve(replicated_findings, RATE, matters=False)
    assert not [c for c in list_value_claims(findings) if c.parameters[0].startswith(RATE)]
    assert "no best value is claimed" in render_study_page(findings)


def test_shares_and_best_values_say_of_which_runs_and_how_many_train(
    replicated_findings: Findings,
) -> None:
    near = [c for c in list_claims(replicated_findings) if "sampling.near" in c.parameters]
    (share,), (best,) = select_claims(near, "share"), select_claims(near, "best_value")
    trained = replicated_findings.importance.trials
    assert f"among the {trained} explored runs that trained" in share.text
    assert f"among the {trained} explored runs that trained" in best.text
    assert "P(trains) from " in share.text
    assert "P(trains) with " in best.text


def test_parts_of_the_variance_add_up_with_what_is_unexplained(
    replicated_findings: Findings,
) -> None:
    importance = replicated_findings.importance
    assert sum(part.share for part in importance.parts) == pytest.approx(1.0)
    bars = plot_variance_parts(importance).data
    assert sum(bar.x[0] for bar in bars) == pytest.approx(1.0)
    assert bars[-1].name.startswith("unexplained")
    share, alone = importance.shares[0].share, importance.shares[0].alone
    assert [bar.name for bar in plot_importance_bars(importance).data] == [
        "alone",
        "with interactions",
    ]
    assert alone <= share


def test_pure_noise_has_no_shares_and_no_best_values(pure_noise: Findings) -> None:
    claims = list_claims(pure_noise)
    assert not select_claims(claims, "share", "share_alone", "best_value", "as_good", "settled_by")
    (refusal,) = select_claims(claims, "not_ranked")
    assert refusal.text.startswith("No ranking of the parameters among runs that trained: ")


def test_a_refused_ranking_is_grey_and_flagged(pure_noise: Findings) -> None:
    figure = plot_importance_bars(pure_noise.importance)
    assert [note.text for note in figure.layout.annotations] == ["not ranked"]
    assert {trace.opacity for trace in figure.data} == {0.25}
    table = build_importance_table(pure_noise)
    of_psnr = table[table["question"].str.startswith("psnr: variance")]
    assert len(of_psnr)
    assert (of_psnr["flagged"] == pure_noise.importance.refusal).all()


def test_the_best_run_is_not_called_better_than_the_default(
    replicated_findings: Findings, study_findings: Findings
) -> None:
    run, gain = select_best(list_claims(replicated_findings))
    assert "selected for its luck" in run.text
    assert gain.kind == "gain_over_default"
    assert gain.low is not None
    assert "further seeds of the best" in gain.text
    run, unknown = select_best(list_claims(study_findings))
    assert unknown.kind == "not_told_apart"
    assert "one run each cannot tell" in unknown.text
    assert "--extend 0 --replicates 12" in unknown.text
    assert "dB above the default" not in html.unescape(render_study_page(study_findings))


def test_a_default_outside_the_space_is_marked(make_study: Make) -> None:
    folder = make_study("narrow", explore=8, vary=("field.width=16:32", RATE), objective=constant)
    assert "(outside the searched space: field.width 128)" in texts(
        select_best(list_claims(analyze_study(folder)))
    )


def test_completed_runs_that_show_nothing_are_counted_first(make_study: Make) -> None:
    folder = make_study("blank", explore=16, optimize=1, objective=lambda _: 8.0, noise=0.1)
    findings = analyze_study(folder)
    page = html.unescape(render_study_page(findings)).replace("\u00a0", " ")
    header = page[page.index("<header>") : page.index("</header>")]
    assert "show nothing: completed, but no better than the best trivial image" in header
    assert "completed, " not in header.replace("nothing: completed, ", "")
    assert "mean image, 8.90 dB" in header


def test_a_best_value_at_the_end_of_its_range_is_pointed_out(
    replicated_findings: Findings,
) -> None:
    findings = with_curve(replicated_findings, RATE, at_edge="high", matters=True)
    (edge,) = select_claims(tuple(list_value_claims(findings)), "edge_of_range")[-1:]
    assert edge.text == (
        "The best learning rate may lie above 0.02, where the searched range ends."
    )


def test_one_ranked_study_is_not_pooled_and_held_values_are_listed(
    replicated_findings: Findings, pure_noise: Findings
) -> None:
    spec = dataclasses.replace(pure_noise.study.space, fixed=(("field.depth", 2),))
    other = dataclasses.replace(pure_noise, study=dataclasses.replace(pure_noise.study, space=spec))
    studies = [replicated_findings, other]
    comparison = compare_studies(studies)
    claims = list_comparison_claims(comparison)
    assert not select_claims(claims, "pooled_share", "disagreement")
    assert any(text.startswith("field.depth: ") for text in comparison.differences)
    page = html.unescape(render_comparison_page(studies, comparison))
    assert "1 of 2 studies ranks a parameter that another one varies" in page
    assert "fewer than two of these studies rank a parameter that another varies" in page
    assert "of PSNR's variance on average over studies" not in page


def test_a_pooled_difference_that_a_stratum_reverses_is_not_stated() -> None:
    """Noise on a ReLU density helps at one learning rate and harms at the other."""
    study = load_study(RESULTS / "cures")
    noise = "optimisation.density_noise"
    first, second = compare_within_strata(study, noise, [RATE])
    assert first.significant
    assert second.significant
    assert first.first != second.first
    assert " against " not in describe_pooled(study, noise, [RATE])
    assert "0.005: density noise 0 14/36" in describe_within_strata(study, noise, [RATE])


def test_hidden_activations_differ_within_relu_densities() -> None:
    text = describe_within_strata(
        load_study(RESULTS / "activations"), "field.hidden_activation", ["field.density_activation"]
    )
    assert "density activation relu: softplus 16/17 against sine 0/13" in text
    assert "density activation softplus:" not in text


def test_the_results_page_states_no_pooled_effect_of_noise() -> None:
    page = (Path(RESULTS) / "README.md").read_text()
    assert "kept every ReLU alive" not in page
    assert "of one scene" in page
