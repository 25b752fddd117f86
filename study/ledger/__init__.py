"""The Optuna journal, which has the state of all trials; its lock, and recovery after a crash.

Imports `records`, `search`, `spec` and `protocol`.
"""
