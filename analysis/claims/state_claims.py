"""Claims on how many runs ended with each outcome."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.claims.claim import Claim
from analysis.claims.wording import join_names
from analysis.data.outcomes import COMPLETED, count_outcomes
from analysis.data.selection import select_measured
from analysis.findings.analyze_study import Findings
from study.records.outcomes import (
    COLLAPSED,
    FAILED,
    PRUNED,
    SHOWS_NOTHING,
    TRAINED,
    format_count,
)

_MIN_FAILED = 10  # trials, from which it could be asked which settings fail

_MEANINGS = {
    TRAINED: "",
    COLLAPSED: ": stopped because they could not learn any more",
    PRUNED: ": stopped because others did better",
    FAILED: ": with an error, or without a finite {metric}",
}


def list_state_claims(findings: Findings) -> Iterator[Claim]:
    """One for each outcome that occurred."""
    study = findings.study
    total, is_native = len(study.trials), study.is_native
    for outcome, count in count_outcomes(study.trials).items():
        _, words = format_count(count, outcome).split(" ", 1)
        if outcome == PRUNED:
            words = "was pruned" if count == 1 else "were pruned"
        runs = int(study.runs[study.trials["outcome"] == outcome].sum())
        of_configurations = f" ({count} configurations)" if runs > count else ""
        text = (
            f"{runs} of {study.runs.sum()} trials {words}{of_configurations}"
            f"{_explain(findings, outcome, count)}."
        )
        condition = f"{outcome}, each configuration once" if runs > count else outcome
        yield Claim(
            "state", (), float(count), None, None, "runs" if is_native else "trials", total, None,
            f"{outcome}, of all phases" if is_native else condition, text,
        )  # fmt: skip


def list_by_hand_claims(findings: Findings) -> Iterator[Claim]:
    """How many configurations a person chose; none where none was."""
    trials = findings.study.trials
    count = int((trials["phase"] == "try").sum())
    if not count:
        return
    were = "configuration was" if count == 1 else "configurations were"
    text = f"{count} {were} chosen by hand (--try), which no share and no rate counts."
    yield Claim(
        "by_hand", (), float(count), None, None, "runs", len(trials), None, "of all phases", text
    )


def list_start_claims(findings: Findings) -> Iterator[Claim]:
    """How many trials of other studies the optimiser started from; none where it did not."""
    taken = findings.study.spec.get("earlier", ())
    count = sum(len(each["trials"]) for each in taken)
    if not count:
        return
    names = join_names([Path(each["study"]).name for each in taken])
    text = (
        f"The optimiser started from {count} trial{'s' if count > 1 else ''} of {names}, which "
        "count in no statement here."
    )
    yield Claim(
        "started_from", (), float(count), None, None, "trials", count, None, "of other studies",
        text,
    )  # fmt: skip


def list_objective_claims(findings: Findings) -> Iterator[Claim]:
    """The objectives of another tool beside the metric; none if it had none."""
    others, metric = findings.study.other_objectives, findings.study.metric
    if others is None:
        return
    was = "was another objective" if len(others.names) == 1 else "were other objectives"
    options = ", ".join(f"--metric {shlex.quote(name)}" for name in others.names)
    text = f"{join_names(others.names)} {was}, which this report leaves out (see {options})."
    if others.front is not None:
        text += (
            f" {others.front} of the {others.trials} completed trials with finite values of all "
            f"are Pareto optimal in {join_names([metric.name, *others.names])}."
        )
    yield Claim(
        "other_objectives", (), others.front, None, None, "trials", others.trials, None,
        "completed trials", text,
    )  # fmt: skip


def _explain(findings: Findings, outcome: str, count: int) -> str:
    if not findings.study.is_native:
        if outcome == PRUNED:
            return _describe_better_stopped(findings)
        if outcome == FAILED and count >= _MIN_FAILED:
            return "; this report does not analyse with which settings"
        return _count_not_finite(findings) if outcome == COMPLETED else ""
    if outcome != SHOWS_NOTHING:
        return _MEANINGS[outcome].format(metric=findings.study.metric.name)
    name, psnr = max(findings.study.trivial_psnrs.items(), key=lambda item: item[1])
    return f": completed, but no better than the best trivial image ({name}, {psnr:.2f} dB)"


def _describe_better_stopped(findings: Findings) -> str:
    """The pruned trial that was better than any completed trial ever was; empty without one.

    Ever: at the end or, where the record has values on the way, at any step.
    """
    pruned = _find_best_value(findings, PRUNED)
    completed = _find_best_value(findings, COMPLETED)
    if pruned is None or completed is None or pruned["score"] <= completed["score"]:
        return ""
    metric = findings.study.metric
    values = metric.values(np.array([pruned["score"], completed["score"]]))
    return (
        f"; trial {pruned['trial_id']} of them reached {metric.name} {values[0]:.4g} before it was "
        f"stopped, better than any recorded value of completed trials, final or on the "
        f"way ({values[1]:.4g} at best)"
    )


def _find_best_value(findings: Findings, outcome: str) -> pd.Series | None:
    """The best value recorded of trials with an outcome, final or on the way, and whose it is."""
    study = findings.study
    trials = study.trials[study.trials["outcome"] == outcome]
    reached = study.curves[study.curves["trial_id"].isin(trials["trial_id"])]
    scores = pd.concat([trials[["trial_id", "score"]], reached[["trial_id", "score"]]])
    scores = scores[np.isfinite(scores["score"].to_numpy(dtype=float))]
    return None if scores.empty else scores.iloc[int(scores["score"].argmax())]


def _count_not_finite(findings: Findings) -> str:
    """How many trials of another tool completed without a finite metric; empty for none."""
    trials = findings.study.trials
    completed = trials[trials["outcome"] == COMPLETED]
    missing = len(completed) - len(select_measured(completed))
    return f", {missing} of them without a finite {findings.study.metric.name}" if missing else ""
