"""Counts of true and false claims, of things unsaid, and of intervals of shares, over studies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from scipy.stats import binomtest

from analysis.claims.claim import Claim
from simulated.scoring import PRINTED, Case, score_claim, score_pooled_share
from simulated.truth import Truth
from simulated.unsaid import find_unsaid

LIVE_SHARE = 0.01
"""True share from which a parameter counts as live; one without any effect is dead."""

Verdicts = tuple[int, int, int]
"""How many claims are true, false and not scored."""

ALL_RATES = "breaks and safe, all of a study at once"

EQUAL_SHARES = "disagreement, of shares that are equal"

_RATES = ("breaks", "safe", "breaks_pair")


@dataclass(frozen=True)
class NamedShare:
    """A share with its interval as a study gives it, whether or not it is claimed.

    significant: whether the study names the parameter
    """

    path: str
    low: float
    high: float
    significant: bool


@dataclass(frozen=True)
class Score:
    """One study.

    verdicts: kind -> (true, false, not scored); unsaid: kind -> (missed, possible)
    ranked: whether the study ranks parameters; noise: whether none has an effect
    intervals, holding: of shares, if ranked; live_missed: whether a live parameter's misses
    dead, dead_named: parameters without effect, and those of them that are named
    false_texts: kind -> sentences that are false
    """

    objective: str
    trials: int
    verdicts: dict[str, Verdicts]
    unsaid: dict[str, tuple[float, float]]
    ranked: bool
    noise: bool
    intervals: int
    holding: int
    live_missed: bool
    dead: int
    dead_named: int
    seconds: float = 0.0
    false_texts: dict[str, list[str]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def score_study(
    claims: Sequence[Claim], shares: Sequence[NamedShare], case: Case, seconds: float = 0.0
) -> Score:
    """Scores one study: its claims, and its shares (none if it does not rank)."""
    truth = case.truth
    verdicts = [(claim.kind, score_claim(claim, case)) for claim in claims]
    rates = [verdict for kind, verdict in verdicts if kind in _RATES and verdict != "not scored"]
    rows: dict[str, Verdicts] = {}
    for kind in sorted({claim.kind for claim in claims}):
        counts = Counter(verdict for k, verdict in verdicts if k == kind)
        rows[kind] = (counts["true"], counts["false"], counts["not scored"])
    if rates:
        rows[ALL_RATES] = (0, 1, 0) if "false" in rates else (1, 0, 0)
    false_texts: dict[str, list[str]] = {}
    for claim, (kind, verdict) in zip(claims, verdicts, strict=True):
        if verdict == "false":
            false_texts.setdefault(kind, []).append(claim.text)
    dead = [path for path in truth.objective.paths if not truth.has_effect(path)]
    held = {s.path: s.low - PRINTED <= truth.share(s.path) <= s.high + PRINTED for s in shares}
    return Score(
        objective=truth.objective.name,
        trials=int((case.study.trials["phase"] == "explore").sum()),
        verdicts=rows,
        unsaid={k: (u.missed, u.possible) for k, u in find_unsaid(claims, case).items()},
        ranked=bool(shares),
        noise=len(dead) == len(truth.objective.paths),
        intervals=len(held),
        holding=sum(held.values()),
        live_missed=any(not held[s.path] and truth.share(s.path) > LIVE_SHARE for s in shares),
        dead=len(dead) if shares else 0,
        dead_named=sum(s.significant and s.path in dead for s in shares),
        seconds=seconds,
        false_texts=false_texts,
    )


def score_pair(claims: Sequence[Claim], compared: int, truth: Truth) -> dict[str, Verdicts]:
    """Verdicts on a comparison of two studies of one objective, with this many shares compared.

    Each disagreement is false: all compared shares are equal in truth.
    """
    pooled = [score_pooled_share(c, truth) for c in claims if c.kind == "pooled_share"]
    disagreeing = sum(claim.kind == "disagreement" for claim in claims)
    return {
        "pooled_share": (pooled.count("true"), pooled.count("false"), 0),
        EQUAL_SHARES: (compared - disagreeing, disagreeing, 0),
    }


def score_studies_of_set(name: str, trials: int, verdicts: dict[str, Verdicts]) -> Score:
    """The score of a set of studies as that of one study without shares."""
    return Score(name, trials, verdicts, {}, False, False, 0, 0, False, 0, 0)


KIND_COLUMNS = (
    "kind", "trials", "claims", "false", "false, %", "95 % interval", "worst objective",
    "unsaid, %", "not scored",
)  # fmt: skip


def kind_rows(scores: Sequence[Score]) -> list[list[object]]:
    """A row for each kind of claim and size; intervals take claims of a study as independent."""
    kinds = {kind for s in scores for kind in (*s.verdicts, *s.unsaid)}
    return [
        _kind_row(kind, trials, [s for s in scores if s.trials == trials])
        for kind in sorted(kinds)
        for trials in sorted({s.trials for s in scores})
    ]


def _kind_row(kind: str, trials: int, scores: Sequence[Score]) -> list[object]:
    true, false, skipped = _sum(s.verdicts.get(kind, (0, 0, 0)) for s in scores)
    missed, possible = _sum(s.unsaid.get(kind, (0.0, 0.0)) for s in scores)
    claims = int(true + false)
    return [
        kind,
        trials,
        claims,
        int(false),
        _percent(false, claims),
        _wilson_interval(int(false), claims),
        _worst(kind, scores),
        _percent(missed, possible),
        int(skipped) or "",
    ]


def _wilson_interval(false: int, claims: int) -> str:
    """The 95 % score interval of the part that is false, in per cent; empty without claims."""
    if not claims:
        return ""
    interval = binomtest(false, claims).proportion_ci(0.95, method="wilson")
    return f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"


def _worst(kind: str, scores: Sequence[Score]) -> str:
    """The objective with the highest part of false claims, if any is false."""
    parts = []
    for name in dict.fromkeys(s.objective for s in scores):
        own = [s.verdicts.get(kind, (0, 0, 0)) for s in scores if s.objective == name]
        true, false, _ = _sum(own)
        if false:
            parts.append((false / (true + false), int(false), name))
    if not parts:
        return ""
    part, false, name = max(parts)
    return f"{name} {100 * part:.0f} % ({false})"


OBJECTIVE_COLUMNS = (
    "objective", "trials", "studies", "ranked, %", "intervals", "hold the truth, %",
    "a live one misses, % of studies", "dead named, %", "seconds a study",
)  # fmt: skip


def objective_rows(scores: Sequence[Score]) -> list[list[object]]:
    """A row for each objective and size: how well intervals of shares hold the truth."""
    groups = dict.fromkeys((s.objective, s.trials) for s in scores)
    return [
        _objective_row(
            name, trials, [s for s in scores if (s.objective, s.trials) == (name, trials)]
        )
        for name, trials in groups
    ]


def _objective_row(name: str, trials: int, scores: Sequence[Score]) -> list[object]:
    count = len(scores)
    ranked = [s for s in scores if s.ranked]
    intervals = sum(s.intervals for s in ranked)
    return [
        name + (" (no effects)" if scores[0].noise else ""),
        trials,
        count,
        _percent(len(ranked), count),
        intervals,
        _percent(sum(s.holding for s in ranked), intervals),
        _percent(sum(s.live_missed for s in ranked), len(ranked)),
        _percent(sum(s.dead_named for s in ranked), sum(s.dead for s in ranked)),
        sum(s.seconds for s in scores) / count,
    ]


def _sum(rows: Iterable[Sequence[float]]) -> list[float]:
    return [sum(column) for column in zip(*rows, strict=True)]


def _percent(part: float, whole: float) -> float | str:
    return 100.0 * part / whole if whole else ""
