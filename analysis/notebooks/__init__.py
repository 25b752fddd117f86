"""Jupyter notebooks over the same functions, as jupytext scripts, and their rendered copies.

The copies are of two committed studies:

    python analysis/notebooks/render.py analysis/results/default analysis/results/everything

Imports any room but `pages` and `published`.
"""
