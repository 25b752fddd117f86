"""One run as a person sees it: its folder, progress bar, contact sheet and fly-through video.

Imports `training` and all below it.
"""
