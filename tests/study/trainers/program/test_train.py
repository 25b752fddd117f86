"""Trials trained by a program, without Ray: what it may do, and what becomes of it."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from study.protocol.failures import diagnose_exception
from study.protocol.messages import Failure
from study.protocol.training_events import Event, TrainingStopped
from study.trainers.program.failure import ProgramFailed
from study.trainers.program.train import OUTPUT_FILE
from study.trainers.run import TrainerMistake
from tests.study.trainers.fake_trainer import LOADER
from tests.study.trainers.program.attempts import COMMAND, Attempts, results


@pytest.fixture
def attempts(tmp_path: Path) -> Attempts:
    return Attempts(tmp_path)


def failure(attempts: Attempts, command: str) -> Failure:
    with pytest.raises(ProgramFailed) as caught:
        attempts.run(command)
    return diagnose_exception(caught.value, "width=16")


def left_of(attempts: Attempts) -> list[psutil.Process]:
    """The processes of the attempt's programs that are still there."""
    own = str(attempts.place)
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if LOADER in words and any(own in word for word in words):
            found.append(process)
    return found


@pytest.mark.parametrize("where", ["", " --results {metrics}"])
def test_a_program_trains_a_trial(attempts: Attempts, where: str) -> None:
    end = attempts.run(COMMAND + where)
    assert (end.state, end.reason) == ("completed", "")
    assert attempts.steps == [5, 10, 15, 20]
    assert attempts.points[0]["psnr"] == pytest.approx(30 - 0.5 - 1 / 16 - 2)
    assert attempts.points[0]["eval_loss"] == 0.2
    assert 1 < attempts.points[-1]["memory"] < 1000
    assert {**attempts.points[-1], **end.metrics}["test_psnr"] == 2.0
    assert end.image is not None
    np.testing.assert_array_equal(end.image.ravel(), np.arange(12))
    assert "Step (% Done)       Train Iter (time)" in attempts.logged
    assert not any("not understood" in line for line in attempts.logged)
    assert left_of(attempts) == [], "what it forked has ended with it"


def test_the_memory_of_a_program_that_ends_at_once_is_known(attempts: Attempts) -> None:
    """Nobody can look at it while it lives: the kernel says what it had."""
    attempts.run("""echo '{"step": 20, "psnr": 1}'""")
    assert 0.1 < attempts.points[-1]["memory"] < 1000


@pytest.mark.parametrize("where", ["", " --results {metrics}"])
def test_a_killed_program_resumes_with_its_whole_curve(attempts: Attempts, where: str) -> None:
    command = f"{COMMAND} --fault kill{where}"
    assert failure(attempts, command).reason.startswith("the program was killed by SIGKILL")
    first = attempts.points
    assert left_of(attempts) == []
    end = attempts.run(command)
    assert (end.state, attempts.steps) == ("completed", [10, 15, 20])
    assert {**attempts.points[-1], **end.metrics}["test_psnr"] == 2.0
    saved = attempts.saved_curve
    assert [point["step"] for point in saved] == [5, 10, 15, 20]
    assert saved[0] == first[0]
    assert saved[1]["seconds"] > saved[0]["seconds"]


def test_a_stopped_program_saves_its_checkpoint(attempts: Attempts) -> None:
    attempts.stop_at = 10
    with pytest.raises(TrainingStopped):
        attempts.run(f"{COMMAND} --seconds-a-step 0.02")
    stopped_at = attempts.steps[-1]
    attempts.stop_at = 10**9
    end = attempts.run(COMMAND)
    assert (end.state, attempts.steps[0]) == ("completed", stopped_at + 5)


def test_a_program_that_ignores_the_request_is_killed(attempts: Attempts) -> None:
    attempts.stop_at = 5
    command = attempts.script(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)", results([5]), "time.sleep(1e6)"
    )
    with pytest.raises(TrainingStopped):
        attempts.run(command)


def test_a_pruned_trial_ends_its_program(attempts: Attempts) -> None:
    """Ray ends a trial by an exception inside `report`."""
    program = f"{COMMAND} --seconds-a-step 0.01"

    def prune(event: Event) -> None:
        attempts.events.append(event)
        if attempts.steps and attempts.steps[-1] == 10:
            raise SystemExit

    attempts.on_event = prune
    with pytest.raises(SystemExit):
        attempts.run(program)
    assert left_of(attempts) == []


