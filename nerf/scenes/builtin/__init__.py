"""Scenes that need no files: the ray-traced bricks, and tiny LEGO, downloaded from its authors.

Imports `formats` and all rooms below it.
"""
