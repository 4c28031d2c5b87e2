"""What every test stands on: a hermetic environment, the program run as a user runs it, and honest words about what is missing.

- No test sees the settings, proxies, certificates or keyring of the person who runs it: each has a home of its own.
- `smtpctl_run` starts the installed program by its full path (OpenSMTPD has a /usr/sbin/smtpctl too); `smtpctl_call`
  runs the same `main` in this process, for speed.
- `requires("postfix")` gives the program of a line of scripts/servers.txt. Where it is missing the test is skipped and
  listed at the end; with CI=true it fails, so that a green CI has run everything.
"""

from __future__ import annotations

import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn, Protocol

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).parent / "golden"
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

# A slow machine is no failure; CI finds the same examples each time, a person's machine new ones.
settings.register_profile("smtpctl", deadline=None, derandomize=IN_CI)
settings.load_profile("smtpctl")


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


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A new, empty home folder, and an environment that knows no other."""
    before = dict(os.environ)
    folder = tmp_path_factory.mktemp("home")
    after = clean_environment(before, folder)
    os.environ.clear()
    os.environ.update(after)
    yield folder
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def smtpctl_program() -> Path:
    """The installed program of this environment."""
    found = shutil.which("smtpctl", path=str(Path(sys.executable).parent))
    if found is None:
        pytest.fail("smtpctl is not installed beside this Python: pip install -e '.[test]', or run scripts/test")
    return Path(found)


@pytest.fixture
def smtpctl_run(smtpctl_program: Path, home: Path) -> Runner:
    """Runs the installed program in a process of its own, its stdin, stdout and stderr no terminals."""

    def run(*args: str | Path, stdin: str | bytes = b"", env: Mapping[str, str] | None = None) -> Run:
        done = subprocess.run(
            [smtpctl_program, *args],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            env={**os.environ, **(env or {})},
            cwd=home,
            timeout=60,
            check=False,
        )
        return Run(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def smtpctl_call(home: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """Runs the program's `main` in this process: ten times faster, for tests that are not about the process."""

    def call(*args: str | Path, stdin: str | bytes = b"", env: Mapping[str, str] | None = None) -> Run:
        from smtpctl.__main__ import main

        with monkeypatch.context() as patch:
            streams = {
                "stdin": _Stream(stdin.encode() if isinstance(stdin, str) else stdin),
                "stdout": _Stream(),
                "stderr": _Stream(),
            }
            for name, stream in streams.items():
                patch.setattr(sys, name, stream)
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            patch.chdir(home)
            code = _exit_code(main, [str(arg) for arg in args])
        return Run(code, streams["stdout"].text(), streams["stderr"].text())

    return call


def _exit_code(main: Callable[[list[str]], int], arguments: list[str]) -> int:
    try:
        return main(arguments)
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)


class _Stream(io.TextIOWrapper):
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

    def find(self) -> Path | None:
        """Where it is on this machine."""
        if self.how == "unpack":
            path = UNPACKED / self.package / self.probe
            return path if path.exists() else None
        if self.probe.startswith("/"):
            return min(Path("/").glob(self.probe.lstrip("/")), default=None)
        found = shutil.which(self.probe, path=SEARCH_PATH)
        return Path(found) if found else None


def read_needs(text: str) -> dict[str, Need]:
    """The table of scripts/servers.txt by package."""
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return {need.package: need for need in (Need(*line.split(maxsplit=3)) for line in lines)}


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


@pytest.fixture(scope="session")
def requires() -> Requires:
    """`requires("postfix", root=True)`: its path, or the test ends here."""
    return Requires()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "requires(*packages): packages of scripts/servers.txt that the test runs")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("requires"):
        for package in mark.args:
            Requires()(package)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was not run here, and why: a reader must not take a shorter run for a whole one."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped)
    if not reasons:
        return
    terminalreporter.section("not run here")
    for reason, count in sorted(reasons.items()):
        terminalreporter.line(f"{count:5}  {reason}")


# Golden files


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="write what the renderers give now to tests/golden")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden("check/passes.txt", text)`: text equals the file; `--rewrite-golden` writes the file instead."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--rewrite-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is missing: run pytest with --rewrite-golden, then read the difference"
        assert text == path.read_text(encoding="utf-8")

    return compare
