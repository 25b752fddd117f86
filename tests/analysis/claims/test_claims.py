"""Claims: all on the page, all numbers of the headline in them, and written as documented."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from analysis import report
from analysis.claims.claim import KINDS, Claim, Kind
from analysis.claims.list_claims import (
    headline_claims,
    list_answer_lines,
    list_claims,
)
from analysis.claims.wording import list_runs
from analysis.claims.write_claims import write_claims
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.pages.study_page import render_study_page
from study.records.study_folder import StudyFolder

KEYS = [
    "kind", "parameters", "estimate", "low", "high", "unit", "n", "confidence", "condition", "text",
    "command",
]  # fmt: skip
NUMBER = re.compile(r"\d+(?:\.\d+)?")


@pytest.fixture(scope="module")
def claims(replicated_findings: Findings) -> tuple[Claim, ...]:
    return list_claims(replicated_findings)


def text_of(page: str) -> str:
    """The text of a page as a browser shows it, without scripts."""
    without = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", without)).split())


def test_every_claim_stands_on_the_page(
    replicated_findings: Findings, claims: tuple[Claim, ...]
) -> None:
    page = text_of(render_study_page(replicated_findings))
    assert len(claims) > 20
    for claim in claims:
        assert " ".join(claim.text.split()) in page


def test_sections_repeat_the_claims_of_the_list(
    replicated_findings: Findings, claims: tuple[Claim, ...]
) -> None:
    page = render_study_page(replicated_findings)
    texts = {
        html.unescape(text).replace("\u00a0", " ")
        for text in re.findall(r"<li>([^<]*?)</li>", page)
    }
    known = " ".join(claim.text for claim in claims)
    assert texts
    assert all(sentence in known for text in texts for sentence in [text.split(". ")[0]])


def test_each_sentence_is_one_with_its_numbers(claims: tuple[Claim, ...]) -> None:
    for claim in claims:
        assert claim.text == claim.text.strip()
        assert claim.text.endswith(".")
        assert "nan" not in claim.text
        assert (claim.low is None) == (claim.high is None)
        if claim.low is not None and claim.estimate is not None:
            assert claim.low <= claim.estimate <= claim.high
            assert claim.confidence is not None


def test_the_headline_says_what_matters_and_what_breaks(claims: tuple[Claim, ...]) -> None:
    headline = headline_claims(claims)
    assert {"share", "breaks"} <= {claim.kind for claim in headline}
    assert set(headline) <= set(claims)
    first = headline[0]
    assert first.estimate is not None
    assert f"{100 * first.estimate:.0f} %" in first.text
    assert "among the" in first.text
    assert "counting runs that broke" in first.text


def test_the_terminal_prints_claims_only(
    replicated_findings: Findings,
    claims: tuple[Claim, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("analysis.api.open_study.analyze_study", lambda study: replicated_findings)
    folder = replicated_findings.study.folder.path
    assert report.main([str(folder)]) == 0
    *lines, path = capsys.readouterr().out.splitlines()
    assert lines == list_answer_lines(claims)
    assert [line.partition(":")[0] for line in lines if not line.startswith("  ")][:2] == [
        "What matters", "What breaks",
    ]  # fmt: skip
    assert path == str(folder / "report.html")


def test_claims_json_has_exactly_the_documented_keys(
    claims: tuple[Claim, ...], tmp_path: Path
) -> None:
    written = json.loads(write_claims(claims, tmp_path / "claims.json").read_text())
    assert len(written) == len(claims)
    assert all(list(entry) == KEYS for entry in written)
    assert all(isinstance(entry["parameters"], list) for entry in written)


def test_json_exports_have_the_claims_beside_the_tables(
    replicated_findings: Findings, claims: tuple[Claim, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.api.open_study.analyze_study", lambda study: replicated_findings)
    folder = replicated_findings.study.folder.path
    assert report.main([str(folder), "--format", "json"]) == 0
    written = json.loads((folder / "analysis" / "claims.json").read_text())
    assert [entry["text"] for entry in written] == [claim.text for claim in claims]


def test_every_kind_is_explained_here_and_in_the_readme() -> None:
    assert set(KINDS) == set(get_args(Kind))
    readme = (Path(report.__file__).parent / "README.md").read_text()
    for kind, meaning in KINDS.items():
        assert f"| `{kind}` | {meaning} |" in readme


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        Claim("rumour", (), None, None, None, "", 0, None, "", "")  # type: ignore[arg-type]


@pytest.mark.parametrize("explore", [0, 5, 12])
def test_a_study_of_any_size_has_claims_and_a_page(
    explore: int, make_study: Callable[..., StudyFolder]
) -> None:
    findings = analyze_study(make_study(explore=explore, optimize=1))
    page = text_of(render_study_page(findings))
    assert all(claim.text in page for claim in list_claims(findings))


def test_list_runs() -> None:
    assert list_runs([True, True, False, True]) == [range(2), range(3, 4)]
    assert list_runs([]) == []
