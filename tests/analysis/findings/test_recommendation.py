"""What to set and what to run next, of studies whose objective is known."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from analysis.claims.claim import Claim
from analysis.claims.commands import next_study_command, train_command
from analysis.claims.list_claims import select_claims
from analysis.claims.next_claims import list_next_claims
from analysis.findings.analyze_study import Findings
from analysis.findings.next_study import MORE_TRIALS, plan_next_study
from analysis.findings.recommendation import Recommendation, recommend
from nerf.common.commands import command_at_root
from study.cli.options import parse_options
from study.records.outcomes import COLLAPSED, SHOWS_NOTHING, TRAINED
from study.spec.parse_space import parse_dimension

ROOT = Path(__file__).parents[3]
RATE = "optimisation.learning_rate"


@pytest.fixture(scope="module")
def recommended(replicated_findings: Findings) -> Recommendation:
    return recommend(replicated_findings)


def test_the_best_configuration_is_recommended_where_further_seeds_prove_it(
    replicated_findings: Findings, recommended: Recommendation
) -> None:
    both = replicated_findings.best_and_default
    assert both is not None
    assert both.difference is not None
    assert both.difference.low > 0.0
    assert recommended.source == "best"
    assert recommended.values == both.best.values


def test_a_configuration_that_breaks_more_often_is_not(replicated_findings: Findings) -> None:
    both = replicated_findings.best_and_default
    assert both is not None
    breaks = dataclasses.replace(both.best.breaks, rate=0.25)
    worse = dataclasses.replace(both, best=dataclasses.replace(both.best, breaks=breaks))
    findings = dataclasses.replace(replicated_findings, best_and_default=worse)
    assert recommend(findings).source != "best"


def test_a_value_is_set_where_the_default_loses_and_kept_where_it_does_not(
    recommended: Recommendation,
) -> None:
    """PSNR peaks at a learning rate of 0.002; the number of frequencies has no effect."""
    advice = {p.dimension.path: p for p in recommended.parameters}
    rate = advice[RATE]
    assert rate.advice == "set"
    assert rate.value == pytest.approx(0.002, rel=0.5)
    assert rate.good[0] <= rate.value <= rate.good[-1]
    assert advice["encoding.position_frequencies"].advice == "keep"
    assert not advice["encoding.position_frequencies"].matters


def test_zero_is_a_value_to_set(minimised_findings: Findings) -> None:
    """As of a sweep of a tool that numbers its optimizers, of which number 0 is the best."""
    effect = next(e for e in minimised_findings.effects if e.path == "optimizer")
    assert effect.curve is not None
    numbers = tuple(range(len(effect.choices)))
    verdicts = ("as good", *["worse"] * (len(numbers) - 1))
    curve = dataclasses.replace(
        effect.curve, values=numbers, best=0, verdicts=verdicts, matters=True, spread_high=10.0
    )
    study = minimised_findings.study
    dimensions = tuple(
        dataclasses.replace(d, choices=numbers) if d.path == "optimizer" else d
        for d in study.space.dimensions
    )
    space = dataclasses.replace(study.space, dimensions=dimensions)
    findings = dataclasses.replace(
        minimised_findings,
        study=dataclasses.replace(study, space=space),
        effects=(dataclasses.replace(effect, choices=numbers, curve=curve),),
    )
    assert recommend(findings).values == {"optimizer": 0}


def test_no_more_seeds_are_advised_of_a_best_that_is_proved(
    replicated_findings: Findings, recommended: Recommendation
) -> None:
    """A default that never trains gives no difference, and the best is proved all the same."""
    both = replicated_findings.best_and_default
    assert both is not None
    default = dataclasses.replace(both.default, scores=())
    both = dataclasses.replace(both, default=default, difference=None)
    findings = dataclasses.replace(replicated_findings, best_and_default=both)
    closed = [dataclasses.replace(p, matters=False) for p in recommended.parameters]
    proved = dataclasses.replace(recommend(findings), parameters=tuple(closed))
    assert proved.source == "best"
    assert plan_next_study(findings, proved).aim == ""
    undecided = dataclasses.replace(proved, source="default", values={})
    assert plan_next_study(findings, undecided).aim == "compare"


def test_commands_say_what_they_are_for(
    replicated_findings: Findings, recommended: Recommendation
) -> None:
    study = replicated_findings.study
    command = train_command(study, recommended.values)
    assert "nerf/train.py --scene synthetic" in command
    assert f"--set {RATE}={recommended.values[RATE]:.5g}" in command
    plan = plan_next_study(replicated_findings, recommended)
    assert plan.aim == "decide"
    command = next_study_command(study, plan)
    assert f"--explore {plan.explore}" in command
    assert not re.search(r"\d\.\d{8}", command), "digits that nobody reads"


def test_files_in_the_checkout_are_named_from_its_root() -> None:
    inside = ROOT / "studies" / "one" / "best.toml"
    assert command_at_root("nerf/train.py", "--config", inside).endswith(
        "--config studies/one/best.toml"
    )
    assert command_at_root("nerf/train.py", "--config", Path("/else/best.toml")).endswith(
        " /else/best.toml"
    )


def test_a_study_that_ranks_nothing_is_repeated_with_more_trials(
    replicated_findings: Findings,
) -> None:
    refused = dataclasses.replace(replicated_findings.importance, refusal="too few.")
    sobol = dataclasses.replace(replicated_findings.sobol, importance=refused)
    findings = dataclasses.replace(replicated_findings, sobol=sobol)
    plan = plan_next_study(findings, recommend(findings))
    assert (plan.aim, plan.explore) == ("rank", MORE_TRIALS * 64)
    (claim,) = select_claims(tuple(list_next_claims(findings)), "what_next")
    assert claim.text.startswith("Run 256 explored trials instead of 64, over the same ranges: ")
    options = parse_options(next_study_command(findings.study, plan).split()[2:])
    assert options.explore == plan.explore
    varied = {str(parse_dimension(text)) for text in options.vary}
    assert varied == {str(dimension) for dimension in findings.study.space.dimensions}


def test_where_no_run_trained_the_next_study_trains_longer_or_elsewhere(
    replicated_findings: Findings,
) -> None:
    study = replicated_findings.study

    def next_of(outcome: str, **spec: object) -> Claim:
        trials = study.trials.assign(outcome=outcome)
        broken = dataclasses.replace(study, trials=trials, spec={**study.spec, **spec})
        findings = dataclasses.replace(
            replicated_findings, study=broken, best_and_default=None, effects=()
        )
        return select_claims(tuple(list_next_claims(findings)), "what_next")[0]

    steps = study.spec["steps"]
    claim = next_of(SHOWS_NOTHING)
    assert claim.text == (
        f"Train for {4 * steps} steps instead of {steps}: none of 64 explored runs trained."
    )
    options = parse_options(claim.command.split()[2:])
    assert (options.steps, options.explore) == (4 * steps, 64)
    kept = {"design": "random", "sampler": "gp", "follow_links": True}
    options = parse_options(next_of(SHOWS_NOTHING, **kept).command.split()[2:])
    assert (options.design, options.sampler, options.follow_links) == tuple(kept.values())
    options = parse_options(next_of(SHOWS_NOTHING, design="grid").command.split()[2:])
    assert (options.design, options.explore) == ("grid", None)
    claim = next_of(COLLAPSED)
    assert claim.text.startswith("Change the ranges, or what is fixed: none of 64 explored runs")
    assert claim.command == ""


@pytest.mark.parametrize(("nothing", "aim"), [(40, "train"), (30, "rank")])
def test_where_most_runs_show_nothing_the_next_study_trains_longer(
    replicated_findings: Findings, nothing: int, aim: str
) -> None:
    """Of 64 explored runs."""
    study = replicated_findings.study
    outcomes = [SHOWS_NOTHING] * nothing + [TRAINED] * (len(study.trials) - nothing)
    broken = dataclasses.replace(study, trials=study.trials.assign(outcome=outcomes))
    refused = dataclasses.replace(replicated_findings.importance, refusal="too few.")
    sobol = dataclasses.replace(replicated_findings.sobol, importance=refused)
    findings = dataclasses.replace(replicated_findings, study=broken, sobol=sobol)
    plan = plan_next_study(findings, recommend(findings))
    (claim,) = select_claims(tuple(list_next_claims(findings)), "what_next")
    assert plan.aim == aim
    assert claim.text.endswith(": only 24 of 64 explored runs trained.") == (aim == "train")


def test_defaults_are_not_said_to_be_good_where_no_run_trained(
    replicated_findings: Findings,
) -> None:
    study = replicated_findings.study
    trials = study.trials.assign(outcome=SHOWS_NOTHING)
    findings = dataclasses.replace(
        replicated_findings,
        study=dataclasses.replace(study, trials=trials),
        best_and_default=None,
        effects=(),
    )
    (claim,) = select_claims(tuple(list_next_claims(findings)), "what_to_set")
    assert claim.text == "Not known yet: no run trained; begin with the defaults."
