"""Sweeps of other tools with a known truth, what a report says of each, and the verdict.

A case is a function that writes an input and returns its truth, see `case`. The parameters and
metrics come from `sample`, whose shares of the variance are known in closed form.
"""
