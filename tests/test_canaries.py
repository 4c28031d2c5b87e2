"""No secret leaves by another door than the login: every place a secret can be in, every command, whatever a server does.

Every command of the table has its lines in `LINES`; a new command without some fails the first test.
"""

from __future__ import annotations

import base64
import json
import os
import pty
import select
import shlex
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import jsonschema
import keyring
import pytest

from canaries import Canaries
from harness import Run, Runner
from memory_keyring import WindowsMemory
from rawserver import Peer, RawServer
from smtpctl.cli import app
from smtpctl.cli.command import Noun, Verb
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.secret import Secret
from smtpctl.ops import session
from smtpctl.ops.schemas import of_output
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.server import Sink

# Where the password of the profile of that name is kept.
PLACES = ("plain", "environment", "file", "command", "keyring")
CANARIES = Canaries(
    [*PLACES, "token", "oauthtoken", "clientsecret", "refreshtoken", "proxy", "queue", "url", "typed", "option"]
)
# What may hold them, because that is where they live.
HOMES = {
    "config.toml": {"plain", "token", "oauthtoken", "clientsecret", "refreshtoken", "proxy", "queue"},
    "password": {"file"},
    "program.py": {"command"},
    "import.txt": {"typed"},
    "typed": {"typed"},
    "moved": {"keyring"},
    # A variable that another profile names: the user's own program gets the user's own environment.
    "processes": {"environment"},
}
ADDRESSES = ("--from", "ann@a.test", "--to", "bob@b.test")
TRANSCRIPT = "session.jsonl"

CONFIG = """\
version = 1
[global]
default_profile = "plain"
queue_url = "postgresql://ann:{queue_url}@db.test/smtpctl"
[sites.shop]
emails_enabled = true
[oauth.m365]
client_id = "app"
tenant_id = "tenant"
authority = "https://127.0.0.1:1"
client_secret = {clientsecret}
refresh_token = {refreshtoken}
access_token = {oauthtoken}
[oauth.asking]
client_id = "app"
token_endpoint = "https://127.0.0.1:1/token"
scope = "mail"
client_secret = {clientsecret}
[profiles.plain]
{server}
username = "plain"
password = {plain}
[profiles.environment]
{server}
username = "environment"
password_env = "PW"
[profiles.file]
{server}
username = "file"
password_file = "{home}/password"
[profiles.command]
{server}
username = "command"
password_command = ["{python}", "{home}/program.py"]
[profiles.keyring]
{server}
username = "keyring"
password_keyring = true
[profiles.token]
{server}
username = "token"
auth = "oauth2"
access_token = {token}
[profiles.oauthtoken]
{server}
username = "oauthtoken"
oauth = "m365"
[profiles.proxy]
{server}
proxy = "socks5://ann:{proxy_url}@127.0.0.1:1"
"""
# Prints the secret, and writes down what can be seen of the processes: its own environment, both command lines.
PROGRAM = """\
import os, pathlib
seen = [f"/proc/{{os.getpid()}}/environ", f"/proc/{{os.getpid()}}/cmdline", f"/proc/{{os.getppid()}}/cmdline"]
pathlib.Path("{home}/processes").write_bytes(b"\\n".join(pathlib.Path(name).read_bytes() for name in seen))
print({secret})
"""
PROFILES = (*PLACES, "token", "oauthtoken", "proxy")

