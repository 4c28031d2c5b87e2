"""The completion scripts, in the real shells: what a person who presses TAB is offered."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPTS = {"bash": "smtpctl.bash", "zsh": "smtpctl.zsh", "fish": "smtpctl.fish", "powershell": "smtpctl.ps1"}
CONFIG = '[profiles.office]\nhost = "a.example"\n[profiles.overseas]\n[sites.shop]\n'
# the command line as typed, and what must be among the offers
LINES = [
    ("smtpctl ch", {"check"}),
    ("smtpctl completions ", {"bash", "zsh", "fish", "powershell"}),
    ("smtpctl profile sh", {"show"}),
    ("smtpctl profile show --res", {"--resolved"}),
    ("smtpctl profile show ", {"office", "overseas"}),
    ("smtpctl --json completions z", {"zsh"}),
    ("smtpctl completions --no-", {"--no-input"}),
    ("smtpctl completions --color ", {"auto", "always", "never"}),
    ("smtpctl completions --color=al", {"always"}),
    ("smtpctl completions --site ", {"shop"}),
    ("smtpctl completions --config some", {"some-file", "some-folder"}),
]

PATIENCE = 30  # seconds a shell may take before it is taken to be stuck


@pytest.fixture
def environment(home: Path, smtpctl_program: Path) -> dict[str, str]:
    """Where the shells run: a folder with two entries, a configuration, smtpctl on the path."""
    (home / "some-file").touch()
    (home / "some-folder").mkdir()
    config = home / "config.toml"
    config.write_text(CONFIG)
    config.chmod(0o600)
    path = f"{smtpctl_program.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "SMTPCTL_CONFIG": str(config)}


@pytest.fixture
def script(smtpctl_run: Callable[..., object], tmp_path: Path) -> Callable[[str], Path]:
    """The script that `smtpctl completions` prints for a shell, in a file."""

    def write(shell: str) -> Path:
        run = smtpctl_run("completions", shell)
        path = tmp_path / SCRIPTS[shell]
        path.write_text(run.stdout)  # type: ignore[attr-defined]
        return path

    return write


def _output(command: list[str], environment: dict[str, str]) -> list[str]:
    done = subprocess.run(
        command, env=environment, cwd=environment["HOME"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


BASH = r"""
source "$1"
COMP_LINE=$2 COMP_POINT=${#2}
# the words as readline splits them: at blanks, and : and = stand alone
read -ra COMP_WORDS <<< "$(sed 's/[:=]/ & /g' <<< "$2")"
[[ $2 == *[\ :=] ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { :; }
spec=$(complete -p smtpctl)
spec=${spec#*-F }
"${spec%% *}"
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_bash_offers(line: str, expected: set[str], script: Callable[[str], Path], environment: dict[str, str]) -> None:
    offers = _output(["bash", "--norc", "-c", BASH, "bash", str(script("bash")), line], environment)
    assert expected <= set(offers)


def test_bash_completes_at_the_prompt(script: Callable[[str], Path], environment: dict[str, str]) -> None:
    with _Prompt(["bash", "--norc", "--noprofile", "-i"], environment) as bash:
        bash.type(f"source {script('bash')}\n")
        bash.type("smtpctl compl\tzs\t--no-in\t\n")
        bash.screen("#compdef smtpctl")
        assert "completions zsh --no-input" in bash.seen


@pytest.mark.requires("zsh")
@pytest.mark.parametrize(("line", "expected"), LINES)
def test_zsh_offers(line: str, expected: set[str], script: Callable[[str], Path], environment: dict[str, str]) -> None:
    with _Prompt(["zsh", "-f", "-i"], environment | {"COLUMNS": "200"}) as zsh:
        zsh.type("autoload -Uz compinit; compinit -u -D; bindkey '^O' list-choices\n")
        zsh.type(f"source {script('zsh')}; PS1='re''ady> '\n")
        zsh.screen("ready> ")
        before = len(zsh.seen)
        zsh.type(f"{line}\x0f")
        for offer in expected:
            zsh.screen(offer, since=before + len(line))


@pytest.mark.requires("fish")
@pytest.mark.parametrize(("line", "expected"), LINES)
def test_fish_offers(line: str, expected: set[str], script: Callable[[str], Path], environment: dict[str, str]) -> None:
    command = f"source {script('fish')}; complete -C '{line}'"
    offers = _output(["fish", "--no-config", "-c", command], environment)
    values = {offer.split("\t")[0].rstrip("/").rpartition("=")[2] for offer in offers}
    assert expected <= values


def test_powershell_script_is_printed(smtpctl_call: Callable[..., object]) -> None:
    run = smtpctl_call("completions", "powershell")
    assert "Register-ArgumentCompleter -Native -CommandName smtpctl" in run.stdout  # type: ignore[attr-defined]


class _Prompt:
    """A shell at a terminal of its own."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.master, slave = pty.openpty()
        self.seen = ""
        self.process = subprocess.Popen(
            command, env=environment | {"TERM": "dumb"}, cwd=environment["HOME"],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        )  # fmt: skip
        os.close(slave)

    def __enter__(self) -> _Prompt:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def screen(self, wanted: str, since: int = 0) -> None:
        """Read on until `wanted` was shown, `since` characters from the start."""
        end = time.monotonic() + PATIENCE
        while wanted not in self.seen[since:]:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, f"{wanted!r} did not come; the screen: {self.seen!r}"
            self.seen += os.read(self.master, 4096).decode(errors="replace").replace("\0", "")
