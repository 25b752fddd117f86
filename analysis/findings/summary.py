"""The findings in words, claiming no more than their intervals bear."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from analysis.data.selection import select_finished
from analysis.findings.collapse import CollapseAnalysis
from analysis.findings.seed_variance import select_other_seeds

if TYPE_CHECKING:
    from analysis.findings.analyze_study import Findings

_NAMED = 3


def summarize(found: Findings) -> Iterator[tuple[str, str]]:
    """What a reader should know beside the headline: a heading of a word or two, and sentences."""
    trials = found.study.trials
    yield "Trials", f"{len(trials)} on {found.study.scene.get('name', 'an unnamed scene')}: " + (
        ", ".join(f"{n} {state}" for state, n in trials["state"].value_counts().items())
        or "none ended yet"
    ) + "."  # fmt: skip
    yield "Best", _best(found)
    if found.collapse.ranked:
        yield "Breaks", _breaks(found.collapse)
    if found.ped_anova.significant_shares:
        names = ", ".join(share.label for share in found.ped_anova.significant_shares[:_NAMED])
        yield "Best tenth", f"Set apart by {names}."
    if found.tunability is not None and found.tunability.joint.low > 0:
        g = found.tunability.joint
        yield (
            "Tuning",
            (
                f"All together would gain {g.gain:.1f} dB [{g.low:.1f}, {g.high:.1f}] over the "
                "defaults, as the surrogate expects."
            ),
        )
    if (spread := found.seeds.reference) is not None:
        yield (
            "Seed",
            (
                f"It alone moves PSNR by {spread.deviation:.2f} dB [{spread.low:.2f}, "
                f"{spread.high:.2f}] (standard deviation)."
            ),
        )


def _breaks(broken: CollapseAnalysis) -> str:
    if broken.significant_parameters:
        return f"{_capital(broken.significant_parameters[0].sentence)}."
    nearest = broken.parameters[0]
    return (
        f"{broken.collapsed} of {broken.trials} explored trials collapsed; no parameter tells "
        f"which beyond chance (nearest: {nearest.label}, p = {nearest.p_value:.2g})."
    )


def _best(found: Findings) -> str:
    if found.best is None:
        return "No trial has reached its full budget alive yet."
    reached = f"{found.best['psnr']:.2f} dB on the validation views{_gain(found)}."
    return " ".join([reached, *_with_other_seeds(found, found.best)])


def _gain(found: Findings) -> str:
    if found.best is None or found.default is None:
        return "; the default configuration itself was not run, so no gain over it is claimed"
    gain = found.best["psnr"] - found.default["psnr"]
    if gain <= 0:
        return ", and it is the default configuration" if gain == 0 else ""
    return f", {gain:.2f} dB above the default configuration (one seed each)"


def _with_other_seeds(found: Findings, trial: pd.Series) -> list[str]:
    """How the best trial did when it was run again, which no luck of being chosen flatters."""
    paths = [dimension.path for dimension in found.study.space.dimensions]
    again = select_other_seeds(found.study.trials, paths, trial)
    if again.empty:
        return []
    done = select_finished(again)["psnr"]
    seeds = "another seed" if len(again) == 1 else f"{len(again)} other seeds"
    reached = f" it reached {done.mean():.2f} dB" if len(done) else ""
    spread = f" on average ({done.min():.2f} to {done.max():.2f})" if len(done) > 1 else ""
    lost = f"; {len(again) - len(done)} did not end alive" if len(done) < len(again) else ""
    return [f"Run again with {seeds}{reached}{spread}{lost}."]


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