# The lines of each command. What changes the configuration finds it anew each time.
LINES: dict[str, list[str]] = {
    "check": [
        *(f"check {name}" for name in PROFILES),
        "check --all",
        "check plain --to bob@b.test -v",
        "check smtp://ann:{url}@127.0.0.1:1",
        "check smtp://127.0.0.1:1 --proxy socks5://ann:{option}@127.0.0.1:1",
        "check smtp://127.0.0.1:1 --proxy socks5://ann:{option_url}@127.0.0.1:1",
    ],
    "test-send": [
        *(f"test-send {name} {shlex.join(ADDRESSES)}" for name in PROFILES),
        f"test-send --all -v {shlex.join(ADDRESSES)}",
        f"test-send plain --dry-run {shlex.join(ADDRESSES)}",
        f"test-send smtp://ann:{{url}}@127.0.0.1:1 {shlex.join(ADDRESSES)}",
    ],
    "report": [
        *(f"report {name} --output -" for name in PROFILES),
        "report plain --to bob@b.test --anonymise --output told",
        "report smtp://ann:{url}@127.0.0.1:1",
        "report plain --transcript session.jsonl --output -",
    ],
    "diagnose": [
        *(f"diagnose {name} --no-input" for name in PROFILES),
        "diagnose plain --no-input --yes",
        "diagnose plain --json",
        "diagnose smtp://ann:{url}@127.0.0.1:1 --no-input",
    ],
    "oauth list": ["oauth list", "oauth list --json"],
    "oauth show": ["oauth show m365", "oauth show m365 --json"],
    "oauth add": ["oauth add new --tenant-id tenant --client-id app", "oauth add new --preset gmail"],
    "oauth set": [
        "oauth set m365 cache=file",
        "oauth set m365 client_secret={option}",
        "oauth set m365 proxy=http://ann:{option_url}@127.0.0.1:1",
    ],
    "oauth remove": ["oauth remove m365 --yes", "oauth remove asking --yes"],
    "oauth login": ["oauth login m365", "oauth login m365 --with code --no-input"],
    "oauth token": ["oauth token asking", "oauth token asking --renew --format xoauth2 --user a@b.test"],
    "oauth inspect": ["oauth inspect asking", "oauth inspect - < {typed}"],
    "explain": ["explain auth.refused", "explain session.jsonl"],
    "validate": ["validate", *(f"validate {name}" for name in PROFILES), "validate --strict --platform azure"],
    "profile list": ["profile list"],
    "profile show": [
        *(f"profile show {name} --resolved" for name in PROFILES),
        "profile show plain --proxy http://ann:{option_url}@127.0.0.1:1 --resolved",
        "profile show smtp://ann:{url}@127.0.0.1:1",
    ],
    "profile add": [
        "profile add new --extends plain",
        "profile add new --host 127.0.0.1 --proxy ftp://ann:{option}@h:1",
        "profile add new --host 127.0.0.1 --proxy http://ann:{option_url}@h:1",
        "profile add new --host smtp://ann:{url}@127.0.0.1",
        "profile add new --host 127.0.0.1 --username ann --password-stdin < {typed}",
    ],
    "profile set": [
        "profile set plain port=1",
        "profile set plain password={option}",
        "profile set token access_token={option}",
        "profile set plain host=ann:{option}@127.0.0.1",
        "profile set plain proxy=http://ann:{option_url}@127.0.0.1:1",
    ],
    "profile unset": ["profile unset plain username", "profile unset plain password"],
    "profile remove": ["profile remove plain --yes", "profile remove keyring --yes"],
    "profile rename": ["profile rename plain other", "profile rename keyring other"],
    "profile copy": ["profile copy plain other", "profile copy keyring other"],
    "profile enable": ["profile enable plain"],
    "profile disable": ["profile disable plain"],
    "profile default": ["profile default file"],
    "profile import": [
        "profile import --from contensis import.txt --secret-store file:{home}/imported/",
        "profile import --from contensis import.txt",
        "profile import --from kentico import.txt",
        "profile import --from contensis --name plain import.txt",
    ],
    "profile export": [
        "profile export --to contensis plain",
        "profile export --to contensis oauthtoken",
        "profile export --to kentico",
        "profile export --to kentico --strict",
    ],
    "secret status": ["secret status"],
    "secret set": [
        "secret set plain --stdin --store file:{home}/typed < {typed}",
        "secret set plain --stdin < {typed}",
        "secret set plain",
    ],
    "secret remove": [f"secret remove {name} --yes" for name in ("plain", "file", "keyring", "oauth/m365/client_secret")],
    "secret move": [
        "secret move plain --to file:{home}/config.toml",
        "secret move plain --to keyring",
        "secret move keyring --to file:{home}/moved",
        "secret move keyring --to file:{home}/config.toml/moved",
        "secret move oauth/m365/refresh_token --to keyring",
    ],
    "preset list": ["preset list"],
    "preset show": ["preset show microsoft365"],
    "preset suggest": ["preset suggest ann@outlook.com"],
    "guide": [
        "guide",
        *(f"guide m365 {name}" for name in PROFILES),
        "guide m365 oauthtoken --way delegated --script told.ps1",
        "guide google-workspace oauthtoken",
        "guide relay proxy --script -",
    ],
    "site list": ["site list"],
    "site add": ["site add web"],
    "site remove": ["site remove shop --yes"],
    "config list": ["config list", "config list --site shop"],
    "config get": ["config get default_profile", "config get queue_url"],
    "config set": ["config set batch_size=5", "config set queue_url=postgresql://ann:{option}@db/smtpctl"],
    "config unset": ["config unset default_profile"],
    "config schema": ["config schema", "config schema --output check"],
    "config path": ["config path"],
    "demo": ["demo"],
    "completions": ["completions bash"],
    "sink": ["sink --user ann={option}", "sink --user ann=env:MISSING", "sink --user ann=env:PW --port 99999"],
}  # fmt: skip
# The user hands these over where everybody can see them; we may store, but never repeat them.
STORED = {"config set": {"option"}}


