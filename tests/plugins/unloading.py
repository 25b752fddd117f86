"""A fixture for tests that load plugins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nerf.config.plugin import loaded_plugins, unload_plugin


@pytest.fixture(autouse=True)
def leave_no_plugin() -> Iterator[None]:
    """Unloads what a test has loaded."""
    yield
    for plugin in loaded_plugins():
        unload_plugin(plugin.name)
