"""What a command loads before it does anything: sets of modules, never milliseconds.

Every command is started in a process of its own that lists its modules at the end. A library that costs tens of
milliseconds must not be among them unless the command needs it for what it was asked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smtpctl.cli import app
from smtpctl.config import store
from smtpctl.config.oauth import resolve_oauth
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.secret import Secret
from smtpctl.oauth.values import Token
from smtpctl.ops import tokens
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.server import Sink

# Never needed to read a command line, to print help, or to work without a network.
HEAVY = {
    "asyncio", "cryptography", "dns", "email", "filelock", "http", "httpx", "idna", "importlib.metadata", "keyring",
    "logging", "msal", "multiprocessing", "pydantic", "python_socks", "rich", "scramp", "spnego", "sqlite3",
    "tomlkit", "tomli_w", "urllib.request",
}  # fmt: skip
# Only for what connects: TLS and sockets.
NETWORK = {"ssl", "socket"}
# Only for help and wrong usage: a line that is plainly right is read without it.
PARSER = {"typer", "click", "inspect", "smtpctl.cli.group", "smtpctl.cli.help_page"}
# Not even a mail needs what these cost.
SELDOM = {"bz2", "lzma", "difflib", "hashlib", "json", "random", "shlex", "shutil", "subprocess", "threading"}

CONFIG = """
version = 1
[global]
default_profile = "office"
[profiles.office]
host = "smtp.example.com"
port = 587
tls = "starttls"
username = "ann@example.com"
password_env = "OFFICE"
from = "ann@example.com"
[sites.shop]
"""

LISTING = """
import json, sys
before = set(sys.modules)
from smtpctl.__main__ import main
status = None
try:
    status = main(sys.argv[1:])
finally:
    sys.stderr.write("\\n" + json.dumps([status, sorted(set(sys.modules) - before)]))
"""


@pytest.fixture(autouse=True)
def configuration(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile and a site, so that the commands have something to read."""
    path = home / "config.toml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    monkeypatch.setenv("SMTPCTL_CONFIG", str(path))
    monkeypatch.setenv("OFFICE", "secret")


def loaded(*args: str) -> set[str]:
    """The modules that one command line loads; it must end well."""
    done = subprocess.run(
        [sys.executable, "-c", LISTING, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    status, modules = json.loads(done.stderr.splitlines()[-1])
    assert status == 0, done.stderr
    return set(modules)


def present(modules: set[str], unwanted: set[str]) -> set[str]:
    """Which of the unwanted modules or packages were loaded."""
    return {name for name in unwanted if name in modules}


@pytest.mark.parametrize("args", [["--version"], ["-V"]])
def test_the_version_is_said_before_anything_is_loaded(args: list[str]) -> None:
    modules = loaded(*args)
    assert not present(modules, HEAVY | NETWORK | PARSER | {"re", "enum", "typing", "json", "pathlib"})
    assert {name for name in modules if name.startswith("smtpctl")} == {"smtpctl", "smtpctl.__main__"}


def test_versions_of_libraries_are_read_without_loading_them() -> None:
    assert not present(loaded("--version", "--verbose"), PARSER | HEAVY - {"importlib.metadata", "email", "logging"})


@pytest.mark.parametrize("args", [["--help"], ["__complete", ""], ["__complete", "che"], ["__complete", "--"]])
def test_neither_help_nor_tab_loads_a_command(args: list[str]) -> None:
    modules = loaded(*args)
    assert not present(modules, HEAVY | NETWORK)
    assert not present(modules, {info.module for info in app.COMMANDS.values()})


@pytest.mark.parametrize("name", app.COMMANDS)
def test_help_of_a_command_loads_that_command_alone(name: str) -> None:
    modules = loaded(name, "--help")
    assert not present(modules, HEAVY | NETWORK)
    assert present(modules, {info.module for info in app.COMMANDS.values()}) == {app.COMMANDS[name].module}


@pytest.mark.parametrize("name", app.COMMANDS)
def test_tab_within_a_command_loads_that_command_alone(name: str) -> None:
    modules = loaded("__complete", name, "--")
    assert not present(modules, HEAVY | NETWORK | PARSER)
    assert present(modules, {info.module for info in app.COMMANDS.values()}) == {app.COMMANDS[name].module}


@pytest.mark.parametrize(
    "args",
    [
        ["profile", "list"],
        ["profile", "list", "--json"],
        ["profile", "show", "office", "--resolved"],
        ["site", "list"],
        ["config", "list"],
        ["config", "path"],
        ["preset", "list"],
        ["preset", "list", "--json"],
        ["preset", "show", "gmail"],
        ["guide"],
        ["guide", "m365", "office"],
        ["guide", "relay", "--network", "192.0.2.10", "--script", "-"],
        ["validate"],
        ["explain", "535 5.7.8 Authentication failed"],
        ["completions", "bash"],
    ],
)
def test_what_needs_no_network_loads_nothing_for_it(args: list[str]) -> None:
    assert not present(loaded(*args), HEAVY | NETWORK | PARSER)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """A server with STARTTLS and a login, as options."""
    folder = tmp_path_factory.mktemp("tls")
    setup = Setup(tls=TlsMode.STARTTLS, users={"ann@example.com": Secret("secret")}, mechanisms=("PLAIN",))
    sink = Sink(setup, tls_folder=folder)
    sink.start()
    yield ["--host", sink.host, "--port", str(sink.port), "--ca-file", str(folder / "ca.pem")]
    sink.stop()


def test_a_mail_loads_only_what_sending_takes(server: list[str]) -> None:
    modules = loaded("test-send", "office", *server, "--to", "bob@example.com")
    assert not present(modules, HEAVY | PARSER | SELDOM)
    assert present(modules, NETWORK) == NETWORK


def test_a_check_loads_besides_what_reads_certificates(server: list[str]) -> None:
    modules = loaded("check", "office", *server)
    assert not present(modules, PARSER | HEAVY - {"cryptography", "email"})  # the one needs the other
    assert not present(modules, {"smtpctl.ops.second", "smtpctl.net.probe"})  # nothing went wrong


def test_a_text_is_explained_without_what_reads_logs_and_bounces() -> None:
    modules = loaded("explain", "535 5.7.8 Authentication failed")
    assert not present(modules, {"smtpctl.ops.log", "smtpctl.ops.bounce", "datetime"})


def test_a_kept_token_loads_no_way_to_another(home: Path) -> None:
    with (home / "config.toml").open("a") as file:
        file.write('[oauth.m365]\ntenant_id = "contoso.test"\nclient_id = "app"\ncache = "file"\n')
    oauth = resolve_oauth("m365", store.read(home / "config.toml", os.environ))
    tokens.keep(oauth, "", Token(Secret("kept"), time.time() + 3600), os.environ)
    modules = loaded("oauth", "token", "m365")
    assert not present(modules, {"msal", "httpx", "requests", "cryptography", "jwt"})
