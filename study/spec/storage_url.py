"""URLs of storages: `s3://...`, `gs://...`, or the path of a folder."""

from __future__ import annotations

from urllib.parse import urlsplit

STORAGE_SCHEMES = ("s3://", "gs://")
"""What the URL of a storage may begin with."""


def is_url(text: str) -> bool:
    """Whether `text` is a URL rather than a path on this machine."""
    return "://" in text


def holds_credentials(url: str) -> bool:
    """Whether `url` contains a password or key, which would be saved with the study."""
    parts = urlsplit(url)
    return parts.password is not None or any(key in parts.query for key in ("secret", "access_key"))
