"""A claim: one statement about a study with its estimate, interval, conditions and text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Kind = Literal[
    "what_matters",
    "what_breaks",
    "what_fails",
    "what_to_set",
    "how_sure",
    "what_next",
    "set_value",
    "keep_value",
    "not_ranked",
    "share",
    "share_alone",
    "share_with_failures",
    "interaction",
    "unexplained",
    "moves",
    "top_tenth",
    "best_value",
    "as_good",
    "worse",
    "not_told_apart",
    "edge_of_range",
    "breaks",
    "safe",
    "breaks_pair",
    "no_breaking_parameter",
    "bounds",
    "state",
    "stopping",
    "best_run",
    "gain_over_default",
    "tuning_gain",
    "seed_sd",
    "seed_share",
    "seed_flips",
    "settled_by",
    "early_order",
    "pooled_share",
    "disagreement",
    "variant_difference",
    "breaks_across",
    "safe_across",
    "breaks_pair_across",
    "no_breaking_across",
    "breaks_instead",
    "psnr_instead",
    "time_instead",
    "design",
    "top_given_others",
    "in_branch",
    "not_significant",
    "other_objectives",
    "scenes_share",
    "scenes_rate",
    "scenes_differ",
    "scenes_best",
    "by_hand",
    "started_from",
    "front",
    "balanced",
    "in_metric",
]
"""What a claim says; `KINDS` explains each."""

KINDS: dict[Kind, str] = {
    "what_matters": "answer: which parameters decide the metric, from the claims on shares",
    "what_breaks": "answer: how many runs break and with what, from the claims on rates",
    "what_fails": "as `what_breaks`, of another tool's sweep: how many trials failed",
    "what_to_set": "answer: a configuration that beats the default one, or the default; `command`",
    "how_sure": "answer: how many runs it rests on, for what it holds, and how much is chance",
    "what_next": "answer: the study that would decide what is open, and its size; `command`",
    "set_value": "a value to set, and the values that lose at most a margin, the estimate",
    "keep_value": "the default, or any value, loses at most the estimate against the best value",
    "not_ranked": "nothing is ranked, and why",
    "share": "a parameter's part of the variance of PSNR, alone and in interactions",
    "share_alone": "a parameter's part of the variance of PSNR, without interactions",
    "share_with_failures": "as `share`, counting runs that broke, at their last PSNR",
    "interaction": "the part of the variance of PSNR by two parameters jointly",
    "unexplained": "the part of the variance of PSNR that no parameter explains",
    "moves": "a parameter has a significant effect on PSNR; no size is claimed",
    "top_tenth": "a parameter sets the best tenth of the runs apart",
    "best_value": "the value of highest mean PSNR, in an interval",
    "as_good": "values that lose at most a margin, the estimate, against the best value",
    "worse": "values that lose more than a margin, the estimate, against the best value",
    "not_told_apart": "values of which the trials do not tell whether they are as good",
    "edge_of_range": "the best value may lie beyond the range that was searched",
    "breaks": "the part of the runs that do not train with a value or range",
    "safe": "as `breaks`, for a value or range with which few runs break",
    "breaks_pair": "as `breaks`, for values of two parameters at once",
    "no_breaking_parameter": "no parameter has a significant effect on which runs break",
    "bounds": "PSNR where near and far enclose the object minus where they cut it",
    "state": "the number of runs in a state, such as 'shows nothing'",
    "stopping": "why it has this many trials: a claim was settled, or its hours ended",
    "best_run": "the run of highest PSNR, which was selected for its luck as well",
    "gain_over_default": "the best configuration minus the default one, from further seeds of both",
    "tuning_gain": "gain over the default that a surrogate predicts",
    "seed_sd": "standard deviation of PSNR between seeds",
    "seed_share": "the seeds' part of the variance of PSNR, from configurations run again",
    "seed_flips": "configurations that train with one seed and break with another",
    "settled_by": "the step from which shares stay close to the final ones",
    "early_order": "rank correlation of PSNR at an early step with the final one",
    "pooled_share": "a parameter's share over several studies, with a prediction interval",
    "disagreement": "two studies differ in a parameter's share",
    "variant_difference": "a variant minus the first, paired by seed",
    "breaks_across": "the part of the runs that do not train with a level, over several studies",
    "safe_across": "as `breaks_across`, for the level with which fewest runs break",
    "breaks_pair_across": "as `breaks_across`, for levels of two parameters at once",
    "no_breaking_across": "as `no_breaking_parameter`, over several studies",
    "breaks_instead": "a level minus the default one (else the first): part of the runs that break",
    "psnr_instead": "as `breaks_instead`: PSNR where runs train, pooled over studies",
    "time_instead": "a level over the default one (else the first): seconds of a step, pooled",
    "design": "how another tool's trials were chosen; the estimate is the effective sample size",
    "top_given_others": "a parameter sets the best quarter of the trials apart, given all others",
    "in_branch": "a claim on a parameter that only some trials have, among those trials",
    "not_significant": "parameters of which no effect was found, which proves none absent",
    "front": "the trials on the Pareto front of several metrics; the estimate counts them",
    "balanced": "the trial of the front whose worst rank over the metrics, the estimate, is lowest",
    "in_metric": "a claim on a further metric of the study, the first word of whose text names it",
    "other_objectives": "objectives beside the metric; the estimate counts Pareto optimal trials",
    "scenes_share": "as `share`, of PSNR averaged over the scenes of a study of several",
    "scenes_rate": "the part of the runs that do not train, on the average of several scenes",
    "scenes_differ": "a parameter has another effect on PSNR on one scene than on another",
    "scenes_best": "the explored point of the highest PSNR averaged over several scenes",
    "started_from": "the number of trials of other studies that the optimiser started from",
    "by_hand": "the number of configurations that a person chose, which tell nothing of the space",
}


@dataclass(frozen=True)
class Claim:
    """One statement about a study.

    parameters: what it is about, as `PATH`, or with values as `PATH=LOW:HIGH` or `PATH=A,B` in the
    syntax of `--vary`
    estimate, low, high: in `unit`, with an interval at `confidence`; None where there is none
    n: how many runs it rests on
    condition: the runs or the margin for which it holds, such as "among runs that trained"
    text: the sentence, with its full stop
    command: what to run to act on it, ready for a shell; empty for most claims
    """

    kind: Kind
    parameters: tuple[str, ...]
    estimate: float | None
    low: float | None
    high: float | None
    unit: str
    n: int
    confidence: float | None
    condition: str
    text: str
    command: str = ""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"unknown kind of claim: {self.kind!r}")

    def to_json(self) -> dict[str, Any]:
        """The fields by name, as they stand in claims.json."""
        return {**asdict(self), "parameters": list(self.parameters)}
