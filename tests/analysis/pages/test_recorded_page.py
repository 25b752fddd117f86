"""The page of another tool's sweep: its own words, what was assumed, and nothing not recorded."""

from __future__ import annotations

import dataclasses
import html
import json
import re
from pathlib import Path

import pytest

from analysis.claims.list_claims import list_claims
from analysis.data.assumption import Assumption
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.comparison import compare_studies
from analysis.pages.comparison_page import render_comparison_page
from analysis.pages.study_page import render_study_page
from tests.analysis.foreign_studies import make_foreign_study

OTHER_WORDS = re.compile(
    r"\bdB\b|PSNR|psnr|SSIM|\bnan\b|NaN\b|NeRF|nerf|scene|[Vv]alidation|photograph|[Rr]ender|"
    r"\bseeds?\b|shows? nothing|collapsed|trained|[Bb]reaks?\b|broke|explored|[Dd]efault|optimise"
)


def own_text(page: str) -> str:
    """A page without style, scripts and colours: its text, attributes, and figures as JSON."""
    page = re.sub(r"<style>.*?</style>|<script>.*?</script>", "", page, flags=re.DOTALL)
    anchors = r'<(section|h2) id="[\w-]+"|<a href="#[\w-]+"'
    page = re.sub(rf'"bdata":"[^"]*"|var\(--\w+\)|{anchors}', "", page)
    return html.unescape(page)


def sections_of(page: str) -> list[str]:
    return re.findall(r'<section id="(\w+)">', page)


@pytest.fixture(scope="module")
def lowest(minimised_findings: Findings) -> str:
    return render_study_page(minimised_findings).replace("\u00a0", " ")


@pytest.fixture(scope="module")
def highest(maximised_findings: Findings) -> str:
    return render_study_page(maximised_findings).replace("\u00a0", " ")


def test_no_word_of_another_trade_is_on_a_page(lowest: str, highest: str) -> None:
    for page in (lowest, highest):
        assert OTHER_WORDS.findall(own_text(page)) == []


def test_a_sweep_without_a_ranking_has_a_page_in_its_own_words(tmp_path: Path) -> None:
    few = analyze_study(make_foreign_study(tmp_path, trials=8, pruned=0, failed=1, not_finite=0))
    page = render_study_page(few)
    assert OTHER_WORDS.findall(own_text(page)) == []
    assert "No ranking of the parameters among completed trials: " in page


def test_every_claim_stands_on_the_page(lowest: str, minimised_findings: Findings) -> None:
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", lowest)).split())
    assert all(" ".join(c.text.split()) in text for c in list_claims(minimised_findings))


def test_sections_are_those_that_the_record_supports(lowest: str, highest: str) -> None:
    both = ["importance", "top", "effects", "combinations", "trials", "claims"]
    assert set(sections_of(lowest)) == {*both, "seeds", "curves", "time"}
    assert set(sections_of(highest)) - {"top"} == {*both, "cost"} - {"top"}


def test_the_card_and_the_summary_name_the_metric(lowest: str, highest: str) -> None:
    assert re.search(r'<b>Lowest val_loss</b><span class="big">0\.\d+</span>', lowest)
    assert "its val_loss is biased downwards" in lowest
    assert "76: 70 completed, 4 pruned, 2 failed. Left out: 3 trials that have not ended." in lowest
    assert re.search(r'<b>Highest accuracy</b><span class="big">9\d\.\d+ %</span>', highest)
    assert "its accuracy is biased upwards" in highest


def test_what_is_assumed_is_one_numbered_list_near_the_top(
    lowest: str, minimised_findings: Findings
) -> None:
    header = lowest[lowest.index("<header>") : lowest.index("</header>")]
    listed = re.search(r'<ol class="assumed">(.*?)</ol>', header, flags=re.DOTALL)
    assert listed is not None
    items = re.findall(r"<li>(.*?)</li>", listed[1], flags=re.DOTALL)
    assert len(items) == len(minimised_findings.study.assumed) == 3
    assert "Change it by <code>--direction maximize</code>." in items[0]
    assert items[1].endswith("Read the other way, the headline stays: lr 80 % [70, 90].")
    assert items[2] == "every trial is one run."
    assert lowest.count("--direction maximize") == 1


def test_what_is_assumed_is_escaped_and_absent_where_nothing_is(
    minimised_findings: Findings,
) -> None:
    for assumed in ((Assumption("<b>x</b>", "--ignore <i>"),), ()):
        study = dataclasses.replace(minimised_findings.study, assumed=assumed)
        page = render_study_page(dataclasses.replace(minimised_findings, study=study))
        assert ("What this page assumes" in page) == bool(assumed)
        assert "<b>x</b>" not in page
        assert "<i>" not in page


def test_the_table_of_trials_has_what_was_recorded_best_first(lowest: str, highest: str) -> None:
    heads = re.compile(
        r'<th(?: class="n")? aria-sort="none"><button type="button">(.*?)</button></th>'
    )
    settings = ["lr", "optimizer", "width", "reason"]
    assert heads.findall(lowest) == ["trial", "state", "val_loss", "step", *settings]
    assert heads.findall(highest) == ["trial", "state", "accuracy", "seconds", *settings]
    for page, worst_first in ((lowest, False), (highest, True)):
        rows = re.findall(r"<tr data-trial=.*?</tr>", page, flags=re.DOTALL)
        values = [re.findall(r'data-v="(.*?)"', row)[2] for row in rows]
        measured = [float(value) for value in values if value]
        assert measured == sorted(measured, reverse=worst_first)
        assert values[len(measured) :] == [""] * (len(values) - len(measured))
        assert min(measured) > 0


def test_axes_and_hover_texts_are_those_of_the_metric(lowest: str, highest: str) -> None:
    for page, title, hover in (
        (lowest, "val_loss", "%{y:.5~r}<extra>"),
        (highest, "accuracy (%)", "%{y:.5~r} %<extra>"),
    ):
        figures = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
        effects = [
            figure
            for figure in map(json.loads, figures)
            if figure["layout"]["yaxis"].get("title", {}).get("text") == title
        ]
        assert len(effects) >= 3
        assert any(hover in t.get("hovertemplate", "") for f in effects for t in f["data"])


def test_a_comparison_speaks_of_the_metric(minimised_findings: Findings, tmp_path: Path) -> None:
    other = analyze_study(make_foreign_study(tmp_path, noise=0.15, seed=3, name="other.db"))
    studies = [minimised_findings, other]
    page = render_comparison_page(studies, compare_studies(studies))
    assert OTHER_WORDS.findall(own_text(page)) == []
    assert re.search(r"lowest val_loss 0\.\d+", page)
    wrapped = re.sub(r"\\u003cbr(>|\\u003e)", " ", page)
    assert "share of the variance of val_loss" in wrapped
