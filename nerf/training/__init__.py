"""The training loop, its steps, ray batches, schedules, checkpoints and health watch.

`batch` trains several runs on one device at once. Imports `evaluation` and all below it.
"""
