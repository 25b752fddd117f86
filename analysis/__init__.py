"""Which parameters matter, which break training, and how sure we are: a study folder to a report.

Command: `analysis/report.py` writes report.html, tables and figures.

Rooms, each importing only from those after it:

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

Begin with `findings/analyze_study.py`. No module imports Ray or torch, and
only the reader of Optuna's files imports Optuna; of `study` they import only `records`,
`spec` and `storage`.
"""
