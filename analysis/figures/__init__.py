"""Plotly figures of result objects, a file for each figure or group, and their SVG or PNG files.

Every `plot_...` function draws one figure and computes nothing.

Imports `findings` and all below it.
"""
