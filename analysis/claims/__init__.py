"""Claims: every statement with a number that this program makes about a study, as data.

`claim.py` defines a claim and its kinds, the `..._claims` modules state those of one topic, and
`list_claims.py` lists all of a study. The page, the terminal, the README and claims.json render the
same list, and `benchmarks/claims.py` measures how often each kind is false.

Imports `findings` and all below it.
"""
