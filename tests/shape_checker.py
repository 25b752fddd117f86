"""The run-time checker behind the shape annotations: beartype, with int accepted for float."""

from __future__ import annotations

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
