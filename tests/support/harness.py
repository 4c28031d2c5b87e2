"""What the fixtures of tests/conftest.py are made of, importable where a test wants to name a type."""

from __future__ import annotations

import importlib.util
import io
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn, Protocol

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
GOLDEN = ROOT / "tests" / "golden"
UNPACKED = ROOT / "build" / "servers"
IN_CI = os.environ.get("CI") == "true"
# Debian keeps daemons where an ordinary user's PATH does not look.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])

# Whatever could lead a test to the network, to the real home or to another output.
FOREIGN_VARIABLE = re.compile(
    r"(?ix) .*_proxy | SMTPCTL_.* | XDG_.* | (REQUESTS_CA|CURL_CA)_BUNDLE | SSL_CERT_(FILE|DIR) | SSLKEYLOGFILE"
    r" | DBUS_SESSION_BUS_ADDRESS | DISPLAY | WAYLAND_DISPLAY | PYTHON_KEYRING_BACKEND | CREDENTIALS_DIRECTORY | KRB5.*"
    r" | NO_COLOR | FORCE_COLOR | CLICOLOR.* | COLORTERM | COLUMNS | LINES | PAGER | EDITOR | VISUAL | EMAIL | LC_.*"
    r" | CI | GITHUB_.* | JOURNAL_STREAM | INVOCATION_ID | APPDATA | LOCALAPPDATA | PYTHON(PATH|WARNINGS|UTF8|IOENCODING)"
)


class Run(NamedTuple):
    """What one run of the program gave."""

    code: int
    stdout: str
    stderr: str


class Runner(Protocol):
    """`smtpctl_run("check", "work", stdin="...", env={...})`."""

    def __call__(self, *args: str | Path, stdin: str | bytes = b"", env: Mapping[str, str] | None = None) -> Run: ...


def clean_environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """`environ` without what could lead out of the test, with `home` as the user's home."""
    kept = {name: value for name, value in environ.items() if not FOREIGN_VARIABLE.fullmatch(name)}
    kept |= {"HOME": str(home), "USERPROFILE": str(home), "LANG": "C.UTF-8", "TZ": "UTC", "TERM": "dumb"}
    if sys.platform != "linux":  # on Linux no bus address means no keyring; elsewhere the real one would answer
        kept["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    return kept


def exit_code(main: Callable[[list[str]], int], arguments: list[str]) -> int:
    """What the process would end with."""
    try:
        return main(arguments)
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)


class Stream(io.TextIOWrapper):
    """A stream that is no terminal, over octets in memory."""

    def __init__(self, octets: bytes = b"") -> None:
        super().__init__(io.BytesIO(octets), encoding="utf-8", write_through=True)

    def text(self) -> str:
        raw = self.buffer
        assert isinstance(raw, io.BytesIO)
        return raw.getvalue().decode()


# What a test needs from the system


class Need(NamedTuple):
    """One line of scripts/servers.txt."""

    how: str
    package: str
    probe: str
    use: str

    @property
    def name(self) -> str:
        """The package without its version."""
        return self.package.partition("@")[0]

    def find(self) -> Path | None:
        """Where it is on this machine."""
        if self.how in ("unpack", "npm"):
            path = UNPACKED / self.package / self.probe
            return path if path.exists() else None
        if self.probe.startswith("/"):
            return min(Path("/").glob(self.probe.lstrip("/")), default=None)
        found = shutil.which(self.probe, path=SEARCH_PATH)
        return Path(found) if found else None


def read_needs(text: str) -> dict[str, Need]:
    """The table of scripts/servers.txt by package."""
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return {need.name: need for need in (Need(*line.split(maxsplit=3)) for line in lines)}


NEEDS = read_needs((ROOT / "scripts" / "servers.txt").read_text(encoding="utf-8"))


class Requires:
    """Asks for what a test needs. The words after "needs" are what the closing list shows."""

    def __call__(self, package: str, *, root: bool = False) -> Path:
        """The program or file of the package; with `root`, only for the user that may start such a server."""
        found = NEEDS[package].find()
        if found is None:
            self.missing(f"{package} (scripts/test installs it as root on Debian)")
        if root and os.geteuid() != 0:
            self.missing(f"root, to start {package}")
        return found

    def module(self, name: str, extra: str) -> None:
        """A Python module that is in an extra of the package."""
        if importlib.util.find_spec(name) is None:
            self.missing(f"the Python module {name} (pip install 'smtpctl[{extra}]')")

    @staticmethod
    def missing(what: str) -> NoReturn:
        if IN_CI:
            pytest.fail(f"needs {what}; with CI=true nothing may be missing", pytrace=False)
        pytest.skip(f"needs {what}")
