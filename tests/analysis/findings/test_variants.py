"""Variants against the first of their study, paired by seed, and their section of the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.findings.analyze_study import analyze_study
from analysis.pages.study_page import render_study_page
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
    spec = variant_spec(VARIANTS, ["field.width=16"], 100)
    spec = type(spec)(**{**vars(spec), "repeats": 3})
    folder = StudyFolder(tmp_path_factory.mktemp("variants") / "ablation")

    def psnr(name: str, repeat: int) -> float | None:
        if (name, repeat) == ("relu", 1):
            return None
        return SEEDS[repeat] + BETTER[name] + 0.01 * repeat * (name != "plain")

    return write_variant_study(folder, spec, psnr)


def test_differences_are_paired_by_seed(study: StudyFolder) -> None:
    comparison = analyze_study(study).variants
    assert comparison is not None
    assert list(comparison.psnr.columns) == ["plain", "<b>deep</b>", "relu"]
    deep, relu = comparison.to_first
    assert (deep.mean, deep.seeds) == (pytest.approx(0.51), 3)
    assert deep.interval is not None
    assert deep.interval[0] > 0.4  # the seeds' levels differ by 4 dB
    assert (relu.mean, relu.seeds) == (pytest.approx(-0.99), 2)
    assert comparison.collapsed == {"plain": 0, "<b>deep</b>": 0, "relu": 1}


def test_nothing_is_ranked_from_trials_that_sample_no_space(study: StudyFolder) -> None:
    findings = analyze_study(study)
    assert findings.importance.shares == ()
    assert findings.comparable.left_out
    assert len(findings.comparable.trials) == 0


def test_the_report_has_a_row_for_each_variant(study: StudyFolder) -> None:
    page = render_study_page(analyze_study(study))
    assert "How do the variants compare with plain?" in page
    assert "&lt;b&gt;deep&lt;/b&gt;" in page
    assert "<b>deep" not in page
    assert "+0.51 [" in page


def test_a_study_without_variants_has_no_such_section(study_folder: StudyFolder) -> None:
    findings = analyze_study(study_folder)
    assert findings.variants is None
    assert 'id="variants"' not in render_study_page(findings)


def test_before_the_first_run_has_ended_there_is_nothing_to_compare(tmp_path: Path) -> None:
    spec = variant_spec(VARIANTS, [], 100)
    folder = StudyFolder(tmp_path / "empty")
    write_variant_study(folder, spec, lambda name, repeat: float("nan"))
    assert analyze_study(folder).variants is None
