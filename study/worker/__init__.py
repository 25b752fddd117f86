"""Runs in a Ray worker: trains one trial, logs it, and reports to the driver.

Imports `storage`, `records`, `search`, `spec` and `protocol`, never `driver`.
"""