@pytest.mark.parametrize(
    ("fault", "reason", "out_of_memory"),
    [
        ("exit", "the program exited with status 1: ValueError: bad learning rate", False),
        (
            "memory",
            "out of memory with width=16 (the program exited with status 1: "
            "torch.OutOfMemoryError: CUDA out of memory. Tried 2 GiB)",
            True,
        ),
    ],
)
def test_a_failure_is_one_line(
    attempts: Attempts, fault: str, reason: str, out_of_memory: bool
) -> None:
    failed = failure(attempts, f"{COMMAND} --fault {fault}")
    assert (failed.reason, failed.out_of_memory) == (reason, out_of_memory)
    assert "Step (% Done)" in failed.traceback, "its last lines"


def test_a_reason_cannot_steer_a_terminal(attempts: Attempts) -> None:
    """Libraries print errors in colour, and garbage may be anything."""
    command = attempts.script(
        "print('{\\x1b]0;title\\x07\\x1b[2J\\x9b')",
        "print('\\x1b[31mValueError\\x1b[0m: bad\\trate', file=sys.stderr)",
        "sys.exit(3)",
    )
    assert failure(attempts, command).reason == (
        "the program exited with status 3: ValueError: bad rate"
    )
    assert (
        attempts.logged[-1]
        == "not understood: 1 x a line that is not complete JSON, such as {\ufffd"
    )


def test_a_silent_program_hangs(attempts: Attempts) -> None:
    attempts.patience = 1.5
    failed = failure(attempts, f"{COMMAND} --fault hang")
    assert failed.reason == "hung: no output for 1.5 s (--patience)"
    assert left_of(attempts) == []


def test_other_output_is_a_sign_of_life(attempts: Attempts) -> None:
    attempts.patience = 1.5
    dots = "for _ in range(24): print('.', end='', flush=True); time.sleep(0.1)"
    command = attempts.script(dots, "print()", results([20]))
    assert attempts.run(command).state == "completed"


def test_garbage_is_counted_and_named(attempts: Attempts) -> None:
    end = attempts.run(f"{COMMAND} --fault garbage")
    assert (end.state, attempts.steps) == ("completed", [5, 10, 15, 20])
    (line,) = [line for line in attempts.logged if line.startswith("not understood")]
    assert '2 x a line that is not complete JSON, such as {"step": 8, psnr}' in line
    assert '1 x a line whose step is not a whole number, such as {"step": "8"}' in line
    assert "2 x a figure that is not a number, such as psnr" in line
    assert len(line) < 1000
    assert "[1, 2]" in attempts.logged
    assert any("\ufffd" in line for line in attempts.logged)


def test_a_flood_of_output_is_cut_in_the_log_and_said_so(attempts: Attempts) -> None:
    lines = "for _ in range(300_000): print('y' * 99)"
    attempts.run(attempts.script(results([5]), lines, results([10]), lines, results([20])))
    assert attempts.steps == [5, 10, 20]
    assert sum(map(len, attempts.logged)) < 1.2e6
    assert "further lines of output are left out here)" in attempts.logged[-1]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives back what was read")
def test_output_that_was_read_takes_no_room(attempts: Attempts) -> None:
    command = attempts.script("for _ in range(300_000): print('y' * 99)", results([20]))
    attempts.run(command)
    status = (attempts.place / "00003" / OUTPUT_FILE).stat()
    assert status.st_size > 30_000_000
    assert status.st_blocks * 512 < 2**21


def test_more_output_than_can_be_read_ends_the_program(attempts: Attempts) -> None:
    failed = failure(attempts, "yes {lr}")
    assert failed.reason == "its standard output takes more than 256 MiB of disk; print less"
    assert attempts.logged[-1].endswith("further lines of output are left out here)")


@pytest.mark.parametrize("value", ["float('nan')", "None", "float('inf')"])
def test_a_metric_that_is_not_finite_ends_the_program(attempts: Attempts, value: str) -> None:
    command = attempts.script(
        f"print(json.dumps({{'step': 5, 'psnr': {value}}}))", "time.sleep(1e6)"
    )
    end = attempts.run(command)
    assert end.state == "collapsed"
    assert end.reason.startswith("diverged: psnr is ")


