"""Suggested near and far bounds, and the picture that shows them. Imports `cameras` and `scene`."""
