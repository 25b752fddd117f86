"""Scenes that need no files: the ray-traced bricks, and tiny LEGO fetched from its authors.

Imports `formats` and all below it.
"""
