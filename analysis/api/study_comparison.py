"""`StudyComparison`: several loaded studies side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import pandas as pd

from analysis.api.results import Draw, ReportFile, Result
from analysis.api.study_analysis import StudyAnalysis
from analysis.api.tables import (
    tabulate_breaking_across,
    tabulate_claims,
    tabulate_compared_shares,
)
from analysis.claims.across_claims import select_across
from analysis.claims.claim import Claim
from analysis.claims.comparison_claims import list_comparison_claims
from analysis.claims.list_claims import select_claims
from analysis.figures.compared_shares import plot_compared_shares
from analysis.figures.rates_across import plot_rates_across
from analysis.findings.comparison import Comparison, compare_studies


@dataclass(frozen=True, repr=False, eq=False)
class StudyComparison:
    """Several studies side by side, such as one for each scene; `analysis.compare` makes it."""

    studies: Sequence[StudyAnalysis]

    @cached_property
    def comparison(self) -> Comparison:
        """The result objects behind the frames, computed once."""
        return compare_studies([study.findings for study in self.studies])

    @property
    def differences(self) -> tuple[str, ...]:
        """What else differs between the studies and may explain why they disagree."""
        return self.comparison.differences

    def importance(self) -> Result:
        """Each parameter's share in each study and, where it can be pooled, on average over them.

        The sentences also name parameters of which two studies disagree, and studies that rank
        nothing.
        """
        kinds = select_claims(self._claims, "pooled_share", "disagreement", "not_ranked")
        figures: dict[tuple[str, ...], Draw] = {}
        if self.comparison.parameters:
            figures[()] = partial(plot_compared_shares, self.comparison)
        table = tabulate_compared_shares(self.comparison)
        return Result(tuple(claim.text for claim in kinds), table, figures)

    def collapse(self) -> Result:
        """What breaks training on all studies, with study as a block; `plot` takes a parameter."""
        breaking = self.comparison.breaking
        parameters = breaking.parameters if breaking else ()
        texts = [claim.text for claim in select_across(self._claims)]
        if not texts:
            texts = [
                "No value of a parameter that the studies share breaks more runs than another."
            ]
        figures: dict[tuple[str, ...], Draw] = {
            (p.path,): partial(plot_rates_across, p) for p in parameters
        }
        return Result(tuple(texts), tabulate_breaking_across(self.comparison), figures)

    def claims(self) -> pd.DataFrame:
        """Every claim on the studies together, a row each, as `StudyAnalysis.claims`."""
        return tabulate_claims(self._claims)

    def report(self, path: Path | str = "comparison.html") -> ReportFile:
        """Writes the page on all studies, one HTML file, and returns where it is."""
        from analysis.pages.output_files import write_comparison_page

        studies = [study.findings for study in self.studies]
        written = write_comparison_page(studies, self.comparison, Path(path).expanduser())
        return ReportFile(written.absolute())

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.studies))

    def _repr_html_(self) -> str:
        return "".join(study._repr_html_() for study in self.studies)

    @cached_property
    def _claims(self) -> tuple[Claim, ...]:
        return list_comparison_claims(self.comparison)
