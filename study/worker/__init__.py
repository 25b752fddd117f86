"""Runs in a Ray worker: trains one trial after another, or has a batch train it, and reports.

The driver gets the reports; a batch of trials on one GPU has a process of its own (`batch_client`).

Imports `trackers`, `storage`, `records`, `search`, `spec` and `protocol`, never `driver`.
"""
