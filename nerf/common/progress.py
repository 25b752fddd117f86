"""A progress bar for work without a view of its own, such as reading a scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(label: str, total: float) -> Iterator[Callable[[float], None]]:
    """Yields a function that advances the bar; shows nothing where stderr is not a terminal.

    The bar disappears at the end.
    """
    # Imported here to keep `import nerf.scenes` fast.
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=total)
        yield lambda step: bar.advance(task, step)
