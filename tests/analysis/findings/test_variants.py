"""Variants against the first of their study, paired by seed, and their section of the report."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis import report
from analysis.claims.list_claims import headline_claims, join_texts, list_claims, select_claims
from analysis.figures.study_figures import list_study_figures
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.tables import build_tables
from analysis.pages.study_page import render_study_page
from study import status
from study.records.study_folder import StudyFolder
from study.spec.variants import Variant
from tests.analysis.variant_studies import variant_spec, write_variant_study

VARIANTS = (
    Variant("plain"),
    Variant("<b>deep</b>", (("field.depth", 6),)),
    Variant("relu", (("field.density_activation", "relu"),)),
)
BETTER = {"plain": 0.0, "<b>deep</b>": 0.5, "relu": -1.0}
SEEDS = (20.0, 24.0, 22.0)  # each seed's own level, which pairing takes out


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    spec = replace(variant_spec(VARIANTS, ["field.width=16"], 100), repeats=3)
    folder = StudyFolder(tmp_path_factory.mktemp("variants") / "ablation")

    def psnr(name: str, repeat: int) -> float | None:
        if (name, repeat) == ("relu", 1):
            return None
        return SEEDS[repeat] + BETTER[name] + 0.01 * repeat * (name != "plain")

    return write_variant_study(folder, spec, psnr)


def own_text(page: str) -> str:
    """The page without scripts, among them plotly.js."""
    return re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def test_differences_are_paired_by_seed(study: StudyFolder) -> None:
    comparison = analyze_study(study).variants
    assert comparison is not None
    assert list(comparison.values.columns) == ["plain", "<b>deep</b>", "relu"]
    deep, relu = comparison.to_first
    assert (deep.mean, deep.seeds) == (pytest.approx(0.51), 3)
    assert deep.interval is not None
    assert deep.interval[0] > 0.4  # the seeds' levels differ by 4 dB
    assert (relu.mean, relu.seeds) == (pytest.approx(-0.99), 2)
    assert comparison.runs == {"plain": 3, "<b>deep</b>": 3, "relu": 3}
    assert comparison.collapsed == {"plain": 0, "<b>deep</b>": 0, "relu": 1}


def headline(findings: Findings) -> str:
    return join_texts(headline_claims(list_claims(findings)))


def test_the_headline_names_what_differs_from_the_first(study: StudyFolder) -> None:
    findings = analyze_study(study)
    assert headline(findings) == (
        "Of the 2 other variants, 2 differ from plain with a 95 % interval that excludes 0 "
        "(2 with Holm's correction): relu -0.99 [-1.12, -0.86] dB, "
        "<b>deep</b> +0.51 [+0.49, +0.53] dB. 9 runs have ended; 1 collapsed."
    )
    first, *differences = select_claims(list_claims(findings), "variant_difference")
    assert (first.estimate, first.parameters) == (2.0, ())
    assert [claim.parameters for claim in differences] == [
        ("<b>deep</b>", "plain"),
        ("relu", "plain"),
    ]
    assert re.search(
        r"deep</b> minus plain: \+0.51 dB \[\+0.49, \+0.53\] over 3 seeds", differences[0].text
    )


@pytest.mark.parametrize(
    ("seeds", "better", "expected"),
    [
        (1, 1.0, "^No difference from plain has an interval.* 3 runs have ended; none"),
        (3, 0.0, "Of the 2 other variants, none differs from plain with .* excludes 0. 9 runs"),
    ],
)
def test_the_headline_claims_no_more_than_the_intervals(
    tmp_path: Path, seeds: int, better: float, expected: str
) -> None:
    noise = np.random.default_rng(0).normal(size=9)
    spec = replace(variant_spec(VARIANTS, [], 100), repeats=seeds)
    folder = StudyFolder(tmp_path / "few")

    def psnr(name: str, repeat: int) -> float:
        return 20.0 + better * BETTER[name] + float(noise[3 * repeat + list(BETTER).index(name)])

    findings = analyze_study(write_variant_study(folder, spec, psnr))
    assert re.search(expected, headline(findings))


def test_the_headline_names_an_only_other_variant(tmp_path: Path) -> None:
    spec = replace(variant_spec(VARIANTS[:2], [], 100), repeats=2)
    folder = StudyFolder(tmp_path / "pair")
    write_variant_study(folder, spec, lambda name, repeat: 20.0 + repeat * (name == "plain"))
    assert headline(analyze_study(folder)) == (
        "<b>deep</b> does not differ from plain with a 95 % interval that excludes 0. "
        "4 runs have ended; none collapsed or shows nothing."
    )


def test_before_the_first_variant_has_run_nothing_is_compared_with_another(tmp_path: Path) -> None:
    spec = replace(variant_spec(VARIANTS, [], 100), repeats=2)
    values = {"plain": float("nan")}
    folder = StudyFolder(tmp_path / "begun")
    write_variant_study(folder, spec, lambda name, repeat: values.get(name, 20.0))
    findings = analyze_study(folder)
    assert findings.variants is not None
    assert findings.variants.first == "plain"
    assert [d.description for d in findings.variants.to_first] == ["–", "–"]
    assert "nan" not in own_text(render_study_page(findings))


def test_runs_that_show_nothing_are_counted_beside_the_comparison(tmp_path: Path) -> None:
    spec = replace(variant_spec(VARIANTS[:2], [], 100), repeats=2)
    folder = StudyFolder(tmp_path / "pair")
    write_variant_study(folder, spec, lambda name, _: 9.0 if name == "plain" else 20.0)
    findings = analyze_study(folder)
    assert findings.variants is not None
    assert findings.variants.shows_nothing == {"plain": 2, "<b>deep</b>": 0}
    assert findings.variants.values["plain"].isna().all()
    assert headline(findings).endswith("4 runs have ended; 2 show nothing.")


def test_the_report_and_status_count_outcomes_in_the_same_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = replace(variant_spec(VARIANTS, [], 100), repeats=2)
    folder = StudyFolder(tmp_path / "outcomes")
    outcomes = {"plain": 20.0, "<b>deep</b>": 9.0, "relu": None}  # black is 9 dB
    write_variant_study(folder, spec, lambda name, _: outcomes[name])
    page = own_text(report.write_report(folder).read_text())
    line = "2 trained, 2 show nothing, 2 collapsed"
    assert f"6 on lego: {line}." in page
    for word in ("trained", "shows nothing", "collapsed"):
        assert page.count(f'<td data-v="{word}" class="outcome">{word}<') == 2
        assert f'<th class="n">{word}</th>' in page
    assert status.main([str(folder.path)]) == 0
    screen = capsys.readouterr().out
    assert "outcomes: 6/6 trials" in screen
    assert "trained  shows nothing  collapsed" in screen


def test_a_study_of_which_no_run_trained_has_a_report(tmp_path: Path) -> None:
    spec = replace(variant_spec(VARIANTS[:2], [], 100), repeats=2)
    folder = StudyFolder(tmp_path / "pair")
    write_variant_study(folder, spec, lambda *_: 9.0)
    page = own_text(report.write_report(folder).read_text())
    assert "4 on lego: 4 show nothing." in page
    assert "4 of 4 trials show nothing: completed, but no better than" in page
    assert "takes two seeds that both variants trained with" in page  # all of them completed


def test_exports_have_a_table_of_variants(study: StudyFolder) -> None:
    tables = build_tables(analyze_study(study))
    assert list(tables) == ["variants", "trials"]
    table = tables["variants"].set_index("variant")
    assert list(table.columns) == [
        "runs", "collapsed", "shows_nothing", "psnr", "difference", "low", "high", "p_value",
        "holm_p_value",
    ]  # fmt: skip
    assert table.loc["plain", "difference":].isna().all()
    deep = table.loc["<b>deep</b>"]
    assert (deep["runs"], deep["psnr"]) == (3, pytest.approx(22.51))
    assert deep["low"] < deep["difference"] < deep["high"]
    assert deep["p_value"] <= deep["holm_p_value"] <= 2 * deep["p_value"]
    assert table.loc["relu", "collapsed"] == 1


def test_a_paper_gets_the_figure_of_differences(study: StudyFolder) -> None:
    assert list(list_study_figures(analyze_study(study))) == ["variants", "cost"]


def test_defaults_are_not_mixed_from_variants(tmp_path: Path) -> None:
    """Depth 4 is the default and a variant's; with the skip of the other it is invalid."""
    variants = (
        Variant("deep", (("field.depth", 8), ("field.skip", 6))),
        Variant("shallow", (("field.depth", 4), ("field.skip", 3))),
    )
    folder = StudyFolder(tmp_path / "skips")
    write_variant_study(folder, variant_spec(variants, [], 100), lambda name, repeat: 20.0)
    findings = analyze_study(folder)
    assert findings.study.default_configuration == {}
    assert findings.default is None
    assert not re.search("<th[^>]*>default", render_study_page(findings))


