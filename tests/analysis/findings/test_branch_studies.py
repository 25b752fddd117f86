"""Parameters that only some trials have are analysed among these trials."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.claims.list_claims import list_claims, select_claims
from analysis.external.question import Question
from analysis.external.read_study import read_external_study
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.branches import list_branch_studies
from analysis.findings.expectation import check_expectation, parse_expectation
from analysis.pages.study_page import render_study_page
from nerf.common.errors import InputError

TRIALS = 120


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """A table of runs, of which those with sgd have a momentum, which decides, and a delay."""
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(TRIALS):
        run = {"lr": rng.random(), "optimizer": str(rng.choice(["adam", "sgd"])), "delay": None}
        if run["optimizer"] == "sgd":
            run |= {"momentum": rng.random(), "delay": rng.random()}
        run["loss"] = 0.3 * run["lr"] + 1.5 * run.get("momentum", 0.75) + 0.05 * rng.normal()
        rows.append(run)
    path = tmp_path_factory.mktemp("branches") / "runs.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    question = Question(metric="loss", parameters=("lr", "optimizer", "momentum", "delay"))
    return analyze_study(read_external_study(path, question).study)


def test_trials_of_a_branch_have_its_parameters_and_the_shared_ones(findings: Findings) -> None:
    ((branch, part),) = list_branch_studies(findings.study)
    assert (branch.parent, branch.values) == ("optimizer", ("sgd",))
    assert {d.path for d in branch.dimensions} == {"momentum", "delay"}
    assert {d.path for d in part.space.dimensions} == {"lr", "momentum", "delay"}
    assert set(part.trials["optimizer"]) == {"sgd"}
    assert part.branches == ()


def test_only_shared_parameters_are_in_the_whole_analysis(findings: Findings) -> None:
    assert {share.path for share in findings.importance.shares} == {"lr", "optimizer"}
    (of_branch,) = findings.branches
    (first, *_) = of_branch.findings.importance.significant_shares
    assert first.path == "momentum"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("momentum > 30%", True),
        ("optimizer=sgd:momentum > 30%", True),
        ("momentum > delay", True),
        ("optimizer=sgd:lr < momentum", True),
        ("delay > 5%", False),
    ],
)
def test_expectations_of_a_branch_are_held_against_its_trials(
    findings: Findings, text: str, holds: bool
) -> None:
    assert check_expectation(parse_expectation(text), findings).holds == holds


def test_expectations_name_what_can_be_named(findings: Findings) -> None:
    with pytest.raises(InputError, match=r"analysed are lr, optimizer, .*optimizer=sgd:momentum"):
        check_expectation(parse_expectation("beta > 30%"), findings)
    with pytest.raises(InputError, match="needs trials that have momentum and optimizer, and 0"):
        check_expectation(parse_expectation("momentum > optimizer"), findings)


def test_claims_name_the_branch_and_no_parameter_without_effect(findings: Findings) -> None:
    claims = select_claims(list_claims(findings), "in_branch")
    assert claims[0].text.startswith("With optimizer=sgd: momentum: ")
    assert claims[0].condition.startswith("With optimizer=sgd; among the ")
    assert not any("delay" in parameter for claim in claims for parameter in claim.parameters)
    assert all(json.dumps(claim.to_json()) for claim in claims)


def test_the_page_has_a_section_on_the_branch(findings: Findings) -> None:
    page = render_study_page(findings)
    assert 'id="branches"' in page
    assert "<h3>With optimizer=sgd</h3>" in page


def test_runs_that_share_all_parameters_have_no_branches(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"lr": rng.random(40), "acc": rng.random(40)})
    table.to_csv(tmp_path / "runs.csv", index=False)
    study = read_external_study(tmp_path / "runs.csv", Question(metric="acc")).study
    assert list(list_branch_studies(study)) == []
