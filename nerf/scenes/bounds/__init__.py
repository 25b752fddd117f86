"""Suggested near and far, and the image that shows them. Imports `cameras` and `scene`."""
