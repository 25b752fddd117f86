"""What can be said about a study, as result objects: collapse, effects, bounds, seeds, comparison.

Imports `importance` and all below it.
"""
