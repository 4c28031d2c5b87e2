"""A program at a terminal, for what only happens there."""

from __future__ import annotations

import os
import pty
import select
from collections.abc import Callable, Sequence
from pathlib import Path


class AtTerminal:
    """`program` with `arguments`, its stdin, stdout and stderr one terminal. `said` is all that was shown so far."""

    def __init__(self, program: Path, arguments: Sequence[str], prepare: Callable[[], None] = lambda: None) -> None:
        self.said = b""
        self._rest = b""  # shown behind the words that were waited for last
        self._process, self._terminal = pty.fork()
        if self._process == 0:  # pragma: no cover
            prepare()
            os.execv(program, [str(program), *arguments])

    def until(self, words: bytes | None) -> bytes:
        """What is shown up to these words, or to the end; what comes behind them is for the next call. AssertionError when
        nothing more comes."""
        shown, self._rest = self._rest, b""
        while words is None or words not in shown:
            if not select.select([self._terminal], [], [], 30)[0]:
                raise AssertionError(f"nothing more after {shown!r}")
            try:
                octets = os.read(self._terminal, 4096)
            except OSError:  # Linux: the other side has gone
                break
            if not octets:
                break
            shown += octets
            self.said += octets
        if words and words in shown:
            end = shown.index(words) + len(words)
            shown, self._rest = shown[:end], shown[end:]
        return shown

    def type(self, text: str) -> None:
        """A line, typed."""
        os.write(self._terminal, f"{text}\n".encode())

    def end(self) -> int:
        """Wait for the end; the exit status."""
        self.until(None)
        _, status = os.waitpid(self._process, 0)
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(status)
