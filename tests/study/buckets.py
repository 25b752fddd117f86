"""Object stores on loopback, which the environment points to as it would to those of a cloud."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.study.sweeps import PATIENCE, SECRETS


def serve_s3() -> Iterator[str]:
    """A bucket of moto's S3 server."""
    moto = pytest.importorskip("moto.server")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    request = urllib.request.Request(f"http://{host}:{port}/studies", method="PUT")
    urllib.request.urlopen(request).close()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": SECRETS["AWS_SECRET_ACCESS_KEY"],
    }
    with environment(settings):
        yield "s3://studies"
    server.stop()


def serve_gs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A bucket of gcp-storage-emulator, with a service account that signs its own tokens."""
    pytest.importorskip("gcp_storage_emulator")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # A process of its own: pyarrow waits for an answer with Python's lock held.
    command = [sys.executable, "-m", "gcp_storage_emulator", "start", "--host=127.0.0.1"]
    server = subprocess.Popen(
        [*command, f"--port={port}", "--in-memory", "--default-bucket=studies"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    key = service_account(tmp_path_factory.mktemp("account") / "key.json")
    settings = {
        "CLOUD_STORAGE_EMULATOR_ENDPOINT": f"http://127.0.0.1:{port}",
        "GOOGLE_APPLICATION_CREDENTIALS": str(key),
    }
    try:
        wait_for_port(port, server)
        with environment(settings):
            yield "gs://studies"
    finally:
        server.kill()
        server.wait()


s3 = pytest.fixture(serve_s3, scope="module", name="s3")


def service_account(file: Path) -> Path:
    """Writes the key of an account that nobody knows."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "client_email": "somebody@nowhere.iam.gserviceaccount.com",
        "private_key_id": "one",
        "private_key": private.decode(),
        "token_uri": "http://127.0.0.1:9/token",  # never queried
    }
    file.write_text(json.dumps(account))
    return file


def wait_for_port(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the emulator does not answer")


@contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Within, the environment holds these variables as well."""
    before = {key: os.environ.get(key) for key in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for key, value in before.items():
            os.environ.pop(key) if value is None else os.environ.update({key: value})
