"""Options of `run_sweep.py` and the plan made from them.

Imports `driver` (its resources), `ledger` (its lock), `records`, `spec` and `storage`.
"""
