"""Which configuration a trial gets: Sobol' and grid designs, samplers, replicates, variants; and
when it is pruned.

Imports `spec`.
"""
