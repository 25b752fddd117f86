"""The specification of a study: search space or variants, budget, and files that describe them.

Imports `nerf.config` and `nerf.common` only.
"""
