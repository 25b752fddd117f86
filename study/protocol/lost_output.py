"""Output that nobody can read any more: of a closed terminal, or of a pipe whose reader has ended.

Writing there raises an error, which must not keep trials from saving their checkpoints.
"""

from __future__ import annotations

import os
import select

_STREAMS = (1, 2)  # standard output and standard error


def discard_lost_output() -> None:
    """Sends to the null device what is still written to a lost terminal or pipe."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in _STREAMS:
        if _is_lost(stream):
            os.dup2(null, stream)
    os.close(null)


def _is_lost(stream: int) -> bool:
    poll = select.poll()
    poll.register(stream, 0)  # errors and hang-ups are reported all the same
    return bool(poll.poll(0))
