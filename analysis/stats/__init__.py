"""Intervals, rates and paired differences: pure functions of arrays.

Imports nothing of this project.
"""
