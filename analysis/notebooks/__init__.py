"""Jupyter notebooks over the same functions, as jupytext scripts, and their rendered copies.

The copies are of two committed studies:

    python analysis/notebooks/render.py analysis/results/everything analysis/results/near_far

Imports any room but `pages` and `published`.
"""
