"""Trials in other tools: Weights & Biases, TensorBoard and MLflow, one file each.

Imports `records`, `spec`, `protocol` and `nerf`; each tool is imported only where it is used.
"""
