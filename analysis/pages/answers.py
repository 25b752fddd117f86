"""The five answers at the head of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.claims.claim import Claim
from analysis.claims.list_claims import ANSWERS, select_advice, select_answers


@dataclass(frozen=True)
class AnswerView:
    """One of the five answers; details: further sentences; command: to copy, may be empty."""

    anchor: str
    question: str
    text: str
    details: Sequence[str]
    command: str


def view_answers(claims: Sequence[Claim]) -> list[AnswerView]:
    """The five answers; beside what to set, what holds of single parameters."""
    details = [claim.text for claim in select_advice(claims)]
    return [
        AnswerView(
            claim.kind.replace("_", "-"),
            ANSWERS[claim.kind],
            claim.text,
            details if claim.kind == "what_to_set" else [],
            claim.command,
        )
        for claim in select_answers(claims)
    ]
