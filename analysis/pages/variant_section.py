"""The report's section on the variants of a study, where it has some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from analysis.figures.variant_differences import plot_variant_differences
from analysis.pages.templating import TableView, render_template, view_figure
from study.records.outcomes import COLLAPSED, SHOWS_NOTHING, TRAINED

if TYPE_CHECKING:
    from analysis.findings.analyze_study import Findings
    from analysis.findings.variants import VariantComparison


def render_variants_section(findings: Findings) -> Markup:
    """Each variant's mean PSNR and its paired difference from the first; empty without variants."""
    comparison = findings.variants
    if comparison is None:
        return Markup()
    figure = plot_variant_differences(comparison.to_first, comparison.first)
    return render_template(
        "variants.html",
        answer=comparison.headline,
        first=comparison.first,
        table=_view_table(comparison),
        figure=view_figure(figure, f"PSNR of each variant minus that of {comparison.first}"),
    )


def _view_table(comparison: VariantComparison) -> TableView:
    differences = {d.first: (d.description, d.holm_p_value) for d in comparison.to_first}
    outcomes = [TRAINED, COLLAPSED, SHOWS_NOTHING]
    heads = ["variant", *outcomes, "mean PSNR, dB", "difference, dB", "p, Holm"]
    return TableView(
        heads,
        [
            [
                name,
                int(psnr.count()),
                comparison.collapsed[str(name)],
                comparison.shows_nothing[str(name)],
                float(psnr.mean()),
                *differences.get(str(name), ("", "")),
            ]
            for name, psnr in comparison.psnr.items()
        ],
    )
