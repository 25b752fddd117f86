"""Which configuration a trial gets: Sobol' design, samplers, replicates, variants; and when it is
pruned.

Imports `spec`.
"""
