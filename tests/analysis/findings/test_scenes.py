"""A study of several scenes: what is said over all of them rests on points, not on runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.claims.scene_claims import list_scene_claims, list_scenes_lines
from analysis.data.points import collect_points
from analysis.data.study import load_study
from analysis.findings.scenes import (
    ScenesFindings,
    analyze_scenes,
    estimate_mean_rate,
    estimate_pure_error,
    find_differences,
)
from analysis.findings.seed_variance import classify_replicates
from analysis.pages.scenes_page import render_scenes_page
from analysis.stats.rates import clopper_pearson_interval
from nerf.common.errors import InputError
from study.protocol.messages import Outcome
from study.records.study_folder import StudyFolder
from tests.analysis.scene_studies import collapsed, trained, write_scenes, write_variants

POINTS = 48


def run(scene: str, units: tuple[float, ...], number: int) -> Outcome:
    """Near acts on both scenes, the width on one only; a high learning rate breaks one of them."""
    near, width, rate = units
    noise = 0.1 * float(np.random.default_rng((1, number)).normal())
    if scene == "large" and rate > 0.8:
        return collapsed(10.0)
    own = 4.0 * width if scene == "large" else 25.0
    return trained(own + 3.0 * near + noise)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    return write_scenes(tmp_path_factory.mktemp("scenes") / "both", run, POINTS, replicates=9)


@pytest.fixture(scope="module")
def findings(folder: StudyFolder) -> ScenesFindings:
    return analyze_scenes(folder)


def test_a_point_is_the_same_part_of_each_scenes_range(findings: ScenesFindings) -> None:
    points = findings.points
    assert len(points.table) == POINTS
    assert list(points.scores.columns) == ["small", "large"]
    near = points.dimensions[0]
    assert (near.low, near.high) == (0.0, 1.0)
    assert "part of its range" in near.label
    assert points.table["sampling.near"].between(0.0, 1.0).all()
    assert points.table["field.width"].between(16, 128).all()
    mean = points.scores.mean(axis=1)
    assert points.table["score"].to_numpy() == pytest.approx(mean.to_numpy())
    # Both scenes trained with equal numbers where only near acts: rows were not mixed up.
    small = points.scores["small"] - 25.0 - 3.0 * points.table["sampling.near"]
    assert small.abs().max() < 0.5


def test_a_point_counts_only_with_runs_on_every_scene(folder: StudyFolder) -> None:
    studies = {name: load_study(folder, name) for name in ("small", "large")}
    explored = {k: (s, s.trials["phase"] == "explore") for k, s in studies.items()}
    whole = collect_points(explored)
    lost = explored["large"][1].copy()
    lost.iloc[3] = False  # such as a run that is still going on
    fewer = collect_points({**explored, "large": (studies["large"], lost)})
    assert list(fewer.table["number"]) == [n for n in whole.table["number"] if n != 6]
    assert fewer.scores.equals(whole.scores.drop(index=6))


def test_shares_are_of_the_mean_over_scenes(findings: ScenesFindings) -> None:
    """Among points that trained on both, near makes 3 u and the width 2 u of the mean."""
    shares = {s.path: s for s in findings.importance.shares}
    expected = 9 / (9 + 4)
    share = shares["sampling.near"]
    assert share.share_low <= expected <= share.share_high
    assert share.share == pytest.approx(expected, abs=0.12)
    assert {s.path for s in findings.importance.significant_shares} == {
        "sampling.near",
        "field.width",
    }
    alone = findings.by_scene["small"].importance.significant_shares
    assert [s.path for s in alone] == ["sampling.near"]


def test_a_parameter_that_acts_on_one_scene_only_is_named(findings: ScenesFindings) -> None:
    assert [d.path for d in findings.differences] == ["field.width"]
    (claim,) = (c for c in list_scene_claims(findings) if c.kind == "scenes_differ")
    assert claim.text.startswith(
        "The effect of width on PSNR differs between small and large (p = "
    )


def test_the_same_points_on_two_equal_scenes_tell_no_more_than_on_one(
    findings: ScenesFindings,
) -> None:
    import dataclasses

    points = findings.points
    twins = {"outcomes": points.outcomes.copy(), "scores": points.scores.copy()}
    for table in twins.values():
        table["small"] = table["large"]
    same = dataclasses.replace(points, **twins)
    rate, broken = estimate_mean_rate(same), int((points.outcomes["large"] == "collapsed").sum())
    assert broken > 3
    assert (rate.low, rate.high) == clopper_pearson_interval(broken, POINTS)
    assert find_differences(same, np.random.default_rng(0)) == ()
    half = estimate_mean_rate(points)
    assert half.rate == pytest.approx(broken / POINTS / 2)
    assert half.low < half.rate < half.high


def test_repeats_of_a_point_give_the_spread_of_its_mean(folder: StudyFolder) -> None:
    studies = {name: load_study(folder, name) for name in ("small", "large")}
    for study in studies.values():
        roles = classify_replicates(study)
        assert roles[roles != ""].tolist() == ["explored", "best", "default"] * 3
    points = collect_points({k: (s, s.trials["phase"] == "explore") for k, s in studies.items()})
    repeats = collect_points(
        {k: (s, classify_replicates(s) == "explored") for k, s in studies.items()}
    )
    error = estimate_pure_error(points, repeats)
    assert error.freedom == int(repeats.trained.sum()) > 0
    assert 0.0 < error.squares / error.freedom < 0.05  # 0.1 dB a run, halved by the mean of two


def test_the_answers_name_both_scenes(findings: ScenesFindings) -> None:
    lines = list_scenes_lines(findings)
    mean = "Of the variance of PSNR averaged over small and large, near (part of its range"
    assert lines[0].startswith(f"What matters: {mean}")
    assert "the effect of width differs between scenes" in lines[0]
    assert "break on at least one scene (0 % on small and" in lines[1]
    assert "most with learning rate" in lines[1]
    best = findings.best_shared
    assert best is not None
    page = render_scenes_page(findings)
    assert 'href="report-small.html"' in page
    assert "averaged over scenes" in page


def test_a_scene_is_read_by_its_name_only(folder: StudyFolder) -> None:
    import analysis

    assert len(analysis.load(folder.path, scene="small").trials) == POINTS + 1 + 9
    with pytest.raises(InputError, match=r"is of the scenes small, large, got scene=''; name one"):
        analysis.load(folder.path)
    with pytest.raises(InputError, match="got scene='smal'"):
        analysis.load(folder.path, scene="smal")


def test_a_study_that_has_just_begun_says_so(tmp_path: Path) -> None:
    """With too few points nothing is ranked, and nothing is said to break."""
    small = write_scenes(tmp_path / "few", lambda *_: trained(20.0), 2)
    findings = analyze_scenes(small)
    lines = list_scenes_lines(findings)
    assert "Not known yet of PSNR averaged over small and large: " in lines[0]
    assert "Nothing did: none of 2 explored points broke on any scene" in lines[1]
    assert render_scenes_page(findings)


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (trained(20.0), "none of 1 explored point broke on any scene"),
        (collapsed(10.0), "of 1 explored point breaks on at least one scene"),
    ],
)
def test_one_point_is_no_points(tmp_path: Path, outcome: Outcome, sentence: str) -> None:
    few = write_scenes(tmp_path / "one", lambda *_: outcome, 1)
    assert sentence in list_scenes_lines(analyze_scenes(few))[1]


def test_variants_are_compared_on_the_average_of_the_scenes(tmp_path: Path) -> None:
    """Wide gains 1 dB on one scene and 3 on the other; its third seed breaks on the latter."""

    def run(scene: str, width: int, seed: int) -> Outcome:
        if (scene, width, seed) == ("large", 64, 2):
            return collapsed(9.0)
        gain = {"small": 1.0, "large": 3.0}[scene] * (width == 64)
        return trained({"small": 30.0, "large": 20.0}[scene] + seed + gain + 0.1 * gain * seed)

    findings = analyze_scenes(write_variants(tmp_path / "variants", run, 4))
    compared = findings.variants
    assert compared is not None
    (difference,) = compared.to_first
    # Gains of 2 + 0.2 seed on average, for the seeds 0, 1 and 3.
    assert (difference.seeds, difference.mean) == (3, pytest.approx(2.0 + 0.2 * 4 / 3))
    assert compared.runs == {"base": 8, "wide": 8}
    assert compared.collapsed == {"base": 0, "wide": 1}
    headline, claim = list_scene_claims(findings)
    assert headline.text == (
        "wide differs from base in PSNR averaged over 2 scenes with a 95 % interval that excludes "
        "0 (1 with Holm's correction): wide +2.27 [+1.51, +3.03] dB. 16 runs have ended; "
        "1 collapsed."
    )
    assert claim.condition == "over the seeds that trained with both on every scene"
    assert claim.text.endswith(
        "over 3 seeds that trained with both on every scene (p = 0.006, corrected)."
    )
    lines = list_scenes_lines(findings)
    assert lines[0] == headline.text
    assert [line.partition(":")[0] for line in lines[1:]] == ["small", "large"]
    page = render_scenes_page(findings)
    assert "How do the variants compare with base?" in page
    assert "on every scene" in page
