"""Why a program did not train its trial."""

from __future__ import annotations


class ProgramFailed(Exception):
    """Ends an attempt whose program did not end well; its text is the whole reason, in one line."""

    def __init__(self, reason: str, output: str = "", out_of_memory: bool = False) -> None:
        """output: the last lines that the program wrote; out_of_memory: the kernel has killed it"""
        super().__init__(reason)
        self.output = output
        self.out_of_memory = out_of_memory
