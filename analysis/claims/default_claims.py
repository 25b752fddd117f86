"""Claims on the best configuration, the default one, and what tuning gains."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.claim import Claim
from analysis.claims.wording import (
    capitalize,
    count_compared,
    format_value,
    state_values,
)
from analysis.data.metric import PSNR, Metric
from analysis.data.outcomes import COMPLETED
from analysis.data.selection import select_best_candidates, select_finished
from analysis.findings.analyze_study import Findings
from analysis.findings.best_and_default import BestAgainstDefault, ConfigurationRuns
from analysis.findings.tunability import Tunability, TuningGain
from analysis.stats.welch import WelchDifference
from study.records.outcomes import TRAINED

_MAX_SINGLE_GAINS = 3


def list_default_claims(findings: Findings) -> Iterator[Claim]:
    """The run of the best metric, and its configuration against the default one."""
    best, study, metric = findings.best, findings.study, findings.study.metric
    if best is None or best["outcome"] not in (TRAINED, COMPLETED):
        return
    if study.is_native:
        runs = int((study.trials["phase"] != "replicate").sum())
        by_hand = bool((study.trials["phase"] == "try").any())
        of_runs = f"explored{', chosen' if by_hand else ''} and optimised runs"
        if metric != PSNR:  # in which runs that broke may have been better
            runs = len(select_best_candidates(study.trials))
            of_runs += " that trained"
        of_runs = f"{runs} {of_runs}"
        views = " on the validation views" if study.is_nerf and not metric.is_cost else ""
        noun = "run"
    else:
        runs = len(select_finished(study.trials))
        of_runs, views = count_compared(study, runs), ""
        noun = "configuration" if study.has_means else "trial"
    of_trial = f"trial {best['trial_id']}"
    if (repeats := int(best.get("runs", 1))) > 1:
        of_trial = f"mean of {of_trial} and {repeats - 1} more of its configuration"
    text = (
        f"{capitalize(metric.best)} {metric.name} of the {of_runs}: {metric.format(best['score'])}"
        f"{views} ({of_trial}), selected for its luck as well."
    )
    yield Claim(
        "best_run", (), metric.values(float(best["score"])), None, None, metric.unit, runs, None,
        f"a single {noun}, the {metric.best} of all", text,
    )  # fmt: skip
    if (both := findings.best_and_default) is not None:
        yield (
            _gain(both, both.difference, metric) if both.difference else _cannot_tell(both, metric)
        )


def list_tuning_claims(findings: Findings) -> Iterator[Claim]:
    """Gains over the default that the model predicts with an interval above 0."""
    tuning = findings.tunability
    if tuning is None:
        return
    n, metric = findings.importance.trials, findings.study.metric
    labels = {d.path: d.label for d in findings.study.varied}
    if tuning.joint.low > 0:
        values = tuning.joint.values.items()
        listed = ", ".join(f"{labels[path]} {format_value(value)}" for path, value in values)
        yield _predicted(
            tuning.joint, metric, n, f"The configuration that the model rates best ({listed})"
        )
    for single in _list_single(tuning):
        value = next(iter(single.values.values()))
        moved = f"{capitalize(single.label)} {format_value(value)}, all else at its default"
        yield _predicted(single, metric, n, moved)


def _list_single(tuning: Tunability) -> list[TuningGain]:
    """The parameters of highest gain that surely gain something."""
    return [gain for gain in tuning.single if gain.low > 0][:_MAX_SINGLE_GAINS]


def _predicted(gain: TuningGain, metric: Metric, n: int, moved: str) -> Claim:
    """moved: the values that gain, in words."""
    parameters = tuple(state_values(path, [value]) for path, value in gain.values.items())
    difference = metric.format_difference(gain.gain, gain.low, gain.high)
    against = "against" if metric.minimize else "over"
    text = f"{moved}: {difference} {against} the default, as the model predicts."
    return Claim(
        "tuning_gain", parameters, gain.gain, gain.low, gain.high, metric.unit, n, 0.95,
        "predicted by the model, among runs that train", text,
    )  # fmt: skip


def _gain(both: BestAgainstDefault, difference: WelchDifference, metric: Metric) -> Claim:
    best, default = len(both.best.scores), len(both.default.scores)
    gain = metric.format_difference(difference.mean, difference.low, difference.high)
    broke = "".join(map(_describe_broken, (both.best, both.default)))
    text = (
        f"{capitalize(both.choice)} configuration minus default: {gain}, from {best} further seeds "
        f"of the {both.choice} and {default} runs of the default{_describe_outside(both)} that "
        f"trained{broke}."
    )
    values = tuple(state_values(path, [value]) for path, value in both.best.values.items())
    condition = f"further seeds of the {both.choice}, all runs of the default; trained"
    return Claim(
        "gain_over_default", values, difference.mean, difference.low, difference.high, metric.unit,
        best + default, 0.95, condition, text,
    )  # fmt: skip


def _cannot_tell(both: BestAgainstDefault, metric: Metric) -> Claim:
    text = (
        f"Whether the {both.choice} configuration beats the default{_describe_outside(both)} is "
        f"not known: {both.reason}."
    )
    runs = both.best.breaks.trials + both.default.breaks.trials
    return Claim("not_told_apart", (), None, None, None, metric.unit, runs, None, "", text)


def _describe_broken(runs: ConfigurationRuns) -> str:
    rate = runs.breaks
    return f"; {rate.broken} of {rate.trials} runs of the {rate.name} broke" if rate.broken else ""


def _describe_outside(both: BestAgainstDefault) -> str:
    """The values of the default that lie outside the searched space, in brackets."""
    values = [f"{path} {format_value(both.default.values[path])}" for path in both.outside]
    return f" (outside the searched space: {', '.join(values)})" if values else ""
