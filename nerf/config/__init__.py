"""Every choice of a NeRF that a user may change, its domain, and its dotted path.

`schema.py` declares them, `parameters.py` lists them by path, `flat.py` converts configs to and
from a flat mapping, `settings.py` reads what a user wrote. Imports `common`.
"""
