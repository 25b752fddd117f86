"""The specification of a study: search space, budget, and the files that describe them.

Imports `nerf.config` and `nerf.common` only.
"""