def commands() -> dict[str, Verb]:
    """Every command there is, by the words it is called with."""
    loaded = {name: app.load(name) for name in app.COMMANDS}
    return {name: one for name, one in loaded.items() if isinstance(one, Verb)} | {
        f"{name} {word}": verb
        for name, noun in loaded.items()
        if isinstance(noun, Noun)
        for word, verb in noun.verbs.items()
    }


def test_every_command_has_its_lines() -> None:
    assert set(LINES) == set(commands())


# The world: a home with every secret in its place, a server that takes each of them


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    users = {name: Secret(CANARIES[name]) for name in (*PLACES, "token", "oauthtoken", "typed")}
    mechanisms = ("SCRAM-SHA-256", "PLAIN", "XOAUTH2")
    with Sink(Setup(tls=TlsMode.STARTTLS, users=users, mechanisms=mechanisms)) as running:
        yield running


class World(NamedTuple):
    """A home folder, and how to run the program in it."""

    home: Path
    call: Runner
    server: str

    def lay_out(self) -> None:
        """Everything in its place again."""
        values = {name: json.dumps(secret) for name, secret in CANARIES.secrets.items()}
        quoted = {f"{name}_url": quote(CANARIES[name], safe="") for name in ("proxy", "queue")}
        text = CONFIG.format(**values | quoted, server=self.server, home=self.home, python=sys.executable)
        for path in self.home.rglob("*"):
            if path.is_file() and path.name != TRANSCRIPT:
                path.unlink()
        self.write("config.toml", text)
        self.write("password", CANARIES["file"] + "\n")
        self.write("import.txt", f"EmailSMTPHost = mail.test\nEmailSmtpPassword = {CANARIES['typed']}\n")
        self.write("program.py", PROGRAM.format(home=self.home, secret=json.dumps(CANARIES["command"])))
        store = WindowsMemory()
        store.set_password("smtpctl", "profile/keyring/password", CANARIES["keyring"])
        keyring.set_keyring(store)

    def write(self, name: str, text: str) -> None:
        (self.home / name).write_text(text)
        (self.home / name).chmod(0o600)

    def run(self, line: str, *more: str, **env: str) -> Run:
        """One line as typed; `< {NAME}` gives that secret on standard input."""
        typed = line.partition(" < ")[2].strip("{}")
        words = shlex.split(line.partition(" < ")[0])
        words = [word.replace("{home}", str(self.home)) for word in words]
        for name, secret in CANARIES.secrets.items():
            words = [word.replace(f"{{{name}}}", secret) for word in words]
            words = [word.replace(f"{{{name}_url}}", quote(secret, safe="")) for word in words]
        stdin = f"{CANARIES[typed]}\n" if typed else ""
        secrets = {"PW": CANARIES["environment"], "SMTPCTL_CONFIG": str(self.home / "config.toml")}
        return self.call(*words, *more, stdin=stdin, env=secrets | env)

    def leaks(self, run: Run, allowed: frozenset[str] = frozenset()) -> dict[str, set[str]]:
        """Where a secret is that has no business there."""
        told = {"output": CANARIES.found(run.stdout + run.stderr)}
        told |= CANARIES.in_files(self.home)
        return {
            place: rest for place, found in told.items() if (rest := found - HOMES.get(Path(place).name, set()) - allowed)
        }  # fmt: skip


