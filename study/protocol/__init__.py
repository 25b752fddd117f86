"""What driver and worker processes send each other: assignments, messages, failures, stop requests.

Imports `nerf.config` and `nerf.common` only.
"""
