"""A study on a cluster that consists of a head alone, whose autoscaler may start two workers.

    unshare -rnmpf --mount-proc --kill-child python -m tests.study.driver.autoscaled_cluster ROOT

The autoscaler is Ray's own; its provider, one that Ray has for tests, starts nodes here. Prints the
driver's exit status and output as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.study.driver.ray_nodes import HEAD, start_head, start_study, wait_until

HEAD_TYPE = "ray.head.default"

EMPTY: dict[str, Any] = {
    **{name: {} for name in ("docker", "auth", "file_mounts", "head_node", "worker_nodes")},
    **{name: [] for name in ("cluster_synced_files", "rsync_exclude", "rsync_filter")},
    **{name: [] for name in ("initialization_commands", "setup_commands")},
    **{name: [] for name in ("head_setup_commands", "worker_setup_commands")},
    **{name: [] for name in ("head_start_ray_commands", "worker_start_ray_commands")},
}
"""What a cluster file must have, and this one need not say."""


def cluster_file() -> dict[str, Any]:
    """The content of a cluster file for Ray's autoscaler."""
    return EMPTY | {
        "cluster_name": "fake",
        "max_workers": 2,
        "upscaling_speed": 100,
        "idle_timeout_minutes": 5,
        "file_mounts_sync_continuously": False,
        "provider": {
            "type": "fake_multinode",
            "disable_node_updaters": True,
            "disable_launch_config_check": True,
            "launch_multiple": True,
            "gcs_address": HEAD,
        },
        "available_node_types": {
            HEAD_TYPE: {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
            "worker": {"resources": {"CPU": 1}, "node_config": {}, "max_workers": 2},
        },
        "head_node_type": HEAD_TYPE,
    }


def main(root: Path, options: list[str]) -> None:
    (root / "released").touch()
    file = root / "cluster.yaml"
    file.write_text(json.dumps(cluster_file()))
    os.environ |= {"RAY_FAKE_CLUSTER": "1", "AUTOSCALER_UPDATE_INTERVAL_S": "1"}
    start_head(root, f"--autoscaling-config={file}")
    log = root / "driver.log"
    driver = start_study(log, "--studies", root / "studies", "--name=scaled", *options)
    wait_until(lambda: driver.poll() is not None, "the study's end", driver, log)
    print(json.dumps({"status": driver.returncode, "output": log.read_text()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
