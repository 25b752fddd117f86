"""`StudyAnalysis`: a loaded study, and what its trials say."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from analysis.api.answers import (
    answer_bounds,
    answer_collapse,
    answer_effects,
    answer_importance,
    answer_variants,
)
from analysis.api.open_study import OpenedStudy
from analysis.api.results import ReportFile, Result
from analysis.api.tables import tabulate_claims, tabulate_curves
from analysis.claims.claim import Claim
from analysis.claims.list_claims import list_answer_lines, list_claims
from analysis.data.outcomes import format_outcomes
from analysis.data.study import Study
from analysis.findings.analyze_study import Findings
from analysis.findings.recorded_trials import tabulate_recorded_trials
from nerf.common.errors import InputError
from nerf.common.files import write_atomically


@dataclass(frozen=True, repr=False, eq=False)
class StudyAnalysis:
    """A loaded study: its trials as pandas frames, and the questions they answer.

    `analysis.load` makes it. Frames come from the files as they were then: of a study that is still
    running, load again for newer trials. The first question takes seconds, since it computes all
    findings; the others then come at once.

    Example:
        >>> import analysis
        >>> study = analysis.load(analysis.RESULTS / "collapse" / "collapse_studio_corner")
        >>> study
        collapse_studio_corner: 144 trials on studio-corner: ...
        >>> len(study.trials), study.curves.columns[0]
        (144, 'trial_id')
        >>> print(study.importance().table.loc["optimisation.learning_rate", "significant"])
        True
        >>> study.importance().plot().write_html("importance.html")  # doctest: +SKIP
        >>> study.collapse().table.columns[:2].tolist()
        ['parameter', 'value']
        >>> study.effects().plottable[0]
        ('optimisation.learning_rate',)
        >>> study.claims().query("kind == 'share'")["parameters"].iloc[0]
        'optimisation.learning_rate'
    """

    _opened: OpenedStudy

    @property
    def study(self) -> Study:
        """The study as its files describe it: space, scene, options, metric."""
        return self._opened.study

    @property
    def name(self) -> str:
        """The name of the study, or of another tool's file."""
        return self.study.name

    @property
    def trials(self) -> pd.DataFrame:
        """A row for each trial that has ended: `outcome`, the metric, and each parameter.

        Columns of this program's studies are `trial_id`, `outcome`, `psnr` (dB, of validation
        views) or the metric of another trainer, `phase`, `seed`, `steps_done`, `reason` and more,
        and parameters by path, such as `optimisation.learning_rate`. Another tool's trials have
        their `state` and its own names.
        """
        if self.study.is_native:
            return self.study.trials.drop(columns="score")
        return tabulate_recorded_trials(self.study)

    @property
    def curves(self) -> pd.DataFrame:
        """A row for each evaluation of each trial: the trial, its step and the metric then."""
        return tabulate_curves(self.study)

    def best(self, count: int = 10) -> pd.DataFrame:
        """The trials of the best metric, best first: their outcome, metric and parameters.

        The first was selected for its luck as well; `summary` compares it with the default.
        """
        order = self.study.trials["score"].sort_values(ascending=False).index[:count]
        if not self.study.is_native:
            return self.trials.loc[order]
        varied = [dimension.path for dimension in self.study.space.dimensions]
        return self.trials.loc[order, ["trial_id", "outcome", self.study.metric.column, *varied]]

    @cached_property
    def findings(self) -> Findings:
        """Everything that a report rests on, computed once: result objects, not frames."""
        return self._opened.analyze()

    def summary(self) -> Result:
        """What matters, what breaks, what to set, how sure that is, and what to do next.

        A line that begins with spaces is a command: it trains the recommended values, or runs the
        next study. The table counts outcomes.
        """
        texts = list_answer_lines(self._claims)
        counts = self.study.trials.groupby("outcome").size().rename("trials").reset_index()
        return Result((*texts, *self._conditions()), counts)

    def importance(self) -> Result:
        """Which parameters matter: each one's share of the variance of the metric.

        The table has a row for each parameter: `share` (with interactions) and `alone`, in [0, 1]
        with 95 % intervals, whether it is `significant`, and the `p_value` of a test that it has no
        effect. Where the trials support no ranking, the sentences say why, shares are missing, and
        the test alone decides what is significant.
        """
        self._require_sampled_space()
        return answer_importance(self.findings, self._claims)

    def collapse(self) -> Result:
        """What breaks training: how many runs collapse or show nothing, by parameter.

        The table has a row for each value, or range of values, of each parameter: the runs with it
        and the `rate` that broke, with intervals that hold for all rows at once. `plot` takes a
        parameter, or two.

        Raises:
            InputError: it is a sweep of another tool, which does not record which runs broke.
        """
        self._require_sampled_space()
        if not self.study.is_native:
            raise InputError(
                f"{self.name} does not record which trials broke: it is a sweep of "
                f"{self.study.source}; see the states in its trials"
            )
        return answer_collapse(self.findings, self._claims)

    def effects(self) -> Result:
        """How each parameter acts: the mean of the metric at each value, the others varying.

        The table has a row for each parameter and value, with a 95 % band of the `mean`, and the
        `verdict` on a loss of `margin` against the best value. It is empty where no surrogate
        predicts well. `plot` takes a parameter (by default, the one of the highest share), or two
        of a strong interaction.
        """
        self._require_sampled_space()
        return answer_effects(self.findings, self._claims)

    def bounds(self) -> Result:
        """Which near and far bounds work: the explored runs that broke, of all, over the plane.

        Computes no surrogate.

        Raises:
            InputError: not both bounds vary.
        """
        return answer_bounds(self.study)

    def variants(self) -> Result:
        """Named configurations against the first one, in pairs of runs of one seed.

        Raises:
            InputError: the study has no variants.
        """
        if not self.study.has_variants:
            raise InputError(f"{self.name} has no variants; ask for its importance() or collapse()")
        return answer_variants(self.findings, self._claims)

    def claims(self) -> pd.DataFrame:
        """Every claim of the report, a row each: estimate, interval, what it rests on, sentence.

        Columns are the fields of `analysis.claims.claim.Claim`; `KINDS` there explains each kind.
        """
        return tabulate_claims(self._claims)

    def report(self, path: Path | str | None = None) -> ReportFile:
        """Writes the report, one HTML file, and returns where it is.

        Args:
            path: of the file; if left out, where `report.py` writes it: into the study folder, or
                beside another tool's file. Of a study at a URL, into the current folder.
        """
        from analysis.pages.study_page import render_study_page

        default = self.findings.study.report_file
        if self._opened.is_download:
            default = Path(f"{self.name}-{self.study.report_file.name}")
        path = default if path is None else Path(path).expanduser()
        page = render_study_page(self.findings).encode()
        try:
            write_atomically(path, page)
        except OSError as error:
            raise InputError(
                f"{path} cannot be written ({error.strerror}); give report() another path"
            ) from None
        return ReportFile(path.absolute())

    def __repr__(self) -> str:
        return "\n".join([self._describe_trials(), *self._conditions()])

    def _repr_html_(self) -> str:
        return "".join(
            f"<p>{html.escape(text, quote=False)}</p>" for text in repr(self).splitlines()
        )

    @cached_property
    def _claims(self) -> tuple[Claim, ...]:
        return list_claims(self.findings)

    def _describe_trials(self) -> str:
        study = self.study
        where = f"on {study.scene['name']}" if study.scene.get("name") else ""
        source = "" if study.is_native else f"of {study.source}"
        count, planned = int(study.runs.sum()), count_planned(study)
        trials = f"{count} trials" if count >= planned else f"{count} of {planned} trials so far"
        outcomes = format_outcomes(study.trials) or "none has ended yet"
        return f"{study.name}: {' '.join(filter(None, [trials, source, where]))}: {outcomes}."

    def _conditions(self) -> list[str]:
        """What another tool's record leaves open and what was left out, as sentences."""
        # Once the findings are there, each assumption says what the other reading would change.
        study = self.__dict__["findings"].study if "findings" in self.__dict__ else self.study
        lines = [f"Assumed: {assumption}." for assumption in study.assumed]
        return [*lines, f"Left out: {'; '.join(study.left_out)}."] if study.left_out else lines

    def _require_sampled_space(self) -> None:
        if self.study.has_variants:
            raise InputError(
                f"{self.name} compares named configurations and samples no space; ask for its "
                "variants()"
            )


def count_planned(study: Study) -> int:
    """How many trials a study of this program will have; 0 if it does not say."""
    spec = study.spec
    phases = sum(int(spec.get(phase) or 0) for phase in ("explore", "optimize", "replicates"))
    return phases + len(spec.get("variants") or ()) * int(spec.get("repeats") or 0)
