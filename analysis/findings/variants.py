"""The variants of a study against its first one, paired by seed.

Variants are named configurations (study/spec/variants.py); the r-th runs of all share a seed.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.data.metric import PSNR, Metric
from analysis.data.selection import match_configuration
from analysis.data.study import Study
from analysis.stats.intervals import SIGNIFICANCE_LEVEL
from analysis.stats.paired import PairedDifference, compare_with_first
from study.records.outcomes import COLLAPSED, SHOWS_NOTHING, TRAINED, format_count
from study.spec.variants import Variant, variant_values

_MAX_NAMED = 3


@dataclass(frozen=True)
class VariantComparison:
    """The metric of each variant, and its difference from the first.

    values: of the metric, seeds x variants in the study's order; NaN where no run has trained
    to_first: each other variant minus the first, over the seeds that both have
    runs, collapsed, shows_nothing: variant -> how many of its runs have ended, and how many of
    these collapsed or show nothing
    scenes: the labels of the scenes over which the metric is averaged, where there are several
    """

    values: pd.DataFrame
    to_first: tuple[PairedDifference, ...]
    runs: dict[str, int]
    collapsed: dict[str, int]
    shows_nothing: dict[str, int]
    metric: Metric = PSNR
    scenes: tuple[str, ...] = ()

    @property
    def seeds_that_count(self) -> str:
        """Which seeds a difference of two variants rests on."""
        return f"seeds that trained with both{' on every scene' if self.scenes else ''}"

    @property
    def first(self) -> str:
        return str(self.values.columns[0])

    @property
    def headline(self) -> str:
        """How many variants differ from the first with an interval that excludes 0, and which."""
        return f"{self._describe_differences()}. {self._describe_runs()}"

    def _describe_differences(self) -> str:
        others, different = len(self.to_first), [d for d in self.to_first if d.excludes_zero]
        untested = sum(d.interval is None for d in self.to_first)
        if untested == others:
            return (
                f"No difference from {self.first}{self._average} has an interval, which takes two "
                f"seeds that both variants trained with{' on every scene' if self.scenes else ''}"
            )
        if others == 1:
            clause = f"{self.to_first[0].first} {'differs' if different else 'does not differ'}"
        else:
            verb = "differ" if len(different) > 1 else "differs"
            clause = f"Of the {others} other variants, {len(different) or 'none'} {verb}"
        text = f"{clause} from {self.first}{self._average} with a 95 % interval that excludes 0"
        if different:
            text += f" ({self._count_significant()}): {_name_largest(different, self.metric)}"
        if untested:
            text += f"; {untested} with too few seeds for an interval"
        return text

    @property
    def _average(self) -> str:
        scenes = len(self.scenes)
        return f" in {self.metric.name} averaged over {scenes} scenes" if scenes else ""

    def _count_significant(self) -> str:
        holm = [d.holm_p_value for d in self.to_first if d.holm_p_value is not None]
        return f"{sum(p < SIGNIFICANCE_LEVEL for p in holm)} with Holm's correction"

    def _describe_runs(self) -> str:
        runs = sum(self.runs.values())
        ended = "1 run has ended" if runs == 1 else f"{runs} runs have ended"
        broken = {COLLAPSED: self.collapsed, SHOWS_NOTHING: self.shows_nothing}
        counts = [
            format_count(sum(n.values()), outcome)
            for outcome, n in broken.items()
            if any(n.values())
        ]
        return f"{ended}; {', '.join(counts) or 'none collapsed or shows nothing'}."


def compare_variants(study: Study, measure: str = "") -> VariantComparison | None:
    """Compares a study's variants by its metric, or by another column such as `test_psnr`.

    Returns None if the study has no variants or none of their trials has ended. The comparison is
    of the metric given that a run trains; how many of each variant broke stands beside it.
    """
    runs = label_variants(study)
    if runs.empty:
        return None
    measured = runs[measure or study.metric.column]
    finished = runs.assign(value=measured.where(runs["outcome"] == TRAINED))
    values = finished.pivot(index="seed", columns="variant", values="value")
    names = [str(data["name"]) for data in study.spec["variants"]]
    values = values.reindex(columns=names).astype(np.float64)

    def count(outcome: str) -> dict[str, int]:
        variants = runs.loc[runs["outcome"] == outcome, "variant"]
        return {name: int((variants == name).sum()) for name in names}

    return VariantComparison(
        values=values,
        to_first=tuple(compare_with_first(values)),
        runs={name: int((runs["variant"] == name).sum()) for name in names},
        collapsed=count(COLLAPSED),
        shows_nothing=count(SHOWS_NOTHING),
        metric=study.metric,
    )


def average_variants(studies: Mapping[str, Study]) -> VariantComparison | None:
    """Compares the variants of a study of several scenes by its metric, averaged over these.

    A seed counts for a variant if its runs trained on every scene: what is averaged is then the
    same of all variants. None if on some scene none has ended.

    studies: label -> the study on that scene
    """
    compared = [compare_variants(study) for study in studies.values()]
    each = [comparison for comparison in compared if comparison is not None]
    if len(each) < len(studies):
        return None
    # A value that is missing on one scene is missing in the sum.
    values = functools.reduce(operator.add, (comparison.values for comparison in each)) / len(each)

    def add(field: str) -> dict[str, int]:
        total: Counter[str] = Counter()
        for comparison in each:
            total.update(getattr(comparison, field))
        return dict(total)

    return replace(
        each[0],
        values=values,
        to_first=tuple(compare_with_first(values)),
        runs=add("runs"),
        collapsed=add("collapsed"),
        shows_nothing=add("shows_nothing"),
        scenes=tuple(studies),
    )


def label_variants(study: Study) -> pd.DataFrame:
    """The trials of a study's variants, with the name of each one's in the column `variant`."""
    trials = study.trials[study.trials["phase"] == "variant"]
    names = pd.Series("", index=trials.index, dtype="string", name="variant")
    for data in study.spec.get("variants", ()):
        variant = Variant.from_json(data)
        names[match_configuration(trials, variant_values(variant, study.space))] = variant.name
    return trials.assign(variant=names)


def describe_difference(difference: PairedDifference, metric: Metric) -> str:
    """The mean and its interval: `+0.49 dB [+0.08, +0.89]`; a dash without seeds."""
    if difference.interval is None:
        known = metric.with_unit_of_difference(metric.format_signed(difference.mean))
        return known if difference.seeds else "–"
    return metric.format_change(difference.mean, *difference.interval)


def _name_largest(different: Sequence[PairedDifference], metric: Metric) -> str:
    """The largest differences in words, and how many there are beside them."""
    ordered = sorted(different, key=lambda d: -abs(d.mean))
    bare = replace(metric, unit="")
    texts = (f"{d.first} {describe_difference(d, bare)} {metric.unit}" for d in ordered)
    named = ", ".join(text.rstrip() for text in itertools.islice(texts, _MAX_NAMED))
    others = len(ordered) - _MAX_NAMED
    return f"{named} and {others} more" if others > 0 else named
