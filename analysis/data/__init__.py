"""Study folders and other tools' sweeps as data frames, and selections of comparable trials.

Imports `study.records`, `study.spec` and `study.storage`.
"""
