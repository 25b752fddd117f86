"""Runs in a Ray worker: trains one trial after another, logs them, and reports to the driver.

Imports `storage`, `records`, `search`, `spec` and `protocol`, never `driver`.
"""
