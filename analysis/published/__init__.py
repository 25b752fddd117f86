"""This project's own results: writes analysis/results/README.md from the tables beside it.

Imports `figures` and all below it.
"""
