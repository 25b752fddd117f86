"""Which parameters matter, which break training, and how sure we are: a study folder to a report.

From Python or a notebook:

    import analysis

    study = analysis.load("studies/default")   # or optuna.db, runs.csv, s3://bucket/studies/NAME
    study.trials, study.curves                 # pandas frames
    study.summary()                            # the answers in sentences
    study.importance()                         # which parameters matter
    study.collapse()                           # which values break training
    study.effects().plot("field.width")        # how one acts, as a Plotly figure
    study.claims()                             # every statement with its interval, a frame
    study.report("report.html")                # the page that the command writes
    analysis.compare("studies/a", "studies/b").importance()

Results have `.sentences`, a `.table` (a pandas frame) and `.plot()`; Jupyter shows them as they
are.
`help(analysis.load)` lists the options for other tools' sweeps, `help(study)` all questions.

Command: `analysis/report.py` writes report.html, tables and figures.

Rooms, each importing only from those after it:

    api         load, compare and what they return
    pages       findings to one HTML page
    notebooks   the same in Jupyter
    published   this project's own results (analysis/results), written from their tables
    figures     result objects to plotly figures
    claims      every sentence with a number, as data
    findings    what can be said about a study: breaking, effects, bounds, seeds, comparison
    importance  Sobol' shares, PED-ANOVA, permutation test, shares over time
    surrogate   Gaussian process over the unit cube
    external    other tools' sweeps as studies: Optuna, Ray Tune, MLflow, W&B, tables
    data        study folders as data frames, and which trials may be compared
    stats       intervals, rates, paired differences

In the code, begin with `findings/analyze_study.py`. No module imports Ray or torch, and
only the reader of Optuna's files imports Optuna; of `study` they import only `records`,
`spec` and `storage`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from analysis.api.study_analysis import StudyAnalysis
    from analysis.api.study_comparison import StudyComparison

__all__ = ["RESULTS", "compare", "load"]

RESULTS = Path(__file__).parent / "results"
"""Studies of this project that come with a clone of it, such as `RESULTS / "default"`."""


def load(
    path: Path | str,
    *,
    scene: str = "",
    study_name: str | None = None,
    metric: str | None = None,
    direction: Literal["maximize", "minimize"] | None = None,
    unit: str = "",
    parameters: Sequence[str] = (),
    ignore: Sequence[str] = (),
    prior: Sequence[str] = (),
) -> StudyAnalysis:
    """Reads a study, finished or not, or another tool's sweep.

    Args:
        path: a study folder; the s3:// or gs:// URL of its copy; an Optuna storage, a Ray Tune or
            MLflow folder, or a table (CSV, Parquet, JSON, Excel) with a row for each run, such as
            W&B exports. The file is not written to.
        scene: the label of one, of a study of several scenes (`list_scenes` in
            `analysis.data.study`).
        study_name, metric, direction, unit, parameters, ignore, prior: for another tool's sweep, as
            the options of `report.py`: `metric="val_loss", prior=["lr=1e-5:0.1:log"]`. What is left
            open is assumed, and listed where the study is shown.

    Returns:
        The study, with its frames `trials` and `curves` and the methods `summary`, `importance`,
        `collapse`, `effects`, `bounds`, `variants`, `claims` and `report`.

    Raises:
        nerf.common.errors.InputError: there is no study, or none was chosen of several.

    Example:
        >>> import analysis
        >>> study = analysis.load(analysis.RESULTS / "near_far")
        >>> study.trials.groupby("outcome").size().to_dict()
        {'collapsed': 4, 'trained': 180}
    """
    from analysis.api.open_study import open_study
    from analysis.api.study_analysis import StudyAnalysis
    from analysis.external.options import pose_question

    question = pose_question(
        study=study_name,
        metric=metric,
        direction=direction,
        unit=unit,
        parameters=parameters,
        ignored=ignore,
        priors=prior,
    )
    return StudyAnalysis(open_study(path, question, scene))


def compare(*studies: StudyAnalysis | Path | str) -> StudyComparison:
    """Compares studies, such as one for each scene, as `report.py` with several studies does.

    Args:
        studies: loaded ones, or what `load` reads.

    Returns:
        The comparison, with the methods `importance`, `collapse`, `claims` and `report`.

    Raises:
        nerf.common.errors.InputError: two have one name, or they vary no parameter in common.

    Example:
        >>> import analysis
        >>> folder = analysis.RESULTS / "collapse"
        >>> analysis.compare(folder / "collapse_studio", folder / "collapse_lego_white")
        collapse_studio: 120 trials on studio: ...
        collapse_lego_white: 120 trials on lego_200: ...
    """
    from analysis.api.study_analysis import StudyAnalysis
    from analysis.api.study_comparison import StudyComparison

    return StudyComparison(tuple(s if isinstance(s, StudyAnalysis) else load(s) for s in studies))
