"""Runs in the driver process: launches Ray Tune, hands out trials, handles their results.

Imports every room below it; only `cli` and the commands stand above.
"""
