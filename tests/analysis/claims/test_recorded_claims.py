"""Claims about other tools' sweeps: the tool's metric, unit, direction and states."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest

from analysis.claims.claim import Claim
from analysis.claims.comparison_claims import list_comparison_claims
from analysis.claims.list_claims import headline_claims, list_claims, select_claims
from analysis.claims.value_claims import list_value_claims
from analysis.data.selection import select_finished
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.comparison import compare_studies
from tests.analysis.foreign_studies import VAL_LOSS, make_foreign_study, val_loss

OTHER_WORDS = re.compile(
    r"\bdB\b|PSNR|psnr|SSIM|\bnan\b|seed|scene|view|render|photograph|NeRF|nerf|explored|"
    r"trained|collapse|break|broke|nothing|default"
)


@pytest.fixture(params=["minimised_findings", "maximised_findings"])
def findings(request: pytest.FixtureRequest) -> Findings:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Findings)
    return found


def texts(claims: tuple[Claim, ...] | list[Claim]) -> str:
    return " ".join(claim.text for claim in claims)


def test_no_claim_has_a_word_of_another_trade(findings: Findings) -> None:
    claims = list_claims(findings)
    assert len(claims) > 10
    for claim in claims:
        assert not OTHER_WORDS.search(f"{claim.text} {claim.condition} {claim.unit}"), claim
        assert claim.unit in ("", "%", "fraction", "trials", "steps", "rank correlation")
        assert claim.text.endswith(".")


def test_intervals_are_ascending_and_hold_their_estimate(findings: Findings) -> None:
    for claim in list_claims(findings):
        if claim.low is not None and claim.high is not None and claim.estimate is not None:
            assert claim.low <= claim.estimate <= claim.high


def test_the_headline_names_the_metric(
    minimised_findings: Findings, maximised_findings: Findings
) -> None:
    lowest = texts(headline_claims(list_claims(minimised_findings)))
    assert re.match(r"lr: \d+ % \[\d+, \d+\] of the variance of val_loss among the 69 ", lowest)
    assert "completed trials." in lowest
    highest = texts(headline_claims(list_claims(maximised_findings)))
    assert "of the variance of accuracy among the 57 completed trials." in highest


def test_the_best_trial_is_that_of_the_lowest_loss(minimised_findings: Findings) -> None:
    (best,) = select_claims(list_claims(minimised_findings), "best_run")
    losses = -select_finished(minimised_findings.study.trials)["score"]
    assert best.estimate == losses.min() > 0
    assert best.text.startswith(f"Lowest val_loss of the 69 completed trials: {losses.min():.4g} (")
    assert best.condition == "a single trial, the lowest of all"


def test_the_best_trial_is_that_of_the_highest_accuracy(maximised_findings: Findings) -> None:
    (best,) = select_claims(list_claims(maximised_findings), "best_run")
    accuracies = select_finished(maximised_findings.study.trials)["score"]
    assert best.estimate == accuracies.max()
    assert best.text.startswith("Highest accuracy of the 57 completed trials: ")
    assert f" {accuracies.max():.4g} % (trial " in best.text
    assert best.unit == "%"


def test_states_are_those_of_the_record(minimised_findings: Findings) -> None:
    states = select_claims(list_claims(minimised_findings), "state")
    assert [claim.text for claim in states] == [
        "70 of 76 trials completed, 1 of them without a finite val_loss.",
        "4 of 76 trials were pruned.",
        "2 of 76 trials failed.",
    ]


def test_values_called_worse_have_a_higher_loss_and_those_as_good_do_not(
    minimised_findings: Findings,
) -> None:
    claims = list(list_value_claims(minimised_findings))
    best = val_loss({"lr": 1e-3, "optimizer": "adam"})
    for claim in claims:
        if claim.kind in ("worse", "as_good") and claim.parameters[0].startswith("lr="):
            low, high = map(float, claim.parameters[0].removeprefix("lr=").split(":"))
            losses = [
                val_loss({"lr": lr, "optimizer": "adam"}) for lr in np.geomspace(low, high, 9)
            ]
            assert claim.estimate is not None
            if claim.kind == "worse":
                assert min(losses) - best > claim.estimate
                assert f": val_loss more than {claim.estimate:g} higher." in claim.text
            else:
                assert max(losses) - best < claim.estimate
                assert f": val_loss at most {claim.estimate:g} higher on average" in claim.text
    assert {"worse", "as_good", "best_value"} <= {claim.kind for claim in claims}


def test_a_lower_accuracy_is_worse_in_points(maximised_findings: Findings) -> None:
    said = texts(list(list_value_claims(maximised_findings)))
    assert re.search(r"accuracy at most [\d.]+ points? lower on average than with the best", said)
    assert re.search(r"accuracy more than [\d.]+ points? lower\.", said)


def test_turning_the_sign_of_metric_and_direction_changes_no_share(tmp_path: Path) -> None:
    lower = analyze_study(make_foreign_study(tmp_path, curves=False))
    gain = type(VAL_LOSS)("gain")
    higher = analyze_study(
        make_foreign_study(tmp_path, gain, lambda v: -val_loss(v), curves=False, noise=-0.05)
    )
    shares = [f.importance.table()["share"].tolist() for f in (lower, higher)]
    assert shares[0] == pytest.approx(shares[1])
    assert [c.kind for c in list_claims(lower)] == [c.kind for c in list_claims(higher)]


def test_repeats_show_what_chance_does_in_the_unit_of_the_metric(
    minimised_findings: Findings,
) -> None:
    (spread,) = select_claims(list_claims(minimised_findings), "seed_sd")
    losses = [val_loss(row) for row in minimised_findings.study.trials[:64].to_dict("records")]
    assert spread.low is not None
    assert spread.high is not None
    assert spread.low <= 0.15 * float(np.std(losses)) <= spread.high
    assert spread.text.startswith("Chance alone moves val_loss by 0.")


def test_what_early_stopping_costs_has_the_direction_of_the_metric(tmp_path: Path) -> None:
    study = make_foreign_study(tmp_path, noise=0.15)
    # The trial that ends best lags behind all others until its last step.
    best = str(select_finished(study.trials).sort_values("score")["trial_id"].iloc[-1])
    early = (study.curves["trial_id"] == best) & (study.curves["step"] < 9)
    study.curves.loc[early, "score"] -= 10.0
    (order,) = select_claims(list_claims(analyze_study(study)), "early_order")
    assert re.search(r"would have left a best val_loss 0\.\d+ higher\.$", order.text)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_claims_do_not_depend_on_the_scale_of_the_metric(tmp_path: Path, scale: float) -> None:
    plain = analyze_study(make_foreign_study(tmp_path, noise=0.15, repeats=12, curves=False))
    scaled = analyze_study(
        make_foreign_study(
            tmp_path, objective=lambda v: scale * val_loss(v), noise=0.15, repeats=12, curves=False
        )
    )
    for a, b in zip(list_claims(plain), list_claims(scaled), strict=True):
        assert (a.kind, a.parameters) == (b.kind, b.parameters)
        if a.kind in ("as_good", "worse", "seed_sd", "best_run"):
            assert a.estimate is not None
            assert b.estimate is not None
            assert math.isclose(scale * a.estimate, b.estimate, rel_tol=1e-6)


def test_several_sweeps_are_pooled_under_the_name_of_their_metric(
    minimised_findings: Findings, tmp_path: Path
) -> None:
    other = analyze_study(make_foreign_study(tmp_path, noise=0.15, seed=3, name="other.db"))
    comparison = compare_studies([minimised_findings, other])
    claims = list_comparison_claims(comparison)
    pooled = select_claims(claims, "pooled_share")
    assert pooled
    assert all("of the variance of val_loss on average" in claim.text for claim in pooled)
    assert not OTHER_WORDS.search(" ".join(f"{c.text} {c.condition}" for c in claims))


def test_a_seed_that_was_recorded_as_a_setting_has_no_best_value(
    minimised_findings: Findings,
) -> None:
    as_seeds = tuple(
        dataclasses.replace(effect, label="train.seed") for effect in minimised_findings.effects
    )
    assert list(list_value_claims(minimised_findings))
    assert not list(list_value_claims(dataclasses.replace(minimised_findings, effects=as_seeds)))
