"""Study folders and other tools' sweeps as data frames, and selections of comparable trials.

Imports the records of `study`.
"""