@pytest.fixture
def world(sink: Sink, home: Path, smtpctl_call: Runner, monkeypatch: pytest.MonkeyPatch) -> World:
    temporary = home / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    server = f'host = "127.0.0.1"\nport = {sink.port}\ntls = "starttls"\nca_file = "{sink.ca_file}"'
    made = World(home, smtpctl_call, server)
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)  # chosen anew when this test is over
    made.lay_out()
    return made


@pytest.mark.parametrize("command", LINES)
def test_no_command_tells(command: str, world: World) -> None:
    formats = commands()[command].formats
    for line in LINES[command]:
        for form in formats:
            world.lay_out()
            given = ["--transcript", TRANSCRIPT] if command in ("check", "test-send") and "--all" not in line else []
            run = world.run(line, "--format", form, *given)
            assert run.code != 70, run.stderr
            assert form != "json" or not run.stdout or "--dry-run" in line or is_promised(run.stdout), (
                f"{line}: {run.stdout}"
            )
            # Where a secret was put into a store that was asked for, it is there and nowhere else.
            stored = {"config.toml": STORED.get(command, set()), "imported": {"typed"}}
            leaks = world.leaks(run)
            leaks = {place: found - stored.get(Path(place).name, set()) for place, found in leaks.items()}
            leaks = {place: found for place, found in leaks.items() if found and not place.startswith("imported/")}
            assert not leaks, f"{line} --format {form}"


def is_promised(text: str) -> bool:
    """Whether every document is what the schema that ships for it says; a schema that is printed is none of ours."""
    first = json.loads(text.partition("\n")[0]) if text.startswith('{"') else None
    for document in map(json.loads, text.splitlines()) if first else [json.loads(text)]:
        if "$schema" not in document:
            validator(document["schema"]).validate(document)
    return True


@cache
def validator(schema: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(of_output(schema)))


def test_the_logins_that_shall_work_do(world: World) -> None:
    """What has no leak must not have it because it never got as far as the secret."""
    for name in (*PLACES, "token", "oauthtoken"):
        run = world.run(f"check {name}")
        assert run.code == 0, run.stdout + run.stderr


