"""Jupyter notebooks over the same functions, as jupytext scripts, and their rendered copies.

Imports any room but `pages` and `published`.
"""
