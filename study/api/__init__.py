"""The Python API: a study as an object, for scripts and notebooks; and our pieces for Ray Tune.

`from study import Study, StudySearcher, StudyScheduler` imports what this room holds when it is
first used. `Study` runs the command `run_sweep.py` as a process of its own, so that the two cannot
differ: what Python passes is spelt as its options (`arguments`), and Ctrl-C, a thread, a notebook's
kernel or another Ray in the calling process do not matter to the study.
"""