def test_variants_are_not_ranked_by_importance(study: StudyFolder) -> None:
    findings = analyze_study(study)
    assert findings.importance.shares == ()
    assert findings.comparable.left_out
    assert len(findings.comparable.trials) == 0


def test_the_report_has_a_row_for_each_variant(study: StudyFolder) -> None:
    page = render_study_page(analyze_study(study))
    assert re.findall(r'<section id="(\w+)">', page) == ["variants", "cost", "trials", "claims"]
    assert "explored" not in own_text(page)
    assert "How do the variants compare with plain?" in page
    assert "&lt;b&gt;deep&lt;/b&gt;" in page
    assert "<b>deep" not in page
    assert "+0.51 [" in page
    assert "<b>Best run: &lt;b&gt;deep&lt;/b&gt;</b>" in page


def test_a_study_without_variants_has_no_such_section(study_folder: StudyFolder) -> None:
    findings = analyze_study(study_folder)
    assert findings.variants is None
    assert 'id="variants"' not in render_study_page(findings)


def test_a_study_without_ended_runs_has_no_comparison(tmp_path: Path) -> None:
    spec = variant_spec(VARIANTS, [], 100)
    folder = StudyFolder(tmp_path / "empty")
    write_variant_study(folder, spec, lambda name, repeat: float("nan"))
    assert analyze_study(folder).variants is None
