"""All findings of a study as result objects: breaking, effects, bounds, seeds, variants,
comparison.

Imports `importance` and all below it. Begin with `analyze_study.py`.
"""
