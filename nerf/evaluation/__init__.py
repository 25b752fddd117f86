"""Held-out views rendered without randomness, their PSNR and SSIM, and trivial baselines.

Imports `model`, `scenes` and all below them.
"""
