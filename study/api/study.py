"""A study as an object: `Study.create(...)`, `.run()`, `.resume()`, `.extend(64)`, `.trials`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from typing_extensions import Unpack

from nerf.common.errors import InputError
from study.api.arguments import to_arguments
from study.api.study_options import LaunchOptions, Range, StudyOptions
from study.cli.options import parse_options
from study.ledger.lock import holder
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from study.trainers.trainable import being_imported

if TYPE_CHECKING:
    import pandas as pd

    from study.api.driver_process import DriverProcess

_INTERRUPTED = 130


class StudyInterrupted(KeyboardInterrupt):
    """A study was stopped early, by Ctrl-C, `Study.stop` or a signal; `resume` continues it."""

    def _render_traceback_(self) -> list[str]:
        """What IPython and Jupyter print in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class Study:
    """A study folder, and the study that runs in it.

    `create` describes a new study and `open` finds one on disk. `run`, `resume` and `extend` run
    `run_sweep.py` in a process of its own, which stops if this one ends; `trials` and `curves` read
    the folder at any time, whichever process runs the study.
    """

    def __init__(self, folder: StudyFolder, arguments: Sequence[str] = ()) -> None:
        """Use `create` or `open`; `arguments` are the command line of a new study."""
        self._folder = folder
        self._arguments = tuple(arguments)
        self._driver: DriverProcess | None = None

    @classmethod
    def create(
        cls,
        name: str | None = None,
        *,
        trainable: Callable[..., Any] | str | Path | None = None,
        vary: Mapping[str, Range] | Sequence[str] | None = None,
        set: Mapping[str, Any] | Sequence[str] | None = None,
        **options: Unpack[StudyOptions],
    ) -> Self:
        """Describes a new study and checks it whole; `run` creates its folder.

        Args:
            name: of the study's folder in `studies`; with date and time if left out.
            trainable: a function `train(config, run)` at the top level of a file, or its name as
                `my_nerf.py:train`; this project's NeRF if left out.
            vary: what varies, `{"lr": (1e-4, 1e-1), "width": [32, 64], "depth": None}`: a range, a
                list of values, or None for the parameter's own range.
            set: fixed values, `{"optimiser": "Adam"}`.
            options: those of `run_sweep.py`, with `_` for `-`: `metric="loss"`, `direction="min"`,
                `explore=64`, `optimise=0`, `steps=500`, `scene="lego"`, `studies="/data/studies"`.

        Raises:
            InputError: a mistake in these, with the command's message.
        """
        if being_imported():
            raise InputError(
                f"{being_imported()} creates a study whenever it is imported, as each trial does; "
                'put that below if __name__ == "__main__":'
            )
        given = {"trainable": trainable, "vary": vary, "set": set, **options}
        named = [] if name is None else [f"--name={name}"]
        arguments = [*named, *to_arguments(given)]
        parsed = parse_options(arguments)
        from study.cli.make_plan import make_plan  # imports more, once the options are valid

        plan = make_plan(parsed)
        named = [f"--name={plan.folder.name}", f"--studies={plan.folder.path.parent}"]
        return cls(plan.folder, [*arguments, *named])

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The study in a folder, which any process may be running; raises `InputError`."""
        folder = StudyFolder(Path(path).expanduser().absolute())
        StudySpec.from_json(folder.read_spec())
        return cls(folder)

    @property
    def name(self) -> str:
        return self._folder.name

    @property
    def path(self) -> Path:
        """The study folder; `analysis.load(study.path)` answers questions about it."""
        return self._folder.path

    @property
    def spec(self) -> StudySpec:
        """The specification in the study folder; raises `InputError` before `run`."""
        return StudySpec.from_json(self._folder.read_spec())

    @property
    def is_running(self) -> bool:
        """Whether a process runs the study, as far as this machine can see."""
        if self._driver is not None and self._driver.status is None:
            return True
        driver = holder(self._folder)
        return driver is not None and not driver.is_dead()

    @property
    def trials(self) -> pd.DataFrame:
        """A row for each trial that has ended, and for each that is running, as of now.

        The columns of trials.parquet, with the state `running`, and the last report, of trials
        that have not ended. `analysis.load(study.path).trials` has those that have, with their
        outcome.
        """
        from study.api.tables import read_trials_now

        return read_trials_now(self._folder)

    @property
    def curves(self) -> pd.DataFrame:
        """A row for each report of each trial that has ended, as of now."""
        from study.api.tables import read_curves_now

        return read_curves_now(self._folder)

    def run(self, *, wait: bool = True, plain: bool = False) -> Self:
        """Runs the study that `create` described, to its end and its report.

        Args:
            wait: whether to return only then; if not, `wait` shows the progress later, and the
                study stops when this Python process ends.
            plain: prints a line for each trial in place of the live view.

        Raises:
            InputError: with the command's message.
            StudyInterrupted: it was stopped; `resume` continues it.
        """
        if self._folder.spec_file.exists():
            raise InputError(f"study {self.name} has been started; .resume() continues it")
        return self._start(self._arguments, wait, plain)

    def dry_run(self) -> None:
        """Prints how long the study, or what is left of it, will take, and what it can tell.

        Runs some short trials, and creates nothing. Raises as `run`.
        """
        is_new = not self._folder.spec_file.exists()
        described = self._arguments if is_new else [*self._place, "--resume"]
        self._start([*described, "--dry-run"], wait=True, plain=True)

    def resume(
        self, *, wait: bool = True, plain: bool = False, **changes: Unpack[LaunchOptions]
    ) -> Self:
        """Runs what is left of the study; `changes` are of the launch, such as max_concurrent=2.

        Interrupted trials continue from their checkpoints. Raises as `run`.
        """
        return self._start([*self._place, "--resume", *to_arguments(changes)], wait, plain)

    def extend(
        self,
        trials: int,
        *,
        replicates: int | None = None,
        allow_changes: bool = False,
        wait: bool = True,
        plain: bool = False,
        **changes: Unpack[LaunchOptions],
    ) -> Self:
        """Adds trials of the same design, and `replicates`, and runs what is left.

        Raises as `run`, also where the code has changed, unless `allow_changes`.
        """
        more = {"replicates": replicates, "allow_changes": allow_changes, **changes}
        extend = [*self._place, f"--extend={trials}", *to_arguments(more)]
        parse_options(extend)
        return self._start(extend, wait, plain)

    def wait(self, plain: bool = False) -> Self:
        """Shows the progress of a study that runs in the background, and returns at its end.

        Raises as `run`. Where this process does not run the study, it returns at once.
        """
        from study.api.follow import follow

        if self._driver is not None:
            follow(self._driver, self._folder, plain)
            driver, self._driver = self._driver, None
            self._raise_for(driver)
        return self

    def stop(self) -> None:
        """Stops a study that this process runs, as Ctrl-C does; `wait` returns once it has."""
        if self._driver is not None:
            self._driver.interrupt()

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        from study.api.follow import describe_progress

        return f"study {self.name}: {describe_progress(self._folder)}"

    @property
    def _place(self) -> list[str]:
        return [f"--studies={self.path.parent}", f"--name={self.name}"]

    def _start(self, arguments: Sequence[str], wait: bool, plain: bool) -> Self:
        from study.api.follow import start

        if self._driver is not None and self._driver.status is None:
            raise InputError(
                f"study {self.name} is being run by this process; .wait() for its end, or .stop() "
                "it first"
            )
        self._driver = start(arguments, not wait, plain)
        return self.wait(plain) if wait else self

    def _raise_for(self, driver: DriverProcess) -> None:
        """Raises what the driver's exit status stands for, unless it is 0."""
        status = driver.status
        exists = self._folder.spec_file.exists()
        left = ".resume() continues it" if exists else "nothing is left of it"
        if status == _INTERRUPTED:
            raise StudyInterrupted(f"study {self.name} was stopped before its end; {left}")
        if status == 2 and driver.error:
            raise InputError(driver.error)
        if status:
            raise RuntimeError(
                f"the process that ran study {self.name} ended with status {status}; {left}"
            )
