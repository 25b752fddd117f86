"""The Optuna journal as the only truth about trials, its lock, and recovery after a crash.

Imports `records`, `search`, `spec` and `protocol`.
"""
