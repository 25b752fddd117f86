"""A storage of each kind; the servers are started once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from study.storage.remote import Storage
from tests.study.buckets import serve_gs, serve_s3

s3 = pytest.fixture(serve_s3, scope="package", name="s3")
gs = pytest.fixture(serve_gs, scope="package", name="gs")


@pytest.fixture(params=["folder", "s3", "gs"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return Storage(str(tmp_path / "elsewhere" / "one"))
    return Storage(f"{request.getfixturevalue(request.param)}/{tmp_path.name}/one")
