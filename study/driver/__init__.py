"""Runs in the driver process: launches Ray Tune, starts trials, records or retries them.

Imports every room but `cli`.
"""
