"""Claims: every statement with a number that this program makes about a study, as data.

`claim.py` defines a claim and its kinds; `list_claims.py` lists those of a study. The page, the
terminal, the README and claims.json render the same list, and `benchmarks/claims.py` measures how
often each kind is false.
"""
