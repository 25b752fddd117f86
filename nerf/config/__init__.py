"""Every choice of a NeRF that a user may change, its domain, and its dotted path.

Imports `common`.
"""
