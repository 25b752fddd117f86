"""Which configuration a trial gets: Sobol' design, samplers, replicates; and when it is pruned.

Imports `spec`.
"""
