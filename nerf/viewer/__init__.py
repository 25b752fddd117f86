"""The interactive viewer in a browser (extra `view`): what a trained NeRF renders, and its scene.

Imports `surface`, `evaluation`, `model`, `scenes` and `common`.
"""
