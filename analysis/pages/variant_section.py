"""The report's section on the variants of a study, where it has some."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from markupsafe import Markup

from analysis.data.metric import PSNR
from analysis.figures.variant_differences import plot_variant_differences
from analysis.findings.variants import describe_difference
from analysis.pages.templating import TableView, render_template, view_figure
from study.records.outcomes import COLLAPSED, SHOWS_NOTHING, TRAINED

if TYPE_CHECKING:
    from analysis.data.metric import Metric
    from analysis.findings.analyze_study import Findings
    from analysis.findings.variants import VariantComparison


def render_variants_section(findings: Findings) -> Markup:
    """Each variant's mean PSNR and its paired difference from the first; empty without variants."""
    return render_differences(findings.variants) if findings.variants else Markup()


def render_differences(comparison: VariantComparison) -> Markup:
    """A section on variants, of one study or on the average of several scenes."""
    metric = comparison.metric
    figure = plot_variant_differences(comparison.to_first, comparison.first, metric=metric)
    return render_template(
        "variants.html",
        answer=comparison.headline,
        first=comparison.first,
        metric=metric,
        is_psnr=metric == PSNR,
        scenes=comparison.scenes,
        table=_view_table(comparison, metric),
        figure=view_figure(
            figure, f"{metric.name} of each variant minus that of {comparison.first}"
        ),
    )


def _view_table(comparison: VariantComparison, metric: Metric) -> TableView:
    bare = replace(metric, unit="")  # which stands in the head
    differences = {
        d.first: (describe_difference(d, bare), d.holm_p_value) for d in comparison.to_first
    }
    unit = f", {metric.unit}" if metric.unit else ""
    outcomes = [TRAINED, COLLAPSED, SHOWS_NOTHING]
    heads = ["variant", *outcomes, f"mean {metric.name}{unit}", f"difference{unit}", "p, Holm"]
    return TableView(
        heads,
        [
            [
                name,
                int(values.count()),
                comparison.collapsed[str(name)],
                comparison.shows_nothing[str(name)],
                float(values.mean()),
                *differences.get(str(name), ("", "")),
            ]
            for name, values in comparison.values.items()
        ],
    )
