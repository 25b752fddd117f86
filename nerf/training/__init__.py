"""The training loop, one step of it, ray batches, checkpoints, and the health watch.

Imports `evaluation` and all below it.
"""
