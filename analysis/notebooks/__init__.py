"""Jupyter notebooks over `analysis.load`, with their outputs on this project's own studies.

`render.py` runs them and saves the outputs; each notebook is its own and only source.
"""
