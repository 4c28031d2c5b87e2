"""`sink`: from the wishes of a command line to a running server, and how to point an application at it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from smtpctl.config.secrets import fetch, parse
from smtpctl.model.endpoint import Endpoint, TlsMode, is_loopback
from smtpctl.model.errors import UsageProblem
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import Secret
from smtpctl.protocol.server.faults import Fault, Faults, delay, drop, refusal
from smtpctl.protocol.server.mechanisms import MECHANISMS
from smtpctl.protocol.server.transaction import REMARKS
from smtpctl.protocol.server.values import EXTENSIONS, Limits, Setup
from smtpctl.sink import capture
from smtpctl.sink.server import NO_HOOKS, Hooks, Session, Sink

__all__ = ["REMARKS", "SCHEMA", "Directions", "Hooks", "Running", "Session", "Wishes", "directions", "running"]

SCHEMA = capture.SCHEMA
USER = "sink"  # who logs in where --auth asks for a login and no name is given
_OTHER_PORT = "Give another --port, or 0 for any free one."
_LATER = "See: smtpctl sink --help"
_USUAL = tuple(name for name in MECHANISMS if name != "EXTERNAL")  # that one asks every client for a certificate


class Wishes(NamedTuple):
    """What was asked for, as texts: `users` are NAME or NAME=PLACE of the password, `auth` mechanisms, `without`
    extensions, `fail`, `delay` and `drop` faults (`protocol.server.faults`)."""

    host: str = "127.0.0.1"
    port: int = 0
    tls: TlsMode = TlsMode.NONE
    lmtp: bool = False
    users: Sequence[str] = ()
    auth: Sequence[str] = ()
    auth_optional: bool = False
    without: Sequence[str] = ()
    output: str = ""
    tls_folder: Path | None = None
    fail: Sequence[str] = ()
    delay: Sequence[str] = ()
    drop: Sequence[str] = ()
    max_size: int = Limits().content
    max_connections: int = 100


class Running(NamedTuple):
    """A sink that listens. `generated` are the passwords that were made up for this run; `exposed` whether other
    machines can reach it."""

    sink: Sink
    generated: Mapping[str, Secret]
    exposed: bool


class Directions(NamedTuple):
    """How to point an application at a sink: settings by label, shell lines, and environment variables."""

    settings: Mapping[str, str]
    try_it: str
    keep_it: str
    variables: str


@contextmanager
def running(
    wishes: Wishes,
    environ: Mapping[str, str],
    prompt: Callable[[str], str] | None = None,
    hooks: Hooks = NO_HOOKS,
) -> Iterator[Running]:
    """The sink, as long as the context lasts.

    UsageProblem for what cannot be understood, listened on or written to; Problem where a password cannot be fetched.
    """
    if not 0 <= wishes.port <= 65535:
        raise UsageProblem(f"--port {wishes.port}: a port is a number up to 65535", _OTHER_PORT)
    users, generated = _users(wishes, environ, prompt)
    setup = _setup(wishes, users)
    path = wishes.host.removeprefix("unix:") if wishes.host.startswith("unix:") else ""
    endpoint = Endpoint("", 0, path) if path else Endpoint(wishes.host, wishes.port)
    try:
        store = capture.to(wishes.output) if wishes.output else capture.Memory(keep=0)
    except OSError as error:
        raise UsageProblem(f"--output {wishes.output}: {error.strerror}") from error
    sink = Sink(
        setup,
        endpoint,
        capture=store,
        tls_folder=wishes.tls_folder,
        connections=wishes.max_connections,
        hooks=hooks,
    )
    try:
        sink.start()
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (while")[0]
        raise UsageProblem(f"{endpoint}: {why}", "" if path else _OTHER_PORT) from error
    try:
        yield Running(sink, generated, exposed=not path and not is_loopback(wishes.host))
    finally:
        sink.stop()


def _setup(wishes: Wishes, users: Mapping[str, Secret]) -> Setup:
    return Setup(
        lmtp=wishes.lmtp,
        tls=wishes.tls,
        extensions=tuple(name for name in EXTENSIONS if name not in _known(wishes.without, EXTENSIONS, "--without")),
        users=users,
        mechanisms=_known(wishes.auth, MECHANISMS, "--auth") or _USUAL,
        open_relay=wishes.auth_optional,
        limits=Limits(content=wishes.max_size),
        faults=Faults(*_faults(wishes)),
    )


def directions(run: Running) -> Directions:
    """What to type into an application, and into a shell."""
    sink, setup = run.sink, run.sink.setup
    host = sink.host if sink.host not in ("0.0.0.0", "::") else "127.0.0.1"  # noqa: S104  # compared, not bound
    where = Endpoint(host, sink.port, sink.endpoint.path)
    user = next(iter(setup.users), "")
    password = run.generated.get(user)
    told = password.reveal() if password else str(setup.users.get(user, ""))
    settings = {
        "socket" if where.path else "host": where.path or host,
        "port": "" if where.path else str(sink.port),
        "encryption": _ENCRYPTION[setup.tls],
        "trust": sink.ca_file,
        "user": user,
        "password": f"{told} (made for this run)" if password else told,
        "certificate": str(Path(sink.ca_file).parent / f"client-{user}.pem") if "EXTERNAL" in setup.mechanisms else "",
        "login": " ".join(setup.mechanisms) if user else "",
    }
    options = ["--tls", str(setup.tls)]
    options += ["--ca-file", sink.ca_file] if sink.ca_file else []
    options += ["--lmtp"] if setup.lmtp else []
    options += ["--username", user] if user else []
    target = f"unix:{where.path}" if where.path else str(where)
    reach = ["--socket", where.path] if where.path else ["--host", host, "--port", str(sink.port)]
    mail = ("--from", "you@example.com", "--to", "you@example.com")
    prefix = f"SMTPCTL_PASSWORD={told} " if password else ""
    pairs = {"HOST": host, "PORT": str(sink.port), "USER": user, "PASSWORD": told}
    return Directions(
        {label: value for label, value in settings.items() if value},
        f"{prefix}{_line('smtpctl', 'test-send', target, *options, *mail)}",
        _line("smtpctl", "profile", "add", "sink", *reach, *options),
        "" if where.path else " ".join(f"SMTP_{name}={value}" for name, value in pairs.items() if value),
    )


_ENCRYPTION = {
    TlsMode.NONE: "none",
    TlsMode.STARTTLS: "STARTTLS",
    TlsMode.IMPLICIT: "TLS from the first octet (SMTPS)",
}


def _line(*words: str) -> str:
    import shlex

    return shlex.join(words)


def _users(
    wishes: Wishes, environ: Mapping[str, str], prompt: Callable[[str], str] | None
) -> tuple[dict[str, Secret], dict[str, Secret]]:
    """All users, and those of them whose password was made up."""
    users: dict[str, Secret] = {}
    generated: dict[str, Secret] = {}
    for text in wishes.users or ([USER] if wishes.auth else []):
        name, placed, place = text.partition("=")
        if not name:
            raise UsageProblem(f"--user {text}: there is no name before the =", _LATER)
        if placed:
            try:
                reference = parse(place)
            except UsageProblem as error:
                raise UsageProblem(f"--user {name}=...: {error.message}", error.hint) from None
            users[name] = fetch(reference, environ, prompt, label=f"Password of {name}: ")
        else:
            users[name] = generated[name] = Secret(secrets.token_hex(8))
    return users, generated


def _known(words: Sequence[str], table: Sequence[str] | Mapping[str, Any], option: str) -> tuple[str, ...]:
    """The names in `words`, each perhaps a list with commas; UsageProblem for one that is not in `table`."""
    names = tuple(name.strip().upper() for word in words for name in word.split(",") if name.strip())
    for name in names:
        if name not in table:
            raise UsageProblem(f"{option}: there is no {name} here", f"There is {', '.join(table)}.")
    return names


def _faults(wishes: Wishes) -> Iterator[Fault]:
    made: tuple[tuple[str, Sequence[str], Callable[[str], Fault]], ...] = (
        ("--delay", wishes.delay, delay),
        ("--fail", wishes.fail, refusal),
        ("--drop", wishes.drop, drop),
    )
    for option, texts, make in made:
        for text in texts:
            try:
                yield make(text)
            except ValueError as error:
                raise UsageProblem(f"{option} {error}", _LATER) from None
