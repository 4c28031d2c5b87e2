"""How to point an application at a sink: settings, shell lines, variables; and where it plays somebody, how to meet that."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from smtpctl.model.endpoint import Endpoint, TlsMode
from smtpctl.model.record import NamedTuple
from smtpctl.ops.role import ADDRESS, ITSELF
from smtpctl.ops.sink import Running

_ENCRYPTION = {
    TlsMode.NONE: "none",
    TlsMode.STARTTLS: "STARTTLS",
    TlsMode.IMPLICIT: "TLS from the first octet (SMTPS)",
}
_ANY = "anything"  # stands for a password or token that is refused anyhow
_PLACES = {
    "greeting": "on connecting",
    "ehlo": "at EHLO",
    "starttls": "at STARTTLS",
    "auth": "at every login",
    "mail": "at MAIL FROM",
    "rcpt": "at RCPT TO",
    "data": "at DATA",
    "eod": "after the mail",
}


class Directions(NamedTuple):
    """How to point an application at a sink: settings by label, shell lines, and environment variables."""

    settings: Mapping[str, str]
    try_it: str
    keep_it: str
    variables: str


def directions(run: Running) -> Directions:
    """What to type into an application, and into a shell."""
    sink, setup, role = run.sink, run.sink.setup, run.role
    host = sink.host if sink.host not in ("0.0.0.0", "::") else "127.0.0.1"  # noqa: S104  # compared, not bound
    where = Endpoint(host, sink.port, sink.endpoint.path)
    user = next(iter(setup.users), "")
    password = run.generated.get(user)
    told = password.reveal() if password else _ANY if role.closed else str(setup.users.get(user, ""))
    settings = {
        **_played(run),
        "socket" if where.path else "host": where.path or host,
        "port": "" if where.path else str(sink.port),
        "encryption": _ENCRYPTION[setup.tls],
        "trust": sink.ca_file,
        "user": user,
        "password": f"{told} (made for this run)" if password else told,
        "certificate": str(Path(sink.ca_file).parent / f"client-{user}.pem") if "EXTERNAL" in setup.mechanisms else "",
        "login": " ".join(setup.mechanisms) if user else "",
    }
    options = list(_options(run, user))
    target = f"unix:{where.path}" if where.path else str(where)
    reach = ["--socket", where.path] if where.path else ["--host", host, "--port", str(sink.port)]
    pairs = {"HOST": host, "PORT": str(sink.port), "USER": user, "PASSWORD": told}
    return Directions(
        {label: value for label, value in settings.items() if value},
        f"{_secret(run, user, told)}{shlex.join(_verb(run, [target, *options]))}",
        shlex.join(["smtpctl", "profile", "add", "sink", *reach, *options]),
        "" if where.path else " ".join(f"SMTP_{name}={value}" for name, value in pairs.items() if value),
    )


def _played(run: Running) -> dict[str, str]:
    """Who is played, what they say and when, and the grant of the token that it is about."""
    plays = run.role.personality
    if run.role is ITSELF:
        return {}
    return {
        "plays": f"{plays.name}: {plays.title}",
        "says": plays.reply,
        "when": _PLACES.get(plays.at, ""),
        "grant": " or ".join(plays.grants),
    }


def _options(run: Running, user: str) -> Iterator[str]:
    """The options with which a client reaches the sink, and what is shown there."""
    setup, role = run.sink.setup, run.role
    client = role.personality.client
    if role.preset and not run.sink.endpoint.path:  # at a socket it would only bring the name of another server
        yield from ("--preset", role.preset.id)
    if "--tls" not in client:
        yield from ("--tls", str(setup.tls))
    if run.sink.ca_file:
        yield from ("--ca-file", run.sink.ca_file)
    if setup.lmtp:
        yield "--lmtp"
    if user and _logs_in(run):
        yield from ("--username", user)
        yield from ("--auth", "oauth2" if role.personality.token else "basic") if role is not ITSELF else ()
    yield from client


def _logs_in(run: Running) -> bool:
    return run.role is ITSELF or run.role.personality.login


def _secret(run: Running, user: str, told: str) -> str:
    if not _logs_in(run) or not (user in run.generated or run.role.closed):
        return ""
    return f"SMTPCTL_{'ACCESS_TOKEN' if run.role.personality.token else 'PASSWORD'}={told} "


def _verb(run: Running, where: list[str]) -> list[str]:
    """A mail, or a look where that is enough to see what is played."""
    if run.role is ITSELF or run.role.personality.sends:
        return ["smtpctl", "test-send", *where, "--from", ADDRESS, "--to", ADDRESS]
    return ["smtpctl", "check", *where]
