"""A server in the foreground: started, waited for, ended by its process id, also when the test run itself is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

START_SECONDS = 20.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.02
FIRST_USER = 64_900  # above what Debian gives to system users

T = TypeVar("T")


class ServerFailed(RuntimeError):
    """A server did not come up; the text has the end of its output."""


def wait_until(ask: Callable[[], T | None], what: str, seconds: float = START_SECONDS) -> T:
    """The first answer of `ask` that is something; TimeoutError naming `what` when none comes."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(POLL_SECONDS)
    return answer


def answers(port: int) -> bool:
    """Whether something accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Daemon:
    """One server process and its output file."""

    def __init__(self, argv: Sequence[str | Path], output: Path, env: Mapping[str, str] | None = None) -> None:
        self.output = output
        with output.open("wb") as sink:
            self._process = subprocess.Popen(
                # The server ends with the test run, even if that is killed: the kernel signals it then.
                ["setpriv", "--pdeathsig", "TERM", "--", *argv],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd="/",
                start_new_session=True,
            )

    def ready(self, *ports: int) -> None:
        """Wait until every port answers. ServerFailed if the process ends first."""
        wait_until(lambda: (self._lives() and all(map(answers, ports))) or None, f"{self.output.stem} on ports {ports}")

    def stop(self) -> None:
        """SIGTERM to the process; what has not ended in time is killed with its whole session."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _lives(self) -> bool:
        if self._process.poll() is None:
            return True
        tail = self.output.read_text(errors="replace")[-2000:]
        raise ServerFailed(f"{self.output.stem} ended with {self._process.returncode}:\n{tail}")


def run(argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, stdin: str = "") -> str:
    """A helper program to its end; its output. ServerFailed with it when the program fails."""
    done = subprocess.run(
        argv, input=stdin, capture_output=True, text=True, env={**os.environ, **(env or {})}, timeout=60, check=False
    )
    if done.returncode:
        raise ServerFailed(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def with_private_mounts(setup: str, argv: Sequence[str | Path]) -> list[str]:
    """`argv` after the shell script `setup`, both in a mount namespace of their own.

    For servers with a compiled-in user or folder: what setup mounts is seen by them alone, the machine is not changed
    and two runs do not meet. `useradd` is not needed: `private_users` gives the lines for it.
    """
    script = f'set -e\n{setup}\nexec "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *map(str, argv)]


def private_users(folder: Path, names: Sequence[str]) -> str:
    """Shell lines that lay copies of /etc/passwd and /etc/group with these users over the real ones."""
    lines = []
    for file, form in (
        ("passwd", "{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n"),
        ("group", "{name}:x:{number}:\n"),
    ):
        added = "".join(form.format(name=name, number=FIRST_USER + index) for index, name in enumerate(names))
        copy = folder / file
        copy.write_text((Path("/etc") / file).read_text() + added)
        lines.append(f"mount --bind {copy} /etc/{file}")
    return "\n".join(lines)
