"""A study in a notebook: its progress in one output, plain lines, mistakes and interrupts."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient

ROOT = Path(__file__).parents[3]

CELLS = [
    "from study import Study\n"
    "study = Study.create('a', trainable='mine.py:train', metric='loss', direction='min',\n"
    "                     explore=2, optimise=0, replicates=0, steps=40, max_concurrent=1)\n"
    "study.run()",
    "study.trials[['number', 'state', 'loss']]",
    "study.extend(1, plain=True)",
    "from mine import Config\n"
    "def train(config: Config, run): ...\n"
    "Study.create(trainable=train, metric='loss', direction='min')",
]


@contextmanager
def kernel(folder: Path) -> Iterator[tuple[Any, Any]]:
    """A kernel in a folder with a trainer `mine.py`."""
    (folder / "mine.py").write_text(Path(__file__).with_name("slow.py").read_text())
    manager, client = start_new_kernel(
        kernel_name="python3", env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=str(folder)
    )
    try:
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[list[Any]]:
    """What each cell shows."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    with kernel(tmp_path_factory.mktemp("notebook")) as (manager, client):
        runner = NotebookClient(notebook, km=manager, timeout=300, allow_errors=True)
        runner.kc = client
        runner.execute(reset_kc=False, cleanup_kc=False)
    return [cell.outputs for cell in notebook.cells]


def text_of(outputs: list[Any]) -> str:
    return "".join(o.get("text", "") for o in outputs if o.output_type == "stream")


@pytest.mark.slow
def test_the_live_view_is_one_output_that_ends_as_the_study_does(outputs: list[list[Any]]) -> None:
    pages = [o.data["text/html"] for o in outputs[0] if o.output_type == "display_data"]
    assert len(pages) == 1
    assert "a: 2/2 trials" in pages[0]
    said = text_of(outputs[0])
    assert "report: " in said
    assert "a: trial 0" not in said, "trials are in the view"


@pytest.mark.slow
def test_trials_are_a_table(outputs: list[list[Any]]) -> None:
    (shown,) = outputs[1]
    assert shown.data["text/plain"].count("completed") == 2


@pytest.mark.slow
def test_plain_prints_a_line_for_each_trial(outputs: list[list[Any]]) -> None:
    assert not [o for o in outputs[2] if o.output_type == "display_data"]
    assert "a: trial 2 (explore) trained with" in text_of(outputs[2])
    assert outputs[2][-1].data["text/plain"] == "study a: 3/3 trials, 3 trained" or (
        outputs[2][-1].data["text/plain"].startswith("study a: 3/3 trials, 3 trained, best")
    )


@pytest.mark.slow
def test_a_trainer_of_a_cell_is_refused_in_one_line(outputs: list[list[Any]]) -> None:
    (error,) = outputs[3]
    assert error.traceback == [f"InputError: {error.evalue}"]
    assert "%%writefile my_trainer.py" in error.evalue


@pytest.mark.soak
@pytest.mark.slow
def test_an_interrupt_stops_the_study_and_leaves_the_kernel(tmp_path: Path) -> None:
    with kernel(tmp_path) as (manager, client):
        client.execute(CELLS[0].replace("steps=40", "steps=5000"))
        deadline = time.monotonic() + 300
        while not list(tmp_path.glob("studies/a/checkpoints/*.pt")):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        manager.interrupt_kernel()
        reply = client.get_shell_msg(timeout=300)["content"]
        assert reply["ename"] == "StudyInterrupted"
        assert reply["evalue"] == "study a was stopped before its end; .resume() continues it"
        reply = client.execute(
            "", user_expressions={"states": "study.trials['state'].tolist()"}, reply=True
        )
        shown = reply["content"]["user_expressions"]["states"]["data"]["text/plain"]
        assert shown == "['running']"
