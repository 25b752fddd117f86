"""The five answers of several studies."""

from __future__ import annotations

from analysis.claims.comparison_claims import list_comparison_claims
from analysis.claims.list_claims import ANSWERS, select_answers
from analysis.findings.analyze_study import Findings
from analysis.findings.comparison import compare_studies


def test_several_studies_answer_the_same_five_questions(
    replicated_findings: Findings, study_findings: Findings
) -> None:
    claims = list_comparison_claims(compare_studies([replicated_findings, study_findings]))
    answers = select_answers(claims)
    assert [answer.kind for answer in answers] == [kind for kind in ANSWERS if kind != "what_fails"]
    assert all(answer.n == 2 for answer in answers)
    assert all("replicated, synthetic" in answer.condition for answer in answers)
    texts = {answer.kind: answer.text for answer in answers}
    assert "of 96 explored runs collapse or show nothing" in texts["what_breaks"]
