"""What a study is asked to do: search space, budget, and the files that describe them.

Imports `nerf.config` and `nerf.common` only.
"""
