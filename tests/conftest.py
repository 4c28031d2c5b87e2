"""What every test stands on: a hermetic environment, the program run as a user runs it, and honest words about what is missing.

- No test sees the settings, proxies, certificates or keyring of the person who runs it: each has a home of its own.
- `smtpctl_run` starts the installed program by its full path (OpenSMTPD has a /usr/sbin/smtpctl too); `smtpctl_call`
  runs the same `main` in this process, for speed.
- `requires("postfix")` gives the program of a line of scripts/servers.txt. Where it is missing the test is skipped and
  listed at the end; with CI=true it fails, so that a green CI has run everything.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

from harness import GOLDEN, IN_CI, Requires, Run, Runner, Stream, clean_environment, exit_code

# A slow machine is no failure; CI finds the same examples each time, a person's machine new ones.
settings.register_profile("smtpctl", deadline=None, derandomize=IN_CI)
settings.load_profile("smtpctl")


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
                "stdin": Stream(stdin.encode() if isinstance(stdin, str) else stdin),
                "stdout": Stream(),
                "stderr": Stream(),
            }
            for name, stream in streams.items():
                patch.setattr(sys, name, stream)
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            patch.chdir(home)
            code = exit_code(main, [str(arg) for arg in args])
        return Run(code, streams["stdout"].text(), streams["stderr"].text())

    return call


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
