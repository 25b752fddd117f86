"""Surfaces of a trained NeRF: depth maps, a coloured point cloud, and a triangle mesh.

Imports `model`, `scenes` and `common`.
"""
