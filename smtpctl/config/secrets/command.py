"""A secret from another program's output.

The program is started without a shell, gets no standard input and none of our own secrets in its environment, and has
limited time and output. It stays in our process group and keeps the terminal, so that an agent can ask on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING

from smtpctl.config.secrets import text
from smtpctl.config.secrets.problems import problem
from smtpctl.config.secrets.refs import SecretRef
from smtpctl.model.secret import MASK, Secret

if TYPE_CHECKING:
    from subprocess import Popen

TIMEOUT = 60.0  # seconds; somebody may have to type a passphrase
ERROR_LIMIT = 4096  # octets of standard error that are kept
ERROR_LINES = 5  # of them, shown

# SMTPCTL_PASSWORD, SMTPCTL_ACCESS_TOKEN, SMTPCTL_CLIENT_SECRET ... but not SMTPCTL_PASSWORD_FILE: that is only a place.
_OURS = re.compile(r"SMTPCTL_(?:.*_)?(?:PASSWORD|SECRET|TOKEN)", re.IGNORECASE)


def child_environ(environ: Mapping[str, str], hidden: frozenset[str] = frozenset()) -> dict[str, str]:
    """`environ` for a child: without our secrets and without the variables `hidden` that hold other secrets."""
    return {name: value for name, value in environ.items() if name not in hidden and not _OURS.fullmatch(name)}


def run(
    ref: SecretRef, environ: Mapping[str, str], timeout: float = TIMEOUT, *, hidden: frozenset[str] = frozenset()
) -> Secret:
    """The first line that the program prints; it does not get the variables `hidden`.

    Problems: `secret.command_not_found`, `secret.command_failed`, `secret.command_timeout` (seconds), and those of
    `text.secret`.
    """
    import shlex
    import subprocess

    program, line = ref.args[0], shlex.join(ref.args)
    try:
        process = subprocess.Popen(
            ref.args,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=child_environ(environ, hidden | _mentioned(environ)),
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise problem("command_not_found", [line], program=program, reason=reason) from None
    output, errors = _Pipe(process.stdout, text.LIMIT + 1), _Pipe(process.stderr, ERROR_LIMIT, drain=True)
    if not _ended(process, output, timeout):
        raise problem("command_timeout", [line], program=program, line=line, seconds=f"{timeout:g}")
    if process.returncode and not output.full:
        shown = [line, *_error_lines(errors.octets(), output.octets())]
        raise problem("command_failed", shown, program=program, line=line, status=process.returncode)
    return text.secret(output.octets(), f"The program {program}")


def _mentioned(environ: Mapping[str, str]) -> frozenset[str]:
    """The variables that SMTPCTL_PASSWORD_ENV and its like name: they hold secrets too."""
    return frozenset(value for name, value in environ.items() if _OURS.fullmatch(name.removesuffix("_ENV")))


class _Pipe:
    """Reads a pipe in a thread, up to `limit` octets; with `drain` it then reads on and throws away.

    A thread, because pipes cannot be selected on Windows; a daemon, because a grandchild may hold the pipe for ever.
    """

    def __init__(self, pipe: IO[bytes] | None, limit: int, *, drain: bool = False) -> None:
        import threading

        assert pipe
        self._pipe, self._limit, self._drain, self._kept = pipe, limit, drain, bytearray()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._pipe:
            while (self._drain or not self.full) and (octets := self._pipe.read(8192)):
                self._kept += octets[: self._limit - len(self._kept)]

    @property
    def full(self) -> bool:
        return len(self._kept) >= self._limit

    def closed(self, timeout: float) -> bool:
        """Whether nothing more is to be read, after at most `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def octets(self) -> bytes:
        self.closed(1.0)
        return bytes(self._kept)


def _ended(process: Popen[bytes], output: _Pipe, timeout: float) -> bool:
    """Wait for the end or for too much output; False, and the process is stopped, where time runs out."""
    import time
    from subprocess import TimeoutExpired

    deadline = time.monotonic() + timeout
    in_time = output.closed(timeout)
    if in_time and not output.full:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
            return True
        except TimeoutExpired:
            in_time = False
    process.kill()
    process.wait()
    return in_time


def _error_lines(errors: bytes, output: bytes) -> list[str]:
    """The last lines of standard error, with anything masked that the program also printed as the secret."""
    printed = output.decode("utf-8", "replace").partition("\n")[0].strip()
    shown = errors.decode("utf-8", "replace")
    if printed:
        shown = shown.replace(printed, MASK)
    return shown.splitlines()[-ERROR_LINES:]
