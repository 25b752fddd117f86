"""Pixels to rays and back, lens distortion, camera paths, the canonical frame. Imports `scene`."""
