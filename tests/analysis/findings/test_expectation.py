"""Expectations of shares: parsed, and held against posterior draws."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from analysis import report
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.expectation import Expectation, check_expectation, parse_expectation
from nerf.common.errors import InputError
from study.records.study_folder import StudyFolder

NEAR, RATE = "sampling.near", "optimisation.learning_rate"


@pytest.fixture(scope="module")
def findings(make_study: Callable[..., StudyFolder]) -> Findings:
    def rising(values: dict[str, float]) -> float:
        return 20.0 + 4.0 * float(values[NEAR])

    study = make_study("expected", explore=48, vary=(f"{NEAR}=0.5:4", RATE), objective=rising)
    return analyze_study(study)


@pytest.mark.parametrize(
    ("text", "expectation"),
    [
        ("lr > width", Expectation("lr > width", "lr", True, "width")),
        ("a b=c<x", Expectation("a b=c<x", "a b=c", False, "x")),
        (" lr > 12.5% ", Expectation("lr > 12.5%", "lr", True, 0.125)),
    ],
)
def test_expectations_are_parsed(text: str, expectation: Expectation) -> None:
    assert parse_expectation(text) == expectation


@pytest.mark.parametrize("text", ["", "lr", "lr >", "> lr", "lr = width"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--expect must be like"):
        parse_expectation(text)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (f"{NEAR} > {RATE}", True),
        (f"{RATE} < {NEAR}", True),
        (f"{NEAR} < {RATE}", False),
        ("near > 50%", True),
        (f"{RATE} < 20%", True),
        (f"{RATE} > 1%", False),
    ],
)
def test_an_expectation_holds_only_with_its_whole_interval(
    findings: Findings, text: str, holds: bool
) -> None:
    check = check_expectation(parse_expectation(text), findings)
    assert check.holds == holds
    assert ("does not hold" in check.text) != holds


def test_a_parameter_that_was_not_analysed_is_refused(findings: Findings) -> None:
    with pytest.raises(InputError, match="did you mean near"):
        check_expectation(parse_expectation("nea > 5%"), findings)


def test_nothing_holds_where_nothing_is_ranked(make_study: Callable[..., StudyFolder]) -> None:
    few = analyze_study(make_study("few", explore=8))
    path = few.study.space.dimensions[0].path
    check = check_expectation(parse_expectation(f"{path} < 100%"), few)
    assert not check.holds
    assert "nothing is ranked" in check.text


def test_the_command_exits_with_1_unless_it_holds(
    findings: Findings, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(findings.study.folder.path)
    assert report.main([folder, "--expect", "near > 50%"]) == 0
    assert report.main([folder, "--expect", "near > 50%", "--expect", "near < 50%"]) == 1
    assert "does not hold" in capsys.readouterr().out
    assert report.main([folder, "--expect", "near"]) == 2
    assert report.main([folder, "--metric", "loss"]) == 2
