"""How much each parameter matters: variance shares, PED-ANOVA, a permutation test.

Imports `surrogate` and `stats`. To add an estimator: a file here that returns a result object
with intervals, and its conformance case in tests/analysis/importance/test_conformance.py.
"""
