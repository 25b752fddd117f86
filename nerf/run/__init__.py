"""What a run shows and leaves behind: run folder, progress bar, contact sheet, video.

Imports `training` and all below it.
"""
