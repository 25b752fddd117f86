"""Study folders and the sweeps of other tools as data frames, and which trials compare.

Imports the records of `study`.
"""
