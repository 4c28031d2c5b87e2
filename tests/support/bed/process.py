"""A server in the foreground: started, waited for, ended with all that it started."""

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
    """One server in process and mount namespaces of its own, and its output file.

    Whatever a server starts dies with it, and it dies with the test run, also when that is killed. (A server that
    changes users loses the kernel's parent-death signal; the shell that is process 1 of the namespace keeps it.)
    `setup` is a shell script that runs first: what it mounts is seen by this server alone.
    """

    def __init__(
        self, argv: Sequence[str | Path], output: Path, env: Mapping[str, str] | None = None, setup: str = ""
    ) -> None:
        self.output = output
        namespaces = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"]
        script = f'set -e\n{setup}\n"$@"\nexit $?'
        with output.open("wb") as sink:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", "unshare", *namespaces, "sh", "-c", script, "sh", *argv],
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
        """End it and all that it started; they are gone when this returns."""
        pid = self._process.pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)  # process 1 of the namespace: the kernel ends the others
        self._process.wait(STOP_SECONDS)

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


def private_users(folder: Path, names: Sequence[str]) -> str:
    """A daemon's setup that adds compiled-in users: for it alone, copies of /etc/passwd and /etc/group have them."""
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
