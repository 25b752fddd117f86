"""Judges an answer by the truth."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from foreign.answer import Answer, describe_warnings
from foreign.case import Truth

RIGHT = "right"
WARNED = "right, with a warning"
REFUSED = "refused, says what to do"
UNRANKED = "no ranking, says why"
OFF = "off, but warned"
WRONG = "WRONG"
VERDICTS = (RIGHT, WARNED, REFUSED, UNRANKED, OFF, WRONG)

_POINTS = 0.03  # of the variance: as far may a share's interval miss the truth
_LARGE_SHARE = 0.15  # a parameter of this share must be named where any is
_SMALL_SHARE = 0.05  # a dead parameter's share below is called none


def judge(answer: Answer, truth: Truth) -> tuple[str, str]:
    """One of `VERDICTS`, and what is wrong of an answer that is not right.

    Shares are off, but warned, where the report says that another reading changes the headline.
    """
    faults = list(_find_faults(answer, truth))
    shares = [] if answer.status or truth.refusal else list(_judge_shares(answer, truth))
    warned = "THE HEADLINE CHANGES" in answer.stdout
    if faults or shares:
        return OFF if warned and not faults else WRONG, "; ".join(faults + shares)
    if answer.status:
        return REFUSED, ""
    if truth.shares and not answer.of_kind("share"):
        return UNRANKED, ""
    return (WARNED if describe_warnings(answer) or truth.warning else RIGHT), ""


def _find_faults(answer: Answer, truth: Truth) -> Iterator[str]:
    if answer.status == -1:
        yield "traceback"
    elif answer.status:
        yield from _judge_refusal(answer, truth)
    elif truth.refusal:
        yield "answers what it should ask"
    else:
        yield from _judge_facts(answer, truth)


def _judge_refusal(answer: Answer, truth: Truth) -> Iterator[str]:
    if answer.status != 2 or len(answer.stderr.strip().split("\n")) > 1:
        yield "refusal of several lines"
    if not truth.refusal:
        yield "refused"
    elif not re.search(truth.refusal, answer.error, re.IGNORECASE):
        yield "the refusal does not say what to do"


def _judge_shares(answer: Answer, truth: Truth) -> Iterator[str]:
    named = {_name(c["parameters"][0], truth): c for c in answer.of_kind("share")}
    claimed = {name: claim for name, claim in named.items() if name not in truth.unknown}
    for name, claim in claimed.items():
        low, high, true = claim["low"], claim["high"], truth.shares.get(name, 0.0)
        dead = name not in truth.shares
        if dead and claim["estimate"] > _SMALL_SHARE:
            yield f"{name} has no such effect"
        elif not dead and not low - _POINTS <= true <= high + _POINTS:
            yield f"{name} is {100 * true:.0f}"
    if claimed:
        large = [name for name, share in truth.shares.items() if share >= _LARGE_SHARE]
        yield from (f"{name} is missing" for name in large if name not in claimed)
    elif truth.shares and truth.ranking_needed:
        yield "no ranking"
    for kind in ("moves", "top_tenth"):
        for claim in answer.of_kind(kind):
            name = _name(claim["parameters"][0], truth)
            if name in truth.dead:
                yield f"{name} has no effect ({kind})"


def _name(path: str, truth: Truth) -> str:
    """The parameter's own name: one that is named as a column of ours has a prefix."""
    known = (*truth.shares, *truth.dead, *truth.unknown)
    return path if path in known else path.removeprefix("params.")


def _judge_facts(answer: Answer, truth: Truth) -> Iterator[str]:
    best = [c["estimate"] for c in answer.of_kind("best_run")]
    if truth.best is not None:
        if not best:
            yield "no best trial"
        elif not math.isclose(best[0], truth.best, rel_tol=1e-6):
            yield f"the best is {truth.best:.7g}, not {best[0]:.7g}"
    if truth.completed is not None:
        states = {c["condition"].split(",")[0]: c["estimate"] for c in answer.of_kind("state")}
        completed = int(states.get("completed", states.get("trained", 0)))
        if completed != truth.completed:
            yield f"{truth.completed} completed, not {completed}"
    if truth.warning and not re.search(truth.warning, answer.text):
        yield "no warning"
    if truth.untrue and (found := re.search(truth.untrue, answer.text)):
        yield f"{found.group()!r} is not true"
