"""The grammar of a TARGET: what a word on the command line means, as settings.

NAME                       a profile (always looked up first)
HOST[:PORT]  [V6]:PORT     a server that stands in no profile; a bare word without a dot is a profile's name
smtp://   smtps://   submission://   lmtp://  [USER@]HOST[:PORT]
unix:/PATH
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smtpctl.config.values import PASSWORD_IN_URL, BadValueError, hide_password, split_host
from smtpctl.model.errors import UsageProblem

# What a scheme says besides the host (RFC 8314 7.3 for the ports; `smtp` leaves TLS to the port).
SCHEMES: Mapping[str, Mapping[str, Any]] = {
    "smtp": {},
    "smtps": {"tls": "implicit"},
    "submissions": {"tls": "implicit"},
    "submission": {"tls": "starttls"},
    "lmtp": {"lmtp": True},
}


def is_server(target: str) -> bool:
    """Whether the word can only be a server, not the name of a profile."""
    return target == "localhost" or any(mark in target for mark in (".", ":", "/", "["))


def settings(target: str) -> dict[str, Any]:
    """The settings that a server's address gives: host, port, socket, tls, lmtp, username. UsageProblem with the reason."""
    try:
        if target.startswith("unix:"):
            return _socket(target)
        scheme, mark, rest = target.partition("://")
        return _url(scheme.lower(), rest, target) if mark else _server(target)
    except BadValueError as error:
        raise UsageProblem(f"TARGET: {error}") from None


def _server(written: str) -> dict[str, Any]:
    host, port = split_host(written)
    return {"host": host} if port is None else {"host": host, "port": port}


def _socket(target: str) -> dict[str, Any]:
    path = target.removeprefix("unix:")
    path = "/" + path.lstrip("/") if path.startswith("//") else path
    if not path.startswith("/") or path == "/":
        raise BadValueError(f'"{target}" names no socket; unix:/PATH is needed')
    return {"socket": path}


def _url(scheme: str, rest: str, target: str) -> dict[str, Any]:
    if scheme not in SCHEMES:
        known = ", ".join(f"{name}://" for name in SCHEMES)
        raise BadValueError(f'"{hide_password(target)}": {scheme}:// is not for mail; known are {known} and unix:/PATH')
    user, at, server = rest.rpartition("@")
    if ":" in user:
        raise UsageProblem(
            f"TARGET: {PASSWORD_IN_URL}",
            "Leave it out, and give it with --password-file, --password-env, --password-command or a prompt.",
        )
    server, _slash, more = server.partition("/")
    if more or "?" in server or "#" in server:
        raise BadValueError(f'"{hide_password(target)}": nothing may stand behind the host and port of a URL')
    result = {**SCHEMES[scheme], **_server(server)}
    if at:
        from urllib.parse import unquote

        result["username"] = unquote(user)
    return result