def test_a_program_may_say_that_it_cannot_learn(attempts: Attempts) -> None:
    end = attempts.run(f"{COMMAND} --fault fail")
    assert (end.state, end.reason) == ("collapsed", "no gradient; lower lr")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["pass"], "without reporting psnr (it printed no result)"),
        (['print(\'{"step": 5, "loss": 1}\')'], "(its results have loss)"),
        (["print('{\"psnr\": 5}')"], '1 x a line without "step", such as {"psnr": 5}'),
        ([results([5, 10])], "exited with status 0 after its report of step 10, but --steps is 20"),
        ([results([30])], "reported step 30, but --steps is 20"),
    ],
)
def test_a_program_that_breaks_the_contract_is_a_mistake(
    attempts: Attempts, lines: list[str], message: str
) -> None:
    with pytest.raises(TrainerMistake) as caught:
        attempts.run(attempts.script(*lines))
    assert message in str(caught.value)


def test_metrics_may_come_on_lines_of_their_own(attempts: Attempts) -> None:
    command = attempts.script(
        'print(\'{"step": 0, "psnr": 1}\')',
        'print(\'{"step": 3, "loss": 0.5}\')',
        results([5, 20]),
        'print(\'{"step": 20, "test_psnr": 40, "lr": 3}\')',
        results([5]),
    )
    end = attempts.run(command)
    assert [(p["step"], p.get("loss")) for p in attempts.points] == [(5, 0.5), (20, None)]
    assert end.metrics == {"test_psnr": 40}
    (line,) = [line for line in attempts.logged if line.startswith("not understood")]
    assert "1 x a line of step 0" in line
    assert "1 x a figure with the name of a parameter, such as lr" in line
    assert "1 x a line of a step that was reported before" in line


def test_figures_and_the_image_of_a_dead_attempt_are_kept(attempts: Attempts) -> None:
    """A program is killed after its last line, and has nothing more to say in the next attempt."""
    command = attempts.script(
        "done = os.path.exists(sys.argv[1] + '/done')",
        "done and sys.exit()",
        "open(sys.argv[1] + '/done', 'w').close()",
        "open(sys.argv[1] + '/a.ppm', 'wb').write(b'P6 1 1 255 abc')",
        "print(json.dumps({'step': 20, 'psnr': 1, 'image': 'a.ppm'}))",
        "print(json.dumps({'step': 20, 'test_psnr': 2}))",
        "print('{\"step\": 2', end='')",
        "os.kill(os.getpid(), 9)",
    )
    failure(attempts, command)
    end = attempts.run(command)
    assert (end.state, end.metrics) == ("completed", {"test_psnr": 2})
    assert end.image is not None


def test_a_program_whose_last_report_was_lost_starts_again(attempts: Attempts) -> None:
    """It has saved the last step, and what it printed is gone."""
    attempts.run(COMMAND)
    output = attempts.place / "00003" / OUTPUT_FILE
    output.unlink()
    state = json.loads((attempts.place / "00003.pt").read_text())
    (attempts.place / "00003.pt").write_text(json.dumps({"curve": state["curve"][:3], "offset": 0}))
    end = attempts.run(COMMAND)
    assert (end.state, attempts.steps) == ("completed", [5, 10, 15, 20])
    assert end.metrics == {"test_psnr": 2.0}
    (attempts.place / "00003.pt").unlink()
    output.unlink()
    assert attempts.run(COMMAND).state == "completed"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../outside.ppm", "../outside.ppm is not in the trial's folder"),
        ("/etc/passwd", "/etc/passwd is not in the trial's folder"),
        ("link.ppm", "link.ppm is not in the trial's folder"),
        ("nothing.png", "nothing.png cannot be read: FileNotFoundError"),
        ("text.png", "text.png cannot be read"),
    ],
)
def test_an_image_is_one_of_the_trial(attempts: Attempts, name: str, problem: str) -> None:
    outside = attempts.place / "outside.ppm"
    outside.write_bytes(b"P6 1 1 255 abc")
    command = attempts.script(
        f"os.symlink({str(outside)!r}, sys.argv[1] + '/link.ppm')",
        "open(sys.argv[1] + '/text.png', 'w').write('no image')",
        f"print(json.dumps({{'step': 20, 'psnr': 1, 'image': {name!r}}}))",
    )
    end = attempts.run(command)
    assert (end.state, end.image) == ("completed", None)
    assert any(f"1 x an image, such as {problem}" in line for line in attempts.logged)


