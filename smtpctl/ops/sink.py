"""`sink`: from the wishes of a command line to a running server."""

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
from smtpctl.ops.role import ITSELF, Role, role
from smtpctl.protocol.server.faults import Fault, Faults, delay, drop, refusal
from smtpctl.protocol.server.mechanisms import MECHANISMS
from smtpctl.protocol.server.transaction import REMARKS
from smtpctl.protocol.server.values import EXTENSIONS, Limits, Setup
from smtpctl.sink import capture
from smtpctl.sink.server import NO_HOOKS, Hooks, Session, Sink

__all__ = ["REMARKS", "SCHEMA", "Hooks", "Running", "Session", "Wishes", "running"]

SCHEMA = capture.SCHEMA
USER = "sink"  # who logs in where --auth asks for a login and no name is given
_OTHER_PORT = "Give another --port, or 0 for any free one."
_LATER = "See: smtpctl sink --help"


class Wishes(NamedTuple):
    """What was asked for, as texts: `users` are NAME or NAME=PLACE of the password, `auth` mechanisms, `without`
    extensions, `fail`, `delay` and `drop` faults (`protocol.server.faults`), `play` an entry, a finding or a provider, and
    `sample` which text of an entry, without it the first. `tls` None is none, `max_size` None 100 MB, or what the one
    who is played has."""

    host: str = "127.0.0.1"
    port: int = 0
    tls: TlsMode | None = None
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
    max_size: int | None = None
    max_connections: int = 100
    play: str = ""
    sample: str = ""


class Running(NamedTuple):
    """A sink that listens. `generated` are the passwords that were made up for this run; `exposed` whether other
    machines can reach it; `role` who it plays."""

    sink: Sink
    generated: Mapping[str, Secret]
    exposed: bool
    role: Role = ITSELF


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
    plays = role(wishes.play, wishes.sample) if wishes.play else ITSELF
    users, generated = _users(wishes, environ, prompt, plays)
    setup = _setup(wishes, users, plays)
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
        flaw=plays.personality.certificate,
        connections=wishes.max_connections,
        hooks=hooks,
    )
    try:
        sink.start()
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (while")[0]
        raise UsageProblem(f"{endpoint}: {why}", "" if path else _OTHER_PORT) from error
    try:
        yield Running(sink, generated, exposed=not path and not is_loopback(wishes.host), role=plays)
    finally:
        sink.stop()


def _setup(wishes: Wishes, users: Mapping[str, Secret], plays: Role) -> Setup:
    manner = plays.personality.manner
    tls = wishes.tls or plays.tls
    at_starttls = any(fault.stage in ("starttls", "tls") for fault in plays.personality.faults)
    if (at_starttls and tls is not TlsMode.STARTTLS) or (plays.personality.certificate and tls is TlsMode.NONE):
        where = "at STARTTLS" if at_starttls else "in TLS"
        raise UsageProblem(f"--tls {tls}: {wishes.play} shows {where} only", "Leave --tls out, or use --tls starttls.")
    without = _known(wishes.without, EXTENSIONS, "--without")
    return Setup(
        lmtp=wishes.lmtp,
        tls=tls,
        extensions=tuple(name for name in manner.extensions if name not in without),
        users=users,
        mechanisms=_known(wishes.auth, MECHANISMS, "--auth") or plays.mechanisms,
        open_relay=wishes.auth_optional or plays is not ITSELF,
        limits=Limits(content=wishes.max_size if wishes.max_size is not None else manner.size or Limits().content),
        faults=Faults(*_faults(wishes), *plays.personality.faults),
        greeting=manner.greeting,
        hello=manner.hello,
        denial=manner.denial,
    )


def _users(
    wishes: Wishes, environ: Mapping[str, str], prompt: Callable[[str], str] | None, plays: Role
) -> tuple[dict[str, Secret], dict[str, Secret]]:
    """All users, and those of them whose password was made up. Where no login works, nobody knows a password."""
    users: dict[str, Secret] = {}
    generated: dict[str, Secret] = {}
    usual = [plays.user] if plays.user else [USER] if wishes.auth else []
    if plays.closed:
        return {text.partition("=")[0]: Secret(secrets.token_hex()) for text in wishes.users or usual}, {}
    for text in wishes.users or usual:
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
