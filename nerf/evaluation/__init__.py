"""Renders held-out views without randomness; PSNR, SSIM and the PSNR of trivial images.

Imports `model`, `scenes` and all below them.
"""
