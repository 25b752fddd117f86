"""Claims of every kind are scored as true or false; what is left unsaid is counted."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from simulated.objectives import find_objective, list_objectives
from simulated.score_sets import SET_CLAIMS
from simulated.scoring import _RULES, NOT_SCORED, Case, score_claim, score_pooled_share
from simulated.simulate_study import simulate_study
from simulated.tally import (
    ALL_RATES,
    EQUAL_SHARES,
    NamedShare,
    kind_rows,
    objective_rows,
    score_pair,
    score_study,
)
from simulated.truth import find_truth
from simulated.unsaid import find_unsaid
from simulated.value_sets import ValueSet

from analysis.claims.claim import KINDS, Claim, Kind
from analysis.importance.closed_forms import list_benchmark_functions, make_cliff_function

NEAR, SPAN, RATE, DECAY = (
    "sampling.near",
    "sampling.span",
    "optimisation.learning_rate",
    "optimisation.decay",
)
DEAD = "optimisation.crop_steps"  # in "parabolas"
HIDDEN = "field.hidden_activation"


def make_claim(kind: Kind, *parameters: str, **fields: Any) -> Claim:
    claim = Claim(kind, parameters, None, None, None, "", 24, None, "", "A sentence.")
    return replace(claim, **fields)


@functools.cache
def make_case(name: str) -> Case:
    return Case(find_truth(name), simulate_study(find_objective(name), 24, 0))


# Objective, kind, parameters, fields of a true claim, fields of a false one; a tuple in place of
# fields is an interval. The truths are those of the formulas in simulated/objectives.py.
CASES: list[tuple[str, Kind, tuple[str, ...], Any, Any]] = [
    ("three-way", "share", (NEAR,), (0.90, 0.94), (0.0, 0.02)),
    ("three-way", "share_alone", (NEAR,), (0.0, 0.02), (0.90, 0.94)),
    ("three-way", "interaction", (), (0.90, 0.94), (0.0, 0.5)),
    ("interaction", "interaction", (NEAR, SPAN), (0.90, 0.94), (0.0, 0.5)),
    ("seeds 60 %", "unexplained", (), (0.55, 0.65), (0.1, 0.5)),
    ("near kills", "share_with_failures", (NEAR,), (0.95, 1.0), (0.1, 0.5)),
    ("near kills", "breaks", (f"{NEAR}=3.3:5",), (0.8, 1.0), (0.2, 0.9)),
    ("near kills", "safe", (f"{NEAR}=0.5:2",), (0.0, 0.2), (0.1, 0.2)),
    ("near kills", "breaks_pair", (f"{NEAR}=0.5:5", f"{SPAN}=1:8"), (0.3, 0.5), (0.5, 0.9)),
    ("noise", "seed_sd", (), (0.9, 1.1), (0.5, 0.9)),
    # Uniform on 0.1 to 1.3 dB: the median is 0.7, the root mean square 0.78.
    ("unequal noise", "seed_sd", (), (0.69, 0.71), (0.72, 1.0)),
    ("seeds 60 %", "seed_share", (), (0.55, 0.65), (0.1, 0.5)),
    ("noise", "tuning_gain", (f"{NEAR}=3",), (-0.1, 0.1), (0.1, 0.5)),
    ("noise", "gain_over_default", (f"{NEAR}=3",), (-0.5, 0.5), (0.1, 0.5)),
    ("needle", "gain_over_default", (f"{NEAR}=2.3", f"{SPAN}=5.2"), (2.0, 9.0), (0.1, 0.5)),
    ("parabolas", "best_value", (NEAR,), (3.1, 3.3), (1.0, 2.0)),
    ("parabolas", "as_good", (f"{NEAR}=3.1:3.3",), {"estimate": 0.1}, {"estimate": 1e-6}),
    ("parabolas", "worse", (f"{NEAR}=0.5:1",), {"estimate": 0.1}, {"estimate": 9.0}),
    ("parabolas", "early_order", (), {"low": 0.7, "high": 0.9, "text": "At step 100."},
     {"low": 0.1, "high": 0.5, "text": "At step 100."}),
    ("parabolas", "settled_by", (), {"estimate": 400.0}, {"estimate": 100.0}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "parameters", "true", "false"), CASES)
def test_interval_or_margin_decides(
    name: str, kind: Kind, parameters: tuple[str, ...], true: Any, false: Any
) -> None:
    for fields, verdict in ((true, "true"), (false, "false")):
        if isinstance(fields, tuple):
            low, high = fields
            fields = {"estimate": (low + high) / 2, "low": low, "high": high}
        claim = make_claim(kind, *parameters, **fields)
        assert score_claim(claim, make_case(name)) == verdict


@pytest.mark.parametrize(
    ("name", "kind", "true", "false"),
    [
        ("parabolas", "moves", NEAR, DEAD),
        ("parabolas", "top_tenth", NEAR, DEAD),
        ("categories", "best_value", f"{HIDDEN}=silu,gelu", f"{HIDDEN}=softplus"),
        ("categories", "as_good", f"{HIDDEN}=silu,gelu,relu,softplus,sine", f"{HIDDEN}=softplus"),
        # Rises along near until no run trains any more.
        ("weak collapse", "edge_of_range", f"{NEAR}=5", f"{NEAR}=0.5"),
        ("near kills", "as_good", f"{NEAR}=3.1:3.19", f"{NEAR}=3.1:3.5"),
    ],
)
def test_named_parameter_or_value_decides(name: str, kind: Kind, true: str, false: str) -> None:
    margin = 9.0 if kind == "as_good" and name == "categories" else 0.2
    claims = [make_claim(kind, text, estimate=margin) for text in (true, false)]
    if kind == "as_good" and name == "categories":
        claims[1] = replace(claims[1], estimate=0.1)
    verdicts = [score_claim(claim, make_case(name)) for claim in claims]
    assert verdicts == ["true", "false"]


def test_counts_are_exact() -> None:
    case = make_case("silent failures")
    trials = case.study.trials
    blank = int(((trials["state"] == "completed") & (trials["psnr"] < 13.9)).sum())
    trained = trials[(trials["state"] == "completed") & (trials["psnr"] > 13.9)]
    highest = trained.loc[trained["phase"] != "replicate", "psnr"].max()
    assert blank > 0
    for claim in (
        make_claim("state", condition="shows nothing, of all phases", estimate=float(blank)),
        make_claim("best_run", estimate=float(highest)),
    ):
        assert score_claim(claim, case) == "true"
        assert claim.estimate is not None
        assert score_claim(replace(claim, estimate=claim.estimate + 1.0), case) == "false"


def test_the_best_configuration_is_not_the_default() -> None:
    case = make_case("corner")  # where the default is among the best
    trials = case.study.trials
    assert case.best is not None
    assert case.best != case.default
    first = trials[trials["phase"] != "replicate"]
    same = first[NEAR] == case.best[NEAR]
    assert first.loc[same, "psnr"].max() >= first["psnr"].nlargest(2).iloc[-1]


def test_a_pooled_share_is_compared_with_the_true_share() -> None:
    truth = find_truth("three-way")
    pooled = make_claim("pooled_share", NEAR, low=0.9, high=0.95)
    assert score_pooled_share(pooled, truth) == "true"
    assert score_pooled_share(replace(pooled, low=0.5, high=0.9), truth) == "false"


def test_every_kind_has_a_rule_or_a_reason() -> None:
    of_comparisons = {"pooled_share", "disagreement", *SET_CLAIMS}
    assert set(KINDS) == set(_RULES) | set(NOT_SCORED) | of_comparisons


@pytest.mark.parametrize("name", ["cliff", "sparse", "parabolas", "interaction"])
def test_brute_force_agrees_with_closed_forms(name: str) -> None:
    truth = find_truth(name)
    functions = {f.name: f for f in (*list_benchmark_functions(), make_cliff_function())}
    function, explained = functions[name], 1.0 - truth.unexplained
    for path, first, total in zip(
        truth.objective.paths, function.first, function.total, strict=False
    ):
        assert truth.alone(path) / explained == pytest.approx(first, abs=0.005)
        assert truth.share(path) / explained == pytest.approx(total, abs=0.005)


def test_parts_of_the_variance_among_runs_that_train() -> None:
    """An input that only decides which runs train shifts the others' distribution, if they share
    a corner: it has a part alone and none by itself."""
    truth = find_truth("collapse in a corner")
    assert truth.share(SPAN) == pytest.approx(0.0, abs=1e-6)
    assert truth.alone(SPAN) > 0.02
    # Where near alone decides, runs that train have a narrower near, and so a smaller share.
    assert find_truth("near kills").share(NEAR) < find_truth("weak collapse").share(NEAR)


def test_ranges_and_lists_of_values() -> None:
    space = find_objective("quantised").space
    depth = next(d for d in space.dimensions if d.path == "field.depth")
    levels = np.array([0.125, 0.375, 0.625, 0.875])  # 4, 5, 6, 7
    assert ValueSet.parse("field.depth=5:6").select(depth, levels).tolist() == [0, 1, 1, 0]
    assert ValueSet.parse("field.depth=4,7").select(depth, levels).tolist() == [1, 0, 0, 1]
    assert ValueSet.parse("field.depth").select(depth, levels).all()


def test_what_is_unsaid() -> None:
    case = make_case("near kills")
    nothing = find_unsaid([], case)
    assert (nothing["share"].missed, nothing["share"].possible) == (3, 3)
    assert (nothing["breaks"].missed, nothing["breaks"].possible) == (1, 1)
    claims = [make_claim("share", RATE), make_claim("breaks", f"{NEAR}=3.3:5")]
    something = find_unsaid(claims, case)
    assert something["share"].missed == 2
    assert something["moves"].missed == 2
    assert something["breaks"].missed == 0
    all_values = [
        make_claim("as_good", f"{d.path}={d.from_unit(0.0)}:{d.from_unit(1.0)}", estimate=0.1)
        for d in case.truth.objective.dimensions
    ]
    assert find_unsaid(all_values, case)["as_good"].missed == 0.0
    assert nothing["as_good"].missed == nothing["as_good"].possible > 0.0


def test_tally_counts_claims_and_intervals() -> None:
    case = make_case("parabolas")
    claims = [
        make_claim("moves", NEAR),
        make_claim("moves", DEAD),
        make_claim("safe", f"{NEAR}=0.5:1", low=0.0, high=0.1),
        make_claim("safe", f"{NEAR}=1:2", low=0.1, high=0.2),
    ]
    shares = [NamedShare(NEAR, 0.1, 0.2, True), NamedShare(DEAD, 0.0, 0.1, True)]
    score = score_study(claims, shares, case)
    assert score.verdicts["moves"] == (1, 1, 0)
    assert score.verdicts["safe"] == (1, 1, 0)
    assert score.verdicts[ALL_RATES] == (0, 1, 0)
    assert (score.intervals, score.holding, score.live_missed) == (2, 1, True)
    assert (score.dead, score.dead_named) == (2, 1)
    moves = next(row for row in kind_rows([score]) if row[0] == "moves")
    assert moves[1:5] == [24, 2, 1, 50.0]
    assert objective_rows([score])[0][:4] == ["parabolas", 24, 1, 100.0]


def test_a_pair_of_equal_studies_should_not_disagree() -> None:
    claims = [
        make_claim("pooled_share", NEAR, low=0.9, high=0.95),
        make_claim("pooled_share", SPAN, low=0.1, high=0.2),
        make_claim("disagreement", NEAR),
    ]
    verdicts = score_pair(claims, compared=6, truth=find_truth("three-way"))
    assert verdicts == {"pooled_share": (1, 1, 0), EQUAL_SHARES: (5, 1, 0)}


def test_objectives_are_two_halves_with_defaults_in_the_space() -> None:
    objectives = list_objectives()
    assert len(objectives) >= 14
    assert {o.half for o in objectives} == {"tuned", "reported"}
    for objective in objectives:
        assert not objective.space.outside(objective.space.defaults())


def test_a_study_is_the_same_each_time_and_no_two_are() -> None:
    objective = find_objective("weak collapse")
    first, again, other = (simulate_study(objective, 24, index).trials for index in (0, 0, 1))
    assert first["psnr"].tolist() == again["psnr"].tolist()
    assert first["psnr"].tolist() != other["psnr"].tolist()
    assert first["phase"].value_counts().to_dict() == {
        "explore": 24,
        "replicate": 12,
        "optimize": 8,
    }
    assert set(first["state"]) >= {"completed", "collapsed"}
