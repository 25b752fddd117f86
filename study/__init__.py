"""Hyperparameter studies of NeRFs with Ray Tune and Optuna: one sweep is one study folder.

Commands: `study/run_sweep.py` runs or resumes a study, `study/status.py` shows how far it is,
`study/wandb_workspace.py` saves a W&B workspace for it.

Rooms, each importing only from those after it:

    cli         options of `run_sweep.py`, and the plan of a new, resumed or extended study
    driver      the process that launches Ray Tune and manages trials
    worker      the process that trains one trial
    trackers    a trial as a run of W&B, TensorBoard or MLflow
    storage     the study's copy in a folder, s3:// or gs://
    ledger      the Optuna journal: which trials exist and how they ended
    monitor     progress, on a terminal or as lines of text
    records     the study folder and its tables
    search      which configuration comes next: design, samplers, replicates, halving
    spec        what a study is asked to do: search space, budget, study files
    protocol    what driver and worker send each other
    trainers    what trains a trial: the NeRF, or a function of the user

Begin with `spec/study_spec.py`, then `driver/launch.py` and `worker/trainable.py`. This is the only
package that imports Ray and runs Optuna.
"""
