"""Options of `run_sweep.py` and the plan made from them. Imports `spec`, `records` and `storage`."""
