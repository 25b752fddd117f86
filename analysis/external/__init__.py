"""Other tools' sweeps as studies: Optuna, Ray Tune, W&B, MLflow, and plain tables.

A reader for each format returns `Sweep`s: what the record says, and nothing else. `read_sweep`
chooses one, decides what the record leaves open (metric, direction, parameters, priors), lists each
decision as an `Assumption`, and makes a `Study`. Imports `analysis.data` and `study.spec`; the
libraries that own a format are imported when such a file is given.
"""