def test_placeholders_have_their_values(attempts: Attempts) -> None:
    attempts.script("print(json.dumps({'step': 20, 'psnr': 1})); print(sys.argv[1:])")
    words = "{lr} {seed} {device} {trial} {{lr}} a{lr}b {parameters}"
    attempts.run(f"{sys.executable} script.py {words}")
    folder = attempts.place / "00003"
    file = folder / "parameters.json"
    expected = ["0.1", "7", "cpu", "00003", "{lr}", "a0.1b", str(file)]
    assert str(expected) in attempts.logged
    assert json.loads(file.read_text()) == {"lr": 0.1, "steps": 20, "seed": 7}


def test_a_program_that_is_not_there_is_a_failure(attempts: Attempts) -> None:
    failed = failure(attempts, "no-such-program {lr}")
    assert failed.reason == (
        "the program could not be started: No such file or directory: no-such-program"
    )


def test_it_does_not_see_ray(attempts: Attempts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_JOB_ID", "1")
    monkeypatch.setenv("PYTHONPATH", "/x/runtime_resources/py_modules_files/a:/mine")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    names = "'RAY_JOB_ID', 'PYTHONPATH', 'CUDA_VISIBLE_DEVICES'"
    attempts.run(
        attempts.script(results([20]), f"print([os.environ.get(name) for name in ({names})])")
    )
    assert "[None, '/mine', '2']" in attempts.logged


def start_worker(place: Path, options: str) -> psutil.Popen:
    """Starts a process that runs the attempt in `place`, as a worker does."""
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.study.trainers.program.attempts import Attempts, COMMAND\n"
        f"Attempts(Path({str(place)!r})).run(COMMAND + {options!r})"
    )
    return psutil.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[4])


def wait_until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_nothing_survives_the_death_of_the_trials_process(tmp_path: Path) -> None:
    """kill -9 of the process that waits for the program: all of the program's processes end."""
    worker = start_worker(tmp_path, " --seconds-a-step 0.2")
    attempts = Attempts(tmp_path)
    wait_until(lambda: left_of(attempts))
    children = [*worker.children(recursive=True), *left_of(attempts)]
    assert len({child.pid for child in children}) >= 3, "watchdog, program and what it forked"
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []


@pytest.mark.parametrize("where", ["", " --results {metrics}"])
@pytest.mark.parametrize("kills_all", [False, True])
def test_lines_that_a_killed_worker_left_unread_are_kept(
    attempts: Attempts, where: str, kills_all: bool
) -> None:
    """A worker is stopped before the first of them, so that it reads none, and then killed."""
    worker = start_worker(attempts.place, f" --seconds-a-step 0.2 --fault hang{where}")
    wait_until(lambda: left_of(attempts))
    worker.suspend()
    wait_until((attempts.place / "00003" / "models" / "step-000000005.json").exists)
    family = [*worker.children(recursive=True)] if kills_all else []
    for process in [worker, *family]:
        process.kill()
    worker.wait()
    end = attempts.run(COMMAND + where)
    assert (end.state, attempts.steps) == ("completed", [10, 15, 20]), "it resumed at 5"
    assert {**attempts.points[-1], **end.metrics}["test_psnr"] == 2.0
    curve = [(point["step"], point["psnr"], point["eval_loss"]) for point in attempts.saved_curve]
    assert curve == [(s, 30 - 0.5 - 1 / 16 - 10 / s, 1 / s) for s in (5, 10, 15, 20)]


def test_the_next_attempt_ends_what_nobody_could(attempts: Attempts) -> None:
    """A process in a session of its own, whose watchdog was killed with the trial's process."""
    worker = start_worker(attempts.place, " --fault hang")
    wait_until(lambda: left_of(attempts))
    orphans = left_of(attempts)
    for process in [worker, *worker.children()]:
        process.kill()
    worker.wait()
    assert all(orphan.is_running() for orphan in orphans)
    assert attempts.run(COMMAND).state == "completed"
    assert left_of(attempts) == []


def test_nothing_survives_the_death_of_the_watchdog(attempts: Attempts) -> None:
    command = attempts.script(
        "child = os.fork()",
        "if not child: time.sleep(1e6)",
        results([5]),
        "os.kill(os.getppid(), 9); time.sleep(1e6)",
    )
    failed = failure(attempts, command)
    assert failed.reason.startswith("the program's watchdog was killed")
