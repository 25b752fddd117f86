"""A launch that is refused says why and how to go on in one line, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nerf.common.errors import InputError
from study import run_sweep
from study.driver.ray_environment import configure_ray_environment
from tests.study.driver.ray_nodes import require_namespaces, run_alone


@pytest.fixture(scope="module")
def story(scene_file: Path) -> dict[str, dict[str, Any]]:
    require_namespaces()
    with run_alone("refused_launches", "--scene", scene_file, "--explore=1") as (_, output):
        return dict(json.loads(output))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("refused", "message"),
    [
        ("wrong token", "asks for its authentication token (it refused this one's); copy the head"),
        (
            "lost token",
            "authentication token (RAY_AUTH_TOKEN_PATH is set but file cannot be opened",
        ),
        ("no token", "asks for its authentication token (it refused this one's); copy the head"),
        (
            "no cluster",
            "no Ray cluster answers at --address 127.0.0.2:6398 ([Errno 111] Connection refused)",
        ),
        (
            "no room",
            "no trial could run for 1 s: a trial needs 2 CPUs on one node, the cluster has 0 CPUs; "
            "add nodes, lower --cpus-per-trial",
        ),
        ("not shared", "is not the same folder on 127.0.0.3; name one that all nodes share"),
    ],
)
def test_a_cluster_refuses(story: dict[str, dict[str, Any]], refused: str, message: str) -> None:
    end = story[refused]
    assert end["status"] == 2, end["output"]
    *_, last = end["output"].splitlines()
    assert last.startswith("error: ")
    assert message in last
    assert "Traceback" not in end["output"]
    assert "gcs_client" not in end["output"]
    folder_is_new = refused != "not shared"
    assert len(end["left"]) == (0 if folder_is_new else 1), "the parent was there before"


@pytest.mark.slow
def test_a_launch_that_is_stopped_while_it_waits_leaves_nothing(
    story: dict[str, dict[str, Any]],
) -> None:
    assert (story["terminated"]["status"], story["terminated"]["left"]) == (130, [])


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment variables, which are as before after the test; no token of Ray's in them."""
    copy = {k: v for k, v in os.environ.items() if not k.startswith("RAY_AUTH_")}
    monkeypatch.setattr(os, "environ", copy)
    return copy


@pytest.fixture
def short_path() -> Iterator[Path]:
    """An empty folder with a path that Ray's sockets leave room for."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("HOME", "{file}/home", "Ray cannot write its authentication token to {file}/home/.ray"),
        ("RAY_TMPDIR", "{file}/tmp", "Ray cannot write to its temporary folder {file}/tmp/ray"),
        ("RAY_TMPDIR", "/tmp/" + "long" * 20, "long has a path"),
    ],
)
def test_folders_that_ray_cannot_use(
    variable: str,
    value: str,
    message: str,
    short_path: Path,
    scene_file: Path,
    environment: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = short_path / "file"
    file.touch()
    environment[variable] = value.format(file=file)
    studies = short_path / "studies"
    assert run_sweep.main(["--studies", str(studies), "--scene", str(scene_file)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message.format(file=file) in line
    assert "; set " in line
    assert not studies.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs another user")
def test_a_temporary_folder_of_another_user(short_path: Path) -> None:
    """As where `/tmp/ray` is the one of whoever ran Ray here first."""
    short_path.chmod(0o755)
    (short_path / "ray").mkdir(mode=0o755)
    code = (
        "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "from study.driver.ray_environment import configure_ray_environment as f; f(False)"
    )
    # The packages are imported before the change of user, who might not read them.
    code = f"import study.driver.ray_environment\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"RAY_TMPDIR": str(short_path)},
        capture_output=True,
        text=True,
    )
    assert InputError.__name__ in done.stderr
    assert f"Ray cannot write to its temporary folder {short_path / 'ray'}; set" in done.stderr


def test_folders_that_ray_can_use(environment: dict[str, str]) -> None:
    configure_ray_environment(cluster=False)
    assert environment["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "0"
