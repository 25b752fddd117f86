"""Readers of the scene formats that other tools write, one file per format.

Imports `bounds`, `cameras` and `scene`. To add a format: a reader here, and a line in
`nerf/scenes/__init__.py` that recognises it.
"""
