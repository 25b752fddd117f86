"""Models of PSNR over the unit cube: Gaussian process, random forest, and the choice between them.

Imports `stats` and `data`.
"""
