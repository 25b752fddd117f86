"""Downloading tiny LEGO from a real server on this machine, and what is left if that fails."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from nerf.common.errors import InputError
from nerf.scenes.builtin import bricks
from nerf.scenes.builtin.tiny_lego import load_tiny_lego


def archive(views: int = 106) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(
        content,
        images=np.full((views, 100, 100, 3), 0.25, np.float32),
        poses=bricks.camera_poses(views),
        focal=np.array(138.88887889922103),
    )
    return content.getvalue()


class Handler(BaseHTTPRequestHandler):
    files: ClassVar = {
        "/whole": archive(),
        "/other": archive(9),
        "/page": b"<html>log in first</html>",
    }
    requested: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.requested.append(self.path)
        content = self.files.get(self.path.replace("torn", "whole"))
        self.send_response(200 if content else 404)
        content = content or b"nothing here"
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.path == "/torn" else content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http.server_address[1]}"
        http.shutdown()


def test_it_is_downloaded_once_and_then_cached(server: str, cache: Path) -> None:
    Handler.requested.clear()
    first = load_tiny_lego(f"{server}/whole")
    assert first.name == "tiny-lego"
    assert first.images.shape == (106, 100, 100, 3)
    assert load_tiny_lego(f"{server}/whole").content_hash == first.content_hash
    assert Handler.requested == ["/whole"]
    assert (cache / "tiny_nerf_data.npz").read_bytes() == Handler.files["/whole"]


@pytest.mark.parametrize("page", ["missing", "torn", "other", "page"])
def test_a_failed_download_leaves_no_file(server: str, cache: Path, page: str) -> None:
    with pytest.raises(InputError) as error:
        load_tiny_lego(f"{server}/{page}")
    assert_helpful(str(error.value))
    assert list(cache.glob("*")) == []
    assert load_tiny_lego(f"{server}/whole").images.shape[0] == 106  # and the next try can work


def test_without_a_network_the_message_names_the_ways_out(cache: Path) -> None:
    with pytest.raises(InputError) as error:
        load_tiny_lego("http://127.0.0.1:9/tiny_nerf_data.npz")
    assert_helpful(str(error.value))
    assert list(cache.glob("*")) == []


def assert_helpful(message: str) -> None:
    assert "--scene bricks" in message
    assert "--scene PATH" in message
    assert "\n" not in message
