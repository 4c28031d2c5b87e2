"""Reads a token, a SASL response or an error challenge, and says claim by claim what SMTP needs. Nothing is sent anywhere.

inspect(text, user="ann@example.com", now=time.time(), client_id="...", tenant_id="...")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import Secret
from smtpctl.oauth import claims
from smtpctl.oauth.claims import ROLE, SKEW

GOOD, WRONG, OPEN, PLAIN = "good", "wrong", "open", "plain"
EXCHANGE = (
    "https://outlook.office365.com",
    "https://outlook.office.com",
    "https://outlook.office365.us",
    "https://partner.outlook.cn",
    "00000002-0000-0ff1-ce00-000000000000",
)
CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"  # the tenant of all personal Microsoft accounts
_SCOPES = ("SMTP.Send", "https://mail.google.com/")


class Asked(NamedTuple):
    """What the token is to be used for; texts may be empty. `now` in epoch seconds."""

    now: float
    user: str = ""
    client_id: str = ""
    tenant_id: str = ""


class Line(NamedTuple):
    """One claim: its name, its value for people, the verdict (`good`, `wrong`, `open`: it depends, `plain`: no matter) and
    what that means."""

    name: str
    value: str
    verdict: str = PLAIN
    says: str = ""


class Inspection(NamedTuple):
    """What was found out. `kind` is `token`, `opaque`, `response` (a SASL response with a token in it) or `challenge`."""

    kind: str
    lines: tuple[Line, ...]
    summary: str

    @property
    def wrong(self) -> bool:
        """Whether something in it keeps the login from working."""
        return any(line.verdict == WRONG for line in self.lines)

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        lines = [line._asdict() for line in self.lines]
        return {"kind": self.kind, "summary": self.summary, "wrong": self.wrong, "claims": lines}


def inspect(secret: Secret, asked: Asked) -> Inspection:
    """What this text is, and whether SMTP can use it."""
    text = secret.reveal().strip()
    response = _response(text)
    if response:
        user, token = response
        inner = inspect(Secret(token), asked._replace(user=user or asked.user))
        before = Line("user", user, *_address(user, asked))
        return Inspection("response", (before, *inner.lines), inner.summary)
    challenge = _challenge(text)
    if challenge:
        lines = tuple(Line(str(name), str(value)) for name, value in challenge.items())
        return Inspection("challenge", lines, "The server's answer to a token that it does not accept.")
    found = claims.claims(Secret(text))
    if not found:
        return Inspection("opaque", (), _OPAQUE)
    lines = tuple(_lines(found, asked))
    wrong = [line.name for line in lines if line.verdict == WRONG]
    good = "Nothing in it speaks against SMTP. Whether the server knows the application, the token cannot say."
    return Inspection("token", lines, f"SMTP will not take it, for {', '.join(wrong)}." if wrong else good)


_OPAQUE = (
    "The token is opaque: only its provider can read it. Google's are, and those of personal Microsoft accounts; nothing "
    "is wrong with that."
)


def _lines(found: Mapping[str, Any], asked: Asked) -> Iterator[Line]:
    for name, judge in _JUDGES.items():
        if name in found:
            value = found[name]
            yield Line(name, _written(name, value), *judge(value, asked, found))
    if not (found.keys() & {"roles", "scp"}):
        yield Line(
            "roles", "none", OPEN,
            f"right if the application was granted mailboxes in Exchange (App RBAC); else {ROLE} and consent are missing",
        )  # fmt: skip


Verdict = tuple[str, str]
Judge = Callable[[Any, Asked, Mapping[str, Any]], Verdict]


def _audience(value: Any, asked: Asked, found: Mapping[str, Any]) -> Verdict:
    audience = str(value).rstrip("/")
    if audience in EXCHANGE:
        return GOOD, "Exchange Online"
    if audience in claims.GRAPH:
        return WRONG, "for Microsoft Graph; ask for https://outlook.office365.com/.default alone"
    return (WRONG, "not for Exchange Online") if _entra(found) else (OPEN, "whom the token is for")


def _entra(found: Mapping[str, Any]) -> bool:
    return any(
        part in str(found.get("iss", "")) for part in ("sts.windows.net", "login.microsoftonline", "login.partner.")
    )


def _roles(value: Any, asked: Asked, found: Mapping[str, Any]) -> Verdict:
    return (
        (GOOD, "may send as the mailboxes it was granted")
        if ROLE in claims.words(value)
        else (WRONG, f"{ROLE} is not among them")
    )


def _scopes(value: Any, asked: Asked, found: Mapping[str, Any]) -> Verdict:
    return (GOOD, "") if set(_SCOPES) & set(claims.words(value)) else (WRONG, f"{_SCOPES[0]} is not among them")


def _tenant(value: Any, asked: Asked, found: Mapping[str, Any]) -> Verdict:
    if value == CONSUMERS:
        return OPEN, "personal Microsoft accounts"
    same = not asked.tenant_id or "." in asked.tenant_id or asked.tenant_id == value
    return (GOOD if asked.tenant_id else PLAIN, "the tenant") if same else (WRONG, f"not the tenant {asked.tenant_id}")


def _application(value: Any, asked: Asked, found: Mapping[str, Any]) -> Verdict:
    same = not asked.client_id or asked.client_id == value
    return (PLAIN, "the application") if same else (WRONG, f"not the application {asked.client_id}")


def _object(value: Any, asked: Asked, found: Mapping[str, Any]) -> Verdict:
    if "scp" in found:
        return PLAIN, "the person who signed in"
    return PLAIN, "what New-ServicePrincipal wants as -ObjectId (Enterprise applications)"


def _account(value: Any, asked: Asked, found: Mapping[str, Any]) -> Verdict:
    if not asked.user or str(value).lower() == asked.user.lower():
        return GOOD, "who signed in"
    return WRONG, f"the login is for {asked.user}"


def _expiry(value: Any, asked: Asked, found: Mapping[str, Any]) -> Verdict:
    if not isinstance(value, int | float):
        return OPEN, "no time"
    left = value - asked.now
    if left < -SKEW:
        return WRONG, f"ended {_span(-left)} ago"
    return (GOOD, f"good for {_span(left)} more") if left > 0 else (OPEN, "ends now; clocks differ")


def _begin(value: Any, asked: Asked, found: Mapping[str, Any]) -> Verdict:
    if not isinstance(value, int | float) or value <= asked.now + SKEW:
        return PLAIN, ""
    return WRONG, f"begins in {_span(value - asked.now)}: the clock of this machine is wrong, or the issuer's"


def _address(value: str, asked: Asked) -> Verdict:
    return (GOOD, "the mailbox of the login") if "@" in value else (WRONG, "no mail address")


def _plain(value: Any, asked: Asked, found: Mapping[str, Any]) -> Verdict:
    return PLAIN, ""


# The claims that matter, in the order in which they are told.
_JUDGES: Mapping[str, Judge] = {
    "aud": _audience,
    "roles": _roles,
    "scp": _scopes,
    "exp": _expiry,
    "nbf": _begin,
    "tid": _tenant,
    "appid": _application,
    "azp": _application,
    "oid": _object,
    "upn": _account,
    "preferred_username": _account,
    "iss": _plain,
}


def _written(name: str, value: Any) -> str:
    if name in ("exp", "nbf") and isinstance(value, int | float):
        try:
            return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M UTC")
        except (OverflowError, ValueError, OSError):
            return str(value)
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _span(seconds: float) -> str:
    """A span of time in one unit."""
    for name, size in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} seconds"


def _response(text: str) -> tuple[str, str] | None:
    """User and token of an XOAUTH2 or OAUTHBEARER response in base64 (RFC 7628 3.1), None where it is none."""
    parts = _decoded(text).split("\x01")
    token = next((part[12:] for part in parts if part.lower().startswith("auth=bearer ")), "")
    head = parts[0]
    user = (
        head[5:] if head.startswith("user=") else head.partition("a=")[2].rstrip(",") if head.startswith("n,") else ""
    )
    return (user.replace("=2C", ",").replace("=3D", "="), token) if token else None


def _challenge(text: str) -> Mapping[str, Any]:
    """The JSON object of an error challenge, in base64 or as it is."""
    import json

    for written in (text, _decoded(text)):
        try:
            value = json.loads(written)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and "status" in value:
            return value
    return {}


def _decoded(text: str) -> str:
    import base64

    words = text.removeprefix("334 ").removeprefix("AUTH XOAUTH2 ").removeprefix("AUTH OAUTHBEARER ")
    try:
        return base64.b64decode(words, validate=True).decode("utf-8")
    except ValueError:
        return ""