def test_processes_show_nothing(world: World) -> None:
    """Neither the program that prints a password nor anybody who lists processes sees one."""
    env = {"SMTPCTL_ACCESS_TOKEN": CANARIES["token"], "SMTPCTL_PASSWORD_ENV": "PW"}
    words = [sys.executable, "-m", "smtpctl", "check", "command"]
    whole = {**os.environ, **env, "PW": CANARIES["environment"], "SMTPCTL_CONFIG": str(world.home / "config.toml")}
    whole |= {"SMTPCTL_PASSWORD": ""}
    del whole["SMTPCTL_PASSWORD_ENV"], whole["SMTPCTL_ACCESS_TOKEN"]
    whole |= {"SMTPCTL_CLIENT_SECRET": CANARIES["clientsecret"], "SMTPCTL_REFRESH_TOKEN": CANARIES["refreshtoken"]}
    done = subprocess.run(words, env=whole, cwd=world.home, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    seen = (world.home / "processes").read_bytes()
    assert b"program.py" in seen
    assert not CANARIES.found(seen)


# Servers that do what none should


def echoing(encode: Callable[[str], str], *, after: str = "535-5.7.8") -> Callable[[Peer], None]:
    """Refuses the login, and says what it was sent: the line, what is in it, and the password in some encoding."""

    def script(peer: Peer) -> None:
        peer.say("220 echo.test")
        peer.hear()
        peer.say("250-echo.test", "250 AUTH PLAIN XOAUTH2")
        line = peer.hear()[0]
        sent = decoded(line.split(" ")[2])
        secret = sent.rpartition("\0")[2].rpartition("Bearer ")[2].rstrip("\1")
        peer.say(f"{after} {line}", f"{after} {encode(secret)} is wrong", f"{after} {sent!r}", f"{after[:3]} no")
        peer.hear()
        peer.say(f"221 bye {encode(secret)}")

    return script


def decoded(text: str) -> str:
    return base64.b64decode(text).decode()


def as_base64(text: str) -> str:
    return base64.b64encode(f"x{text}".encode()).decode()


def hangs_up(peer: Peer) -> None:
    """Closes in the middle of AUTH, with half a line."""
    peer.say("220 rude.test")
    peer.hear()
    peer.say("250-rude.test", "250 AUTH PLAIN XOAUTH2")
    line = peer.hear()[0]
    peer.say(f"535 {line}".encode())


def challenges(peer: Peer) -> None:
    """Asks again with what it was told: a challenge that holds the secret (RFC 7628 3.2.2 in JSON)."""
    peer.say("220 asks.test")
    peer.hear()
    peer.say("250-asks.test", "250 AUTH PLAIN XOAUTH2")
    sent = decoded(peer.hear()[0].split(" ")[2])
    told = json.dumps({"status": "400", "schemes": sent, "scope": sent})
    peer.say(f"334 {base64.b64encode(told.encode()).decode()}")
    peer.hear()
    peer.say(f"535 5.7.8 {sent!r}")
    peer.hear()


def late(peer: Peer) -> None:
    """Takes the login, and quotes the password when it refuses the mail."""
    peer.say("220 late.test")
    peer.hear()
    peer.say("250-late.test", "250 AUTH PLAIN XOAUTH2")
    sent = decoded(peer.hear()[0].split(" ")[2])
    peer.say("235 2.7.0 hello " + sent.replace("\0", " ").replace("\1", " "))
    peer.hear()
    peer.say(f"550 5.7.1 {sent!r} may not", "503 5.5.1 no")


SCRIPTS: dict[str, Callable[[Peer], None]] = {
    "in clear": echoing(str),
    "in base 64": echoing(as_base64),
    "in hex": echoing(lambda text: text.encode().hex()),
    "for now": echoing(str, after="454-4.7.0"),
    "hangs up": hangs_up,
    "challenges": challenges,
    "late": late,
}


def over_tls(script: Callable[[Peer], None], folder: Path) -> Callable[[Peer], None]:
    """The same with TLS from the first octet: tokens go over nothing less."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")

    def secured(peer: Peer) -> None:
        with context.wrap_socket(peer.sock, server_side=True) as peer.sock:
            script(peer)

    return secured


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("profile", [*PLACES, "token", "oauthtoken"])
def test_a_server_that_echoes(profile: str, script: str, world: World, sink: Sink) -> None:
    with RawServer(over_tls(SCRIPTS[script], Path(sink.ca_file).parent)) as server:
        away = ["--port", str(server.port), "--tls", "implicit", "--timeout", "5", "--transcript", TRANSCRIPT]
        for line in (f"check {profile} -v", f"test-send {profile} {shlex.join(ADDRESSES)}"):
            for form in ("text", "json", "junit", "sarif", "github") if profile == "plain" else ("text", "json"):
                run = world.run(line, "--format", form, *away)
                assert run.code in (0, 65, 69, 75, 76, 77), run.stdout + run.stderr
                assert "AUTH" in (world.home / TRANSCRIPT).read_text(), run.stdout
                assert not world.leaks(run), f"{line} --format {form}"


# Prompts


@pytest.mark.parametrize(
    "line",
    [
        "secret set plain --store file:{home}/typed",
        "check 127.0.0.1:{port} --tls starttls --ca-file {ca} --username typed -v",
    ],
)
def test_what_is_typed_is_not_shown(line: str, world: World, sink: Sink, smtpctl_program: Path) -> None:
    words = shlex.split(line.format(home=world.home, port=sink.port, ca=sink.ca_file))
    process, terminal = pty.fork()
    if process == 0:  # pragma: no cover
        os.environ["SMTPCTL_CONFIG"] = str(world.home / "config.toml")
        os.chdir(world.home)
        os.execv(smtpctl_program, [str(smtpctl_program), *words])
    shown = until(terminal, b": ")
    os.write(terminal, f"{CANARIES['typed']}\n".encode())
    shown += until(terminal, None)
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 0, shown
    assert not world.leaks(Run(0, shown.decode(), ""))


def until(terminal: int, words: bytes | None) -> bytes:
    """What the terminal shows up to these words, or to the end."""
    shown = b""
    while words is None or words not in shown:
        if not select.select([terminal], [], [], 30)[0]:
            raise AssertionError(f"nothing more after {shown!r}")
        try:
            octets = os.read(terminal, 4096)
        except OSError:  # Linux: the other side has gone
            return shown
        if not octets:
            return shown
        shown += octets
    return shown


def test_a_secret_from_a_descriptor(world: World) -> None:
    for form in ("text", "json"):
        reading, writing = os.pipe()
        os.write(writing, f"{CANARIES['typed']}\n".encode())
        os.close(writing)
        run = world.run("check plain --username typed", "--password-file", f"fd:{reading}", "--format", form)
        assert run.code == 0, run.stdout + run.stderr
        assert not world.leaks(run)


def test_a_secret_from_standard_input(world: World) -> None:
    for code, typed in ((0, "typed"), (77, "option")):
        run = world.run(f"check plain --username typed --password-stdin < {{{typed}}}", "-v")
        assert run.code == code, run.stdout + run.stderr
        assert not world.leaks(run)


def test_a_systemd_credential(world: World) -> None:
    folder = world.home / "credentials"
    folder.mkdir()
    (folder / "typed").write_text(CANARIES["typed"])
    (folder / "typed").chmod(0o600)
    run = world.run("check plain --username typed --password-file credential:typed", CREDENTIALS_DIRECTORY=str(folder))
    assert run.code == 0, run.stdout + run.stderr
    assert not world.leaks(run)


# Defects


@pytest.mark.parametrize("debug", ["", "1"])
@pytest.mark.parametrize("profile", [*PLACES, "token", "oauthtoken"])
def test_a_defect_tells_nothing(profile: str, debug: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = CANARIES[profile]

    def broken(*_: Any) -> None:
        raise RuntimeError(f"no quotes: {secret} {as_base64(secret)} {secret.encode().hex()}") from ValueError(secret)

    monkeypatch.setattr(session, "run", broken)
    run = world.run(f"check {profile}", SMTPCTL_DEBUG=debug)
    assert run.code == 70
    assert ("Traceback" in run.stderr) is bool(debug)
    reports = list(world.home.rglob("defect-*.txt"))
    assert len(reports) == (0 if debug else 1)
    assert not world.leaks(run)
