"""The Python API of the reports, for notebooks: `analysis.load` and `analysis.compare`.

`open_study` reads whatever holds a study, `StudyAnalysis` answers questions about one study,
`StudyComparison` about several; every answer is a `Result`. Imports any room but `notebooks` and
`published`.
"""
