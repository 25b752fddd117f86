"""Scenes that need no files: ray-traced bricks, studio and courtyard; downloaded tiny LEGO.

Imports `formats` and all rooms below it.
"""
