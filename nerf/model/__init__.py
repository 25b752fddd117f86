"""The radiance field: samples along rays, encodings, network, and volume rendering.

Imports `config`.
"""
