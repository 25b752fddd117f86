"""The training loop, its steps, ray batches, schedules, checkpoints and health watch.

Imports `evaluation` and all below it.
"""
