"""Options of `run_sweep.py` and the plan made from them.

Imports `driver` (its resources), `records`, `spec` and `storage`.
"""
