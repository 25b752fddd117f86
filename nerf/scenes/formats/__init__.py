"""Readers of the scene formats that other tools write, one file per format.

Imports `bounds`, `cameras` and `scene`. To add a format, write a reader here that fills a `Capture`
and calls `build_scene`, and recognise its files in `nerf/scenes/__init__.py`.
"""
