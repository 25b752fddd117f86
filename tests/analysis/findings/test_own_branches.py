"""A study of this program whose parameters act in some trials only: shares within branches."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import pytest

from analysis.claims.list_claims import list_claims, select_claims
from analysis.claims.next_claims import _answer_what_next
from analysis.data.study import design_folds
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.branches import list_branch_studies
from analysis.findings.next_study import NextStudy, _list_of_branches
from analysis.pages.study_page import render_study_page
from nerf.config.parameters import Value
from study.cli.options import parse_options
from study.records.best_config import write_best
from study.records.study_folder import StudyFolder
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec

VARY = (
    "encoding.kind=frequency,hash",
    "encoding.hash_levels",
    "encoding.position_frequencies",
    "optimisation.learning_rate",
)


def psnr(values: Mapping[str, Value]) -> float:
    """Hash is better, by its levels; frequencies do nothing."""
    if values["encoding.kind"] == "frequency":
        return 18.0
    return 18.0 + 0.5 * float(values["encoding.hash_levels"])


@pytest.fixture(scope="module")
def folder(make_study: Callable[..., StudyFolder]) -> StudyFolder:
    budget = {"explore": 96, "optimize": 4, "replicates": 8, "alternating": 0}
    return make_study("branched", vary=VARY, objective=psnr, noise=0.2, **budget)


@pytest.fixture(scope="module")
def findings(folder: StudyFolder) -> Findings:
    return analyze_study(folder)


def test_the_whole_has_what_all_trials_have(findings: Findings) -> None:
    shared = {"encoding.kind", "optimisation.learning_rate"}
    assert {share.path for share in findings.importance.shares} == shared
    assert findings.importance.shares[0].path == "encoding.kind"
    assert {d.path for d in findings.study.space.dimensions} == shared


def test_each_branch_has_its_own_share(findings: Findings) -> None:
    shares = {}
    for of_branch in findings.branches:
        assert of_branch.branch.parent == "encoding.kind"
        (own,) = of_branch.branch.dimensions
        (part,) = [s for s in of_branch.findings.importance.shares if s.path == own.path]
        shares[own.path, of_branch.branch.values] = part.share
        assert set(of_branch.findings.study.trials["encoding.kind"]) == set(of_branch.branch.values)
    assert shares["encoding.hash_levels", ("hash",)] > 0.8
    assert shares["encoding.position_frequencies", ("frequency",)] < 0.3


def test_a_branch_keeps_the_nets_of_the_whole_design(findings: Findings) -> None:
    explored = findings.study.trials.query("phase == 'explore'")
    study = findings.study
    netted = dataclasses.replace(study, spec={**study.spec, "nets": 4})
    for _, part in list_branch_studies(netted):
        own = part.trials.query("phase == 'explore'")
        folds = design_folds(part, own)
        assert folds is not None
        assert list(folds) == [list(explored.index).index(i) % 4 for i in own.index]


def test_the_report_names_the_branches(findings: Findings) -> None:
    (claim, *_) = select_claims(list_claims(findings), "in_branch")
    assert claim.condition.startswith("With kind=hash; ")
    page = render_study_page(findings)
    assert "With kind=hash" in page
    assert "With kind=frequency: no significant effect of position frequencies" in page
    assert "hash levels in 1:16 grids" in page or "encoding.hash_levels in 1:16 grids" in page


def test_best_toml_has_the_default_of_what_does_not_act(
    folder: StudyFolder, findings: Findings
) -> None:
    assert findings.best is not None
    document = folder.read_spec()
    spec = StudySpec.from_json({**document, "spec": {"explore": 96}})
    file = write_best(folder, findings.best.to_dict(), spec)
    text = file.read_text()
    assert 'kind = "hash"' in text
    assert "position_frequencies = 8" in text


def test_the_default_and_the_best_are_told_by_what_acts_in_them(findings: Findings) -> None:
    both = findings.best_and_default
    assert both is not None
    assert findings.study.default_point["encoding.position_frequencies"] == 8
    assert set(both.best.values) == {*findings.study.defaults, "encoding.hash_levels"}
    assert both.default.breaks.trials == 3, "the default itself and its replicates"
    assert findings.seeds.repeated == 3


@pytest.mark.parametrize(
    ("open_paths", "fixed", "of_branches"),
    [
        (["encoding.kind"], {}, {"encoding.hash_levels", "encoding.position_frequencies"}),
        ([], {}, {"encoding.position_frequencies"}),  # of the default kind
        ([], {"encoding.kind": "hash"}, {"encoding.hash_levels"}),
        ([], {"encoding.kind": "hash", "encoding.hash_levels": 4}, set()),
    ],
)
def test_the_next_study_varies_what_acts_in_its_branches(
    findings: Findings,
    open_paths: list[str],
    fixed: dict[str, Value],
    of_branches: set[str],
) -> None:
    paths = ["optimisation.learning_rate", *open_paths]
    dimensions = tuple(d for d in findings.study.space.dimensions if d.path in paths)
    kept = _list_of_branches(findings, dimensions, fixed)
    plan = NextStudy("decide", dimensions, fixed, 48, of_branches=kept)
    claim = _answer_what_next(findings, plan)
    options = parse_options(claim.command.split()[2:])
    space = study_space(options.vary, options.set, 300)
    assert {d.path for d in space.dimensions} == {*paths, *of_branches}
    assert ("as before, all else fixed" in claim.text) == bool(of_branches)
